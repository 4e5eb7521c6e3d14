use super::*;
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
    Point { step, loss, rate: Some(rate), curvature: None }
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
            .contains("no column for the rate: it has loss, step")
    );
    assert!(text(points("a", b"", Columns::default())).contains("it is empty"));
    assert!(text(points("a", b"\xff\xfe\x00\n", Columns::default())).contains("no text"));
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
