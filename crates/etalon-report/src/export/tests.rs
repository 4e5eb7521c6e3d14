use super::*;
use etalon::folder::Meta;
use etalon::sweep::{Grid, Options, Store, Table, run};
use std::fs;
use std::sync::atomic::AtomicBool;

/// Six trials of five recorded steps.
fn swept(grid: &str) -> tempfile::TempDir {
    let text = format!(
        "loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\ndimension = 3\n[network]\ndepth = 1\nwidth = 4\n\
         [train]\nbatch = \"full\"\nsteps = 4\n[grid]\n{grid}"
    );
    let grid = Grid::parse(&text).unwrap();
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), &grid, &Meta::default()).unwrap();
    run(&store, &grid, &Options { threads: 1, stop: &AtomicBool::new(false) }, &|_| {}).unwrap();
    root
}

fn six() -> tempfile::TempDir {
    swept("network.activation = [\"relu\", \"tanh\"]\nseed = [0, 1, 2]")
}

#[test]
fn csv_has_every_number_of_the_result_files() {
    let root = six();
    let exported = export(root.path(), Format::Csv, None, false).unwrap();
    assert_eq!(exported.path, root.path().join("trajectories.csv"));
    assert_eq!((exported.trials, exported.unfinished), (6, 0));
    let table = Table::parse(&fs::read_to_string(exported.path).unwrap()).unwrap();
    let heading = "trial network.activation seed step eta loss train_loss train_accuracy test_loss test_accuracy ntk hessian \
                   unpatched_loss unpatched_accuracy patched_loss patched_accuracy patch_only_loss patch_only_accuracy test_mixed_loss test_mixed_accuracy test_patch_only_loss test_patch_only_accuracy";
    assert_eq!(table.columns, heading.split(' ').collect::<Vec<_>>());
    assert_eq!(table.rows.len(), exported.rows);
    let cells = Store::read_only(root.path()).unwrap().cells().clone();
    let mut rows = table.rows.iter();
    for cell in &cells.rows {
        let text = fs::read_to_string(root.path().join(format!("trials/{}.jsonl", cell[0]))).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &lines[..lines.len() - 1] {
            let row = rows.next().unwrap();
            assert_eq!(row[..3], cell[..]);
            let fields = [&line["step"], &line["eta"], &line["loss"], &line["train"]["loss"]];
            let text =
                |value: &serde_json::Value| if value.is_null() { "".into() } else { value.to_string() };
            assert_eq!(row[3..7], fields.map(text));
        }
    }
    assert_eq!(rows.next(), None);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_has_the_same_table() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;
    let root = six();
    let exported = export(root.path(), Format::Parquet, None, false).unwrap();
    let csv = export(root.path(), Format::Csv, None, false).unwrap().path;
    let table = Table::parse(&fs::read_to_string(csv).unwrap()).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(exported.path).unwrap()).unwrap();
    let mut rows = 0;
    for (row, expected) in reader.get_row_iter(None).unwrap().zip(&table.rows) {
        for ((name, field), (column, text)) in
            row.unwrap().get_column_iter().zip(table.columns.iter().zip(expected))
        {
            assert_eq!(name, column);
            match field {
                Field::Str(value) => assert_eq!(value, text),
                Field::Long(value) => assert_eq!(&value.to_string(), text),
                Field::Double(value) => assert_eq!(*value, text.parse::<f64>().unwrap()),
                Field::Null => assert_eq!(text, ""),
                other => panic!("{name} has {other}"),
            }
        }
        rows += 1;
    }
    assert_eq!((rows, rows), (exported.rows, table.rows.len()));
}

#[test]
fn what_is_there_is_replaced_by_force_alone() {
    let root = six();
    let target = root.path().join("a/b.csv");
    let write = |force| export(root.path(), Format::Csv, Some(&target), force);
    write(false).unwrap();
    fs::write(&target, "mine").unwrap();
    let error = write(false).unwrap_err().to_string();
    assert!(error.contains("--force"), "{error}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    write(true).unwrap();
    assert!(fs::read_to_string(&target).unwrap().starts_with("trial,"));
    let folder = |force| export(root.path(), Format::Tensorboard, None, force);
    let path = folder(false).unwrap().path;
    fs::write(path.join("mine"), "").unwrap();
    assert!(matches!(folder(false), Err(ExportError::Exists(_))));
    folder(true).unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 6);
    let left = fs::read_dir(root.path()).unwrap().flatten();
    assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with('.')));
}

#[test]
fn folders_without_trajectories_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let error = |root: &Path| export(root, Format::Csv, None, false).unwrap_err();
    assert!(matches!(error(empty.path()), ExportError::NoTrials(_)));
    let root = six();
    let trials: Vec<_> = fs::read_dir(root.path().join("trials")).unwrap().flatten().collect();
    // What is cut short is not finished; what cannot be read is named.
    let text = fs::read_to_string(trials[0].path()).unwrap();
    fs::write(trials[0].path(), &text[..text.len() / 2]).unwrap();
    let exported = export(root.path(), Format::Csv, None, false).unwrap();
    assert_eq!((exported.trials, exported.unfinished), (5, 1));
    fs::write(trials[0].path(), text.replacen('{', "[", 1)).unwrap();
    fs::remove_file(exported.path).unwrap();
    assert!(error(root.path()).to_string().contains(".jsonl: line 1: "));
    fs::write(trials[0].path(), text.replacen("\"step\":0", "\"lambda\":0", 1)).unwrap();
    assert!(error(root.path()).to_string().contains(".jsonl: line 1: missing field `step`"));
    let searches = swept("job = \"find\"\nsearch.seeds = [1]");
    assert!(matches!(error(searches.path()), ExportError::NoTrajectory(_)));
}
