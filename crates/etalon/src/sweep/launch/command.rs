//! The command engine: workers by a command of the user's.

use super::workers::{is_word, quoted_path};
use super::{LaunchError, Workers};
use crate::program::{end_of, last_lines};
use crate::sweep::SweepError;
use serde::Serialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Lines of a failed command's output that are shown.
const SHOWN: usize = 5;

/// A command for the shell with placeholders: `{worker}`, the command line of one worker; `{shard}`, the number of its
/// part, from 1; `{shards}`, the number of parts; `{dir}`, the sweep's folder; `{workers}`, a file with the command
/// lines of all workers. With `{workers}` it is run once, else once a worker, all at the same time. Other braces are
/// left to the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// What became of the commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Launched {
    /// Into how many parts the sweep was cut.
    pub shards: usize,
    /// Workers that were asked for.
    pub workers: usize,
    /// Commands that failed.
    pub broken: Vec<Broken>,
}

/// A command that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The part whose worker it was to start; none if it was to start all.
    pub shard: Option<usize>,
    /// How it ended.
    pub status: String,
    /// The last lines of what it printed.
    pub last_lines: Vec<String>,
    /// All that it printed.
    pub log: PathBuf,
}

impl Template {
    /// Checks that it starts workers.
    ///
    /// # Errors
    /// When it has none of `{worker}`, `{workers}` and `{shard}`.
    pub fn parse(text: &str) -> Result<Template, LaunchError> {
        let starts =
            ["{worker}", "{workers}", "{shard}"].iter().any(|placeholder| text.contains(placeholder));
        if starts { Ok(Template(text.into())) } else { Err(LaunchError::Template(text.into())) }
    }

    /// Whether one command starts all workers.
    fn takes_all(&self) -> bool {
        self.0.contains("{workers}")
    }

    fn fill(&self, values: &[(&str, &str)]) -> String {
        // From left to right in one pass, so that a value that looks like a placeholder stays as it is.
        let (mut text, mut rest) = (String::new(), self.0.as_str());
        while let Some(brace) = rest.find('{') {
            text.push_str(&rest[..brace]);
            rest = &rest[brace..];
            match values.iter().find(|(placeholder, _)| rest.starts_with(placeholder)) {
                Some((placeholder, value)) => {
                    text.push_str(value);
                    rest = &rest[placeholder.len()..];
                }
                None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text + rest
    }
}

/// Runs the template's commands and waits until they have ended; whether the workers have, too, is up to the commands.
/// What they print goes to files in the folder `command` of the sweep.
///
/// # Errors
/// When a file cannot be written or the shell cannot be started; commands that were started go on.
pub fn launch(template: &Template, workers: &Workers) -> Result<Launched, LaunchError> {
    let folder = workers.root().join("command");
    fs::create_dir_all(&folder).map_err(SweepError::io(&folder, "create the folder"))?;
    let place = harmless(workers.root())?;
    let (root, count) = (quoted_path(&place)?, workers.count().to_string());
    let mut started = Vec::new();
    if template.takes_all() {
        let list = folder.join("workers.txt");
        let lines: String =
            workers.indices().iter().map(|index| workers.line(&index.to_string()) + "\n").collect();
        fs::write(&list, lines).map_err(SweepError::io(&list, "write the file"))?;
        let list = quoted_path(&place.join("command").join("workers.txt"))?;
        let text = template.fill(&[("{workers}", &list), ("{shards}", &count), ("{dir}", &root)]);
        started.push(start(&text, None, folder.join("workers.log"))?);
    } else {
        for &index in workers.indices() {
            let (number, line) = (index.to_string(), workers.line(&index.to_string()));
            let values =
                [("{worker}", line.as_str()), ("{shard}", &number), ("{shards}", &count), ("{dir}", &root)];
            let log = folder.join(format!("shard-{index}.log"));
            started.push(start(&template.fill(&values), Some(index), log)?);
        }
    }
    let broken =
        started.into_iter().map(Started::end).filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Launched { shards: workers.count(), workers: workers.indices().len(), broken })
}

/// A path of a folder that no shell acts on: its own, or that of a link in the folder for temporary files, which stays.
fn harmless(folder: &Path) -> Result<PathBuf, LaunchError> {
    if is_word(folder) {
        return Ok(folder.into());
    }
    let fault = |action| SweepError::io(folder, action);
    let place = tempfile::Builder::new().prefix("etalon-").tempdir();
    let link = place.map_err(fault("create a folder for a link to it"))?.keep().join("sweep");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder, &link).map_err(fault("create a link to it"))?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(folder, &link).map_err(fault("create a link to it"))?;
    Ok(link)
}

struct Started {
    shard: Option<usize>,
    child: Child,
    log: PathBuf,
}

fn start(text: &str, shard: Option<usize>, log: PathBuf) -> Result<Started, LaunchError> {
    let fault = |action| SweepError::io(&log, action);
    let output = File::create(&log).map_err(fault("create the file"))?;
    let complaints = output.try_clone().map_err(fault("create the file"))?;
    let mut command = Command::new("sh");
    command.args(["-c", text]).stdin(Stdio::null()).stdout(output).stderr(complaints);
    let child = command.spawn().map_err(SweepError::io(Path::new("sh"), "start the shell"))?;
    Ok(Started { shard, child, log })
}

impl Started {
    /// Waits for it; what is wrong with it, if anything.
    fn end(mut self) -> Result<Option<Broken>, LaunchError> {
        let status = self.child.wait().map_err(SweepError::io(Path::new("sh"), "wait for the shell"))?;
        if status.success() {
            return Ok(None);
        }
        let text = end_of(&self.log).map_err(SweepError::io(&self.log, "read the file"))?;
        let last_lines = last_lines(&text, SHOWN).into_iter().map(String::from).collect();
        Ok(Some(Broken { shard: self.shard, status: status.to_string(), last_lines, log: self.log }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_other_braces_stay() {
        let template = Template::parse("x {worker} {shard}/{shards} {} {1} ${a} {").unwrap();
        let values = [("{worker}", "W{shard}"), ("{shard}", "3"), ("{shards}", "8")];
        assert_eq!(template.fill(&values), "x W{shard} 3/8 {} {1} ${a} {");
    }

    #[test]
    fn a_command_that_starts_no_worker_is_refused() {
        for text in ["", "parallel -j 8", "qsub {dir} {shards}", "{workr}"] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains("{worker}") && error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
