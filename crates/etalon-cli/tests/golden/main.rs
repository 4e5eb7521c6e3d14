//! A golden set: commands of every verb at fixed seeds, what they print and write compared byte by byte.
//!
//! Whoever changes an output on purpose runs `ETALON_GOLDEN=write cargo test -p etalon-lr --test golden`, reads the
//! difference, and says in the commit why it is meant. The portable kernels are used, whose bits every machine has.

mod text;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

const COMMANDS: &str = include_str!("commands.txt");

/// Commands that share a folder, in their order.
#[derive(Default)]
struct Chapter {
    name: &'static str,
    /// What is written into the folder before.
    files: Vec<(&'static str, String)>,
    commands: Vec<&'static str>,
}

fn chapters() -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for line in COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            chapters.push(Chapter { name, ..Chapter::default() });
            continue;
        }
        let chapter = chapters.last_mut().expect("a chapter begins with its name");
        match (line.strip_prefix("@ "), line.strip_prefix("  ")) {
            (Some(file), _) => chapter.files.push((file, String::new())),
            (None, Some(text)) => {
                let (_, content) = chapter.files.last_mut().expect("a text belongs to a file");
                writeln!(content, "{text}").unwrap();
            }
            (None, None) => chapter.commands.push(line),
        }
    }
    chapters
}

impl Chapter {
    /// All that its commands print and write.
    fn play(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        self.files.iter().for_each(|(name, content)| fs::write(folder.path().join(name), content).unwrap());
        let mut script = String::new();
        for line in &self.commands {
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some("etalon"), "{line}");
            let output = Command::new(env!("CARGO_BIN_EXE_etalon"))
                .args(words)
                .current_dir(folder.path())
                .envs([("ETALON_CPU", "portable"), ("NO_COLOR", "1"), ("COLUMNS", "120")])
                .env("ETALON_DATA", folder.path().join("data"))
                .env_remove("RAYON_NUM_THREADS")
                .output()
                .unwrap();
            writeln!(script, "$ {line}\nexit {:?}", output.status.code().unwrap_or(-1)).unwrap();
            for (stream, bytes) in [("stdout", output.stdout), ("stderr", output.stderr)] {
                if !bytes.is_empty() {
                    let printed = String::from_utf8(bytes).unwrap();
                    let lasting = text::lasting(&printed, folder.path());
                    writeln!(script, "--- {stream}\n{}", text::abridged(&lasting)).unwrap();
                }
            }
        }
        for path in files(folder.path()) {
            let name = path.strip_prefix(folder.path()).unwrap().display().to_string();
            let given = self.files.iter().any(|(given, _)| *given == name);
            if given || name.ends_with("meta.json") {
                continue;
            }
            let content = fs::read_to_string(&path).unwrap();
            let content = match name.rsplit('.').next() {
                Some("html") => text::of_page(&content),
                // A picture is compared by its numbers, which lie beside it.
                Some("svg") => format!("{} bytes or so\n", content.len().next_multiple_of(1000)),
                _ => content,
            };
            let lasting = text::lasting(&content, folder.path());
            writeln!(script, "=== {name}\n{}", text::abridged(&lasting)).unwrap();
        }
        script
    }

    /// What differs from what is kept; nothing where nothing does.
    fn difference(&self) -> Option<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/expected").join(self.name);
        let now = self.play();
        if std::env::var_os("ETALON_GOLDEN").is_some_and(|mode| mode == "write") {
            fs::write(&path, now).unwrap();
            return None;
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if kept == now {
            return None;
        }
        let differ = |(before, after): &(&str, &str)| before != after;
        let at = kept.lines().zip(now.lines()).position(|pair| differ(&pair));
        let at = at.unwrap_or(kept.lines().count().min(now.lines().count()));
        let around =
            |text: &str| text.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
        Some(format!(
            "chapter {} differs from line {} on\n--- kept\n{}\n--- now\n{}\n",
            self.name,
            at + 1,
            around(&kept),
            around(&now)
        ))
    }
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn every_verb_prints_and_writes_what_it_did() {
    let queue = Mutex::new(chapters());
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(chapter) = queue.lock().unwrap().pop() else { return };
                    let difference = chapter.difference();
                    differences.lock().unwrap().extend(difference);
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{}", differences.concat());
}
