//! The scripts that are submitted.

use super::Settings;
use crate::sweep::LaunchError;
use crate::sweep::launch::workers::{Workers, quoted, quoted_path};
use std::path::Path;

/// Seconds before the end of a job's time at which its worker is told to finish.
const NOTICE: u32 = 90;

/// The script of an array: element `i` does part `offset + i`. `indices` are the elements.
pub(super) fn array(
    name: &str,
    workers: &Workers,
    offset: usize,
    indices: &[usize],
    logs: &Path,
    settings: &Settings,
) -> Result<String, LaunchError> {
    let throttle = settings.throttle.map_or(String::new(), |most| format!("%{most}"));
    let ours = [
        format!("array={}{throttle}", ranges(indices)),
        format!("output={}", pattern(logs, "%A_%a.log")?),
        // To the worker, which takes the place of the script's shell.
        format!("signal=B:USR1@{NOTICE}"),
    ];
    let index = match offset {
        0 => "\"$SLURM_ARRAY_TASK_ID\"".to_string(),
        offset => format!("$(({offset} + SLURM_ARRAY_TASK_ID))"),
    };
    Ok(script(name, &ours, settings.options(), &workers.line(&index)))
}

/// The script of the job that collects results.
pub(super) fn collector(
    name: &str,
    workers: &Workers,
    logs: &Path,
    settings: &Settings,
) -> Result<String, LaunchError> {
    let ours = [format!("output={}", pattern(logs, "collect-%j.log")?)];
    // It needs none of the GPUs that workers wait for.
    let others = settings.options().filter(|(key, _)| !(key.starts_with("gpu") || *key == "gres"));
    Ok(script(name, &ours, others, &workers.collector()))
}

fn script<'a>(
    name: &str,
    ours: &[String],
    options: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    line: &str,
) -> String {
    let mut text = String::from("#!/bin/sh\n");
    let mut option = |option: &str| text.push_str(&format!("#SBATCH --{option}\n"));
    option(&format!("job-name={name}"));
    option("ntasks=1");
    option("cpus-per-task=1");
    // A lost node's elements are run again, and add to their logs.
    option("requeue");
    option("open-mode=append");
    ours.iter().for_each(|ours| option(ours));
    // Later options win.
    for (key, value) in options {
        option(&value.map_or(key.to_string(), |value| format!("{key}={}", quoted(value))));
    }
    format!("{text}\nexec {line}\n")
}

/// A file of a folder, in which Slurm is to replace what `name` has to be replaced.
fn pattern(folder: &Path, name: &str) -> Result<String, LaunchError> {
    let folder = quoted_path(folder)?.replace('%', "%%");
    Ok(format!("{folder}/{name}"))
}

/// Numbers in order as `1-5,7`.
fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = |&(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_range() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
        assert_eq!(ranges(&[4]), "4");
    }

    #[test]
    fn percent_signs_of_a_folder_are_not_slurms() {
        let pattern = pattern(Path::new("/a b/50%"), "%A_%a.log").unwrap();
        assert_eq!(pattern, "'/a b/50%%'/%A_%a.log");
    }

    #[test]
    fn the_users_options_come_last() {
        let settings =
            Settings::new(&["time=1:00:00".into(), "comment=two words".into(), "exclusive".into()]);
        let text = script("n", &["array=1-3".into()], settings.unwrap().options(), "true");
        let options: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("#SBATCH ")).collect();
        assert_eq!(options[5..], ["--array=1-3", "--time=1:00:00", "--comment='two words'", "--exclusive"]);
        assert!(
            text.starts_with("#!/bin/sh\n#SBATCH --job-name=n\n") && text.ends_with("\n\nexec true\n"),
            "{text}"
        );
    }
}
