//! A command line with placeholders.

use super::TrainerError;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What a placeholder stands for in one training.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// `{eta}`: the learning rate, such as `0.1` or `1e-7`.
    pub eta: f64,
    /// `{seed}`.
    pub seed: u64,
    /// `{steps}`: how many steps a whole training has, where that was given.
    pub steps: Option<u64>,
    /// `{log}`: where its log is to be.
    pub log: &'a Path,
    /// `{out}`: a folder of its own.
    pub out: &'a Path,
    /// `{slot}`: from 0 on; no two trainings have the same at the same time. `{gpu}` follows from it.
    pub slot: usize,
}

impl Place<'_> {
    /// The value of a placeholder; none where it is none.
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "eta" => format!("{:?}", self.eta),
            "seed" => self.seed.to_string(),
            "steps" => self.steps?.to_string(),
            "log" => self.log.display().to_string(),
            "out" => self.out.display().to_string(),
            "slot" => self.slot.to_string(),
            "gpu" => gpu(std::env::var(GPUS).ok().as_deref(), self.slot),
            _ => return None,
        })
    }
}

/// Placeholders that a command line may have.
const NAMES: [&str; 7] = ["eta", "seed", "steps", "log", "out", "slot", "gpu"];

/// The variable in which Slurm and others say which GPUs are Etalon's, by numbers or names with commas between.
const GPUS: &str = "CUDA_VISIBLE_DEVICES";

/// `{gpu}`: that of a slot among those that are Etalon's, in turn where there are fewer of them; without a list the slot's number.
fn gpu(list: Option<&str>, slot: usize) -> String {
    let ours: Vec<&str> = list.into_iter().flat_map(|list| list.split(',')).map(str::trim).collect();
    match ours.iter().filter(|name| !name.is_empty()).nth(slot % ours.len().max(1)) {
        Some(name) => name.to_string(),
        None => slot.to_string(),
    }
}

/// Words in which `{eta}` and the like stand for what differs from training to training. Braces around anything but a name are
/// left to the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
    is_shell: bool,
    /// What stands for the placeholders that are not [`Place`]'s.
    parameters: BTreeMap<String, String>,
}

impl CommandLine {
    /// Splits a line into words, quotes as a shell has them, or takes all of it as a line for `sh -c`.
    ///
    /// # Errors
    /// When it is empty, quotes are not closed, or it has a placeholder that is neither [`Place`]'s nor a parameter.
    pub fn parse(
        text: &str,
        is_shell: bool,
        parameters: &BTreeMap<String, String>,
    ) -> Result<CommandLine, TrainerError> {
        let words = if is_shell { Some(vec![text.into()]) } else { shlex::split(text) };
        let words = words.ok_or_else(|| TrainerError::Quotes(text.into()))?;
        if words.iter().all(|word| word.trim().is_empty()) {
            return Err(TrainerError::Empty);
        }
        CommandLine { words, is_shell, parameters: parameters.clone() }.checked()
    }

    /// Text that stands for itself, as a variable's value or a path does.
    ///
    /// # Errors
    /// When it has a placeholder that is neither [`Place`]'s nor a parameter.
    pub fn text(text: &str, parameters: &BTreeMap<String, String>) -> Result<CommandLine, TrainerError> {
        CommandLine { words: vec![text.into()], is_shell: false, parameters: parameters.clone() }.checked()
    }

    fn checked(self) -> Result<CommandLine, TrainerError> {
        let known = |name: &str| NAMES.contains(&name) || self.parameters.contains_key(name);
        for word in &self.words {
            if let Some(unknown) = names(word).find(|name| !known(name)) {
                let known = NAMES.iter().copied().chain(self.parameters.keys().map(String::as_str));
                let known: Vec<String> = known.map(|name| format!("{{{name}}}")).collect();
                return Err(TrainerError::Placeholder { name: unknown.into(), known: known.join(", ") });
            }
        }
        Ok(self)
    }

    /// The value of a placeholder in one training.
    fn value(&self, name: &str, place: &Place<'_>) -> Option<String> {
        if NAMES.contains(&name) { place.value(name) } else { self.parameters.get(name).cloned() }
    }

    /// Whether it has a placeholder.
    pub fn has(&self, name: &str) -> bool {
        self.words.iter().any(|word| names(word).any(|found| found == name))
    }

    /// Its text in one training, as a variable or a path has it.
    pub(super) fn in_place(&self, place: &Place<'_>) -> String {
        self.words
            .iter()
            .map(|word| filled(word, &|name| self.value(name, place)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The program of one training.
    pub(super) fn program(&self, place: &Place<'_>) -> Command {
        if self.is_shell {
            let value = |name: &str| Some(quoted(&self.value(name, place)?));
            let mut command = Command::new("sh");
            command.arg("-c").args(self.words.iter().map(|word| filled(word, &value)));
            return command;
        }
        let mut words = self.words.iter().map(|word| filled(word, &|name| self.value(name, place)));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// What an error calls it.
    pub(super) fn shown(&self) -> String {
        self.words.join(" ")
    }
}

fn quoted(value: &str) -> String {
    // Fails for a zero byte alone, which neither numbers nor paths have.
    shlex::try_quote(value).map_or_else(|_| value.into(), |quoted| quoted.into_owned())
}

/// A word cut at its placeholders: what stands before each, and its name.
fn parts(word: &str) -> (Vec<(&str, &str)>, &str) {
    let (mut found, mut start, mut rest) = (Vec::new(), 0, 0);
    while let Some(brace) = word[rest..].find('{').map(|place| place + rest) {
        let inside = &word[brace + 1..];
        let length = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
        let is_name =
            inside.starts_with(|c: char| c.is_ascii_alphabetic()) && inside[length..].starts_with('}');
        // `${HOME}` is the shell's.
        if is_name && !word[..brace].ends_with('$') {
            found.push((&word[start..brace], &inside[..length]));
            start = brace + 1 + length + 1;
            rest = start;
        } else {
            rest = brace + 1;
        }
    }
    (found, &word[start..])
}

fn names(word: &str) -> impl Iterator<Item = &str> {
    parts(word).0.into_iter().map(|(_, name)| name)
}

/// A word with the placeholders that have a value put in.
fn filled(word: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let (found, last) = parts(word);
    let mut text = String::new();
    for (before, name) in found {
        text += before;
        text += &value(name).unwrap_or_else(|| format!("{{{name}}}"));
    }
    text + last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, shell: bool, parameters: &[(&str, &str)]) -> Result<Vec<String>, TrainerError> {
        let parameters = parameters.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let line = CommandLine::parse(text, shell, &parameters)?;
        let (log, out) = (Path::new("/a b/log"), Path::new("/a b"));
        let program = line.program(&Place { eta: 1e-7, seed: 3, steps: Some(90), log, out, slot: 1 });
        let words = [program.get_program()].into_iter().chain(program.get_args());
        Ok(words.map(|word| word.to_str().unwrap().into()).collect())
    }

    #[test]
    fn words_are_a_shells_and_placeholders_are_put_in_one_pass() {
        assert_eq!(
            words(
                "python t.py --lr={eta} '{\"lr\": {eta}}' --name 'a b' {log} {width}",
                false,
                &[("width", "{seed}")]
            )
            .unwrap(),
            ["python", "t.py", "--lr=1e-7", "{\"lr\": 1e-7}", "--name", "a b", "/a b/log", "{seed}"]
        );
        assert_eq!(
            words("echo {} {1} ${HOME} {steps}", false, &[]).unwrap(),
            ["echo", "{}", "{1}", "${HOME}", "90"]
        );
    }

    #[test]
    fn a_slot_has_a_gpu_of_those_that_are_there() {
        for (list, slot, expected) in [
            (None, 2, "2"),
            (Some(""), 1, "1"),
            (Some("5"), 0, "5"),
            (Some("3,7"), 1, "7"),
            (Some("3, GPU-8f"), 3, "GPU-8f"),
        ] {
            assert_eq!(gpu(list, slot), expected, "{list:?}");
        }
    }

    #[test]
    fn a_shell_gets_quoted_values() {
        assert_eq!(
            words("t {log} > {out}/x; echo ${HOME}", true, &[]).unwrap(),
            ["sh", "-c", "t '/a b/log' > '/a b'/x; echo ${HOME}"]
        );
    }

    #[test]
    fn what_makes_no_command_is_refused() {
        let refused = |text: &str| words(text, false, &[("width", "1")]).unwrap_err().to_string();
        let text = refused("python {lr}");
        assert!(text.contains("{lr}") && text.contains("{eta}") && text.contains("{width}"), "{text}");
        assert!(refused("python 'x").contains("quote"));
        assert!(refused("  ").contains("empty"));
    }
}
