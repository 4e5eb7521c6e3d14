use super::*;
use crate::watch::runs;
use std::io::Write;

fn points(name: &str, content: &[u8], columns: Columns) -> Result<Vec<Point>, WatchError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut found = Vec::new();
    Log::open(&path, columns)?.read(true, |point| found.push(point))?;
    Ok(found)
}

fn point(step: u64, loss: f64, rate: f64) -> Point {
    Point { step, loss, rate: Some(rate), curvature: None, norm: None }
}

/// An event file as TensorBoard writes it: one scalar a record.
fn event_file(scalars: &[(u64, &str, f32)]) -> Vec<u8> {
    let mut file = Vec::new();
    for &(step, tag, number) in scalars {
        let mut value = vec![0x0a, tag.len() as u8];
        value.extend(tag.as_bytes());
        value.push(0x15);
        value.extend(number.to_le_bytes());
        let mut event = vec![0x10, step as u8, 0x2a, value.len() as u8 + 2, 0x0a, value.len() as u8];
        event.extend(&value);
        let length = (event.len() as u64).to_le_bytes();
        for part in [&length[..], &event] {
            file.extend(part);
            file.extend(super::super::events::masked(part).to_le_bytes());
        }
    }
    file
}

#[test]
fn the_three_formats_say_the_same() {
    let expected = [point(0, 2.0, 0.5), point(1, 1.0, 0.25)];
    let jsonl = b"{\"step\":0,\"loss\":2.0,\"lr\":0.5}\n{\"step\":0,\"val_loss\":9}\n{\"step\":1,\"loss\":1,\"lr\":\"0.25\"}";
    assert_eq!(points("a.jsonl", jsonl, Columns::default()).unwrap(), expected);
    let csv = b"loss,step,val_loss,lr\n2.0,0,,0.5\n,0,9,\n1,1,,0.25\n";
    assert_eq!(points("a.csv", csv, Columns::default()).unwrap(), expected);
    let scalars = [
        (0, "train/loss", 2.0),
        (0, "lr", 0.5),
        (0, "val/loss", 9.0),
        (1, "lr", 0.25),
        (1, "train/loss", 1.0),
    ];
    let events = event_file(&scalars);
    assert_eq!(points("events.out.tfevents.1", &events, Columns::default()).unwrap(), expected);
    assert_eq!(points("renamed", &events, Columns::default()).unwrap(), expected);
    // The tail of a file that is being written is not there yet.
    assert_eq!(points("renamed", &events[..events.len() - 3], Columns::default()).unwrap().len(), 1);
}

#[test]
fn what_a_program_prints_is_json_csv_or_plain_text_among_other_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stdout");
    let printed = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        Log::open_printed(&path, Columns::default())?
            .read(true, |point| found.push((point.step, point.loss)))?;
        Ok::<_, WatchError>(found)
    };
    let expected = [(0, 2.0), (5, 1.0)];
    for text in [
        "loading\n{\"step\":0,\"loss\":2}\nloss is 7, loss: 7\n{\"step\":5,\"loss\":1}\nfinal loss 1\n",
        "10 samples on cpu\nstep,loss\n0,2\n5,1\nfinal loss 1\n",
        "using cuda:0\nstep 0 loss: 2.0 lr 0.1\ntest loss 9\n{'step': 5, 'loss': 1.0}\nbye",
    ] {
        assert_eq!(printed(text).unwrap(), expected, "{text}");
    }
    let text = printed("epoch 1 nll 3\n").unwrap_err().to_string();
    assert!(text.contains("no column for the loss: it has epoch, nll"), "{text}");
    let text = printed("loading\n").unwrap_err().to_string();
    assert!(text.contains("no number stands behind a name"), "{text}");
}

#[test]
fn a_constant_rate_is_that_of_all_rows_and_of_the_state_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, "{\"loss\":2}\n{\"loss\":1,\"lr\":3}\n{\"hessian\":5}\n").unwrap();
    let columns = Columns { constant_rate: Some(0.5), ..Columns::default() };
    let (mut log, mut rates) = (Log::open(&path, columns).unwrap(), Vec::new());
    log.read(true, |point| rates.push(point.rate)).unwrap();
    assert_eq!((rates, log.after()), (vec![Some(0.5), Some(3.0)], Some((0.5, 5.0))));
}

#[test]
fn what_is_missing_is_named() {
    let text = |found: Result<Vec<Point>, WatchError>| found.unwrap_err().to_string();
    let refused = text(points("a.csv", b"step,accuracy\n1,2\n", Columns::default()));
    assert!(
        refused.contains("no column for the loss: it has accuracy, step; name one with --loss NAME"),
        "{refused}"
    );
    let refused = text(points("a.jsonl", b"{\"step\":1,\"acc\":2}\n", Columns::default()));
    assert!(refused.contains("it has acc, step"), "{refused}");
    let rate = Columns { rate: Some("eta".into()), ..Columns::default() };
    assert!(
        text(points("a.csv", b"step,loss\n1,2\n", rate))
            .contains("no column `eta` for the rate: it has loss, step")
    );
    assert!(text(points("a", b"", Columns::default())).contains("it is empty"));
    assert!(
        text(points("a", b"it went well\n", Columns::default())).contains("no number stands behind a name")
    );
    assert!(
        text(points("a", b"epoch 3 accuracy 0.5\n", Columns::default())).contains("it has accuracy, epoch")
    );
    assert!(text(points("a.json", b"{\n\"a\": [1]}", Columns::default())).contains("no number stands"));
    assert!(text(points("a", b"\xff\xfe\x00\n", Columns::default())).contains("no text"));
    assert!(text(points("a", b"<!DOCTYPE html>\nloss: 3\n", Columns::default())).contains("a page of HTML"));
    assert!(text(points("a", b"{\"loss\"\n", Columns::default())).contains("no log that can be read"));
    let folder = tempfile::tempdir().unwrap();
    let refused = Log::open(folder.path(), Columns::default()).unwrap_err().to_string();
    assert!(refused.contains("without TensorBoard event files"), "{refused}");
    assert!(Log::open(&folder.path().join("none"), Columns::default()).is_err());
}

#[test]
fn broken_rows_are_counted_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, "{\"loss\":1}\nnot json\n{\"loss\":\"much\"}\n{\"loss\":NaN}\n{\"lo").unwrap();
    let mut log = Log::open(&path, Columns::default()).unwrap();
    let mut found = Vec::new();
    log.read(false, |point| found.push(point)).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[1].loss.is_nan() && found[1].step == 1);
    assert_eq!(log.skipped().0, 1);
    // The half line becomes whole.
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"ss\":3}\n").unwrap();
    log.read(true, |point| found.push(point)).unwrap();
    assert_eq!(found[2].loss, 3.0);
}

const RATE: Option<f64> = Some(0.5);

#[test]
fn a_state_of_transformers_is_read_without_its_summary() {
    let rows = r#"{"epoch": 0.5, "learning_rate": 0.5, "loss": 2.0, "step": 10},
        {"epoch": 0.5, "eval_loss": 9.0, "step": 10},
        {"epoch": 1.0, "learning_rate": 0.5, "loss": NaN, "step": 20},
        {"epoch": 1.0, "step": 20, "train_loss": 3.0, "train_runtime": 1.5}"#;
    let pretty =
        format!("{{\n  \"best_metric\": null,\n  \"log_history\": [{rows}],\n  \"max_steps\": 20\n}}\n");
    let line = format!("{{\"best_metric\": null, \"log_history\": [{}]}}", rows.replace('\n', ""));
    for document in [pretty, line, format!("[\n{rows}\n]")] {
        let found = points("trainer_state.json", document.as_bytes(), Columns::default()).unwrap();
        assert_eq!(
            found[0],
            Point { step: 10, loss: 2.0, rate: RATE, curvature: None, norm: None },
            "{document}"
        );
        assert_eq!((found.len(), found[1].step, found[1].loss.is_nan()), (2, 20, true), "{document}");
    }
}

#[test]
fn plain_text_may_begin_with_anything_and_end_its_lines_as_bars_do() {
    let text = "Namespace(lr=0.5, width=3)\nloading, please wait\nEpoch 1\n 0/9 [ loss=2.0, lr=0.5]\r 1/9 [ loss=1.0, lr=0.5]\r\nval loss 7";
    let found = points("a.txt", text.as_bytes(), Columns::default()).unwrap();
    assert_eq!(found, [point(9, 2.0, 0.5), point(10, 1.0, 0.5)]);
    // Where steps are parts of epochs, rows are counted.
    let text = "{'loss': 2.0, 'learning_rate': 0.5, 'epoch': 0.5}\n{'loss': 1.0, 'learning_rate': 0.5, 'epoch': 1.0}\n";
    let found = points("stdout", text.as_bytes(), Columns::default()).unwrap();
    assert_eq!(found, [point(0, 2.0, 0.5), point(1, 1.0, 0.5)]);
    assert_eq!(points("stdout", b"loss 3", Columns::default()).unwrap()[0].loss, 3.0);
}

#[test]
fn of_several_runs_one_is_chosen() {
    let of = |run: &str| Columns { run: Some(run.into()), ..Columns::default() };
    let export = b"\"Step\",\"a - train/loss\",\"a - train/loss__MIN\",\"a - train/loss__MAX\",\"b - train/loss\"\n0,2.0,1,9,5\n1,,,,4\n2,1.0,1,1,\n";
    let losses = |columns| {
        let found = points("wandb.csv", export, columns)?;
        Ok::<_, WatchError>(found.into_iter().map(|point| (point.step, point.loss)).collect::<Vec<_>>())
    };
    assert_eq!(losses(of("a")).unwrap(), [(0, 2.0), (2, 1.0)]);
    assert_eq!(losses(of("b")).unwrap(), [(0, 5.0), (1, 4.0)]);
    let refused = losses(Columns::default()).unwrap_err().to_string();
    assert!(refused.contains("has several runs: a, b; choose one with --run NAME"), "{refused}");
    assert!(losses(of("c")).unwrap_err().to_string().contains("has no run c: it has a, b"));
    assert!(
        points("a.csv", b"step,loss\n", of("c")).unwrap_err().to_string().contains("it has a single one")
    );

    let root = tempfile::tempdir().unwrap();
    let write = |folder: &str, loss| {
        let folder = root.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("events.out.tfevents.1"), event_file(&[(0, "loss", loss)])).unwrap();
    };
    let first = |columns| {
        let mut found = None;
        Log::open(root.path(), columns)?.read(true, |point| found = Some(point.loss))?;
        Ok::<_, WatchError>(found.unwrap())
    };
    write("lightning_logs/version_0", 1.0);
    assert_eq!((first(Columns::default()).unwrap(), runs(root.path(), &of("x")).unwrap().len()), (1.0, 1));
    write("lightning_logs/version_1", 2.0);
    assert!(
        first(Columns::default()).unwrap_err().to_string().contains("version_0, lightning_logs/version_1")
    );
    assert_eq!(first(of("lightning_logs/version_1")).unwrap(), 2.0);
    write("", 3.0);
    assert_eq!(runs(root.path(), &Columns::default()).unwrap()[0], ".");
    assert_eq!((first(Columns::default()).unwrap(), first(of(".")).unwrap()), (3.0, 3.0));
    assert!(first(of("..")).unwrap_err().to_string().contains("has no run .."));
}
