use crate::Etalon;
use std::process::Stdio;

#[test]
fn a_reader_who_leaves_is_no_error() {
    let etalon = Etalon::new();
    for arguments in
        [["spec", "--keys"].as_slice(), &["--help"], &["completions", "bash"], &["theory", "map"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
        let output = command.args(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn head_gets_its_line() {
    let line = format!("'{}' spec --keys | head -n 1", env!("CARGO_BIN_EXE_etalon"));
    let output = Etalon::new().plain_command("sh").args(["-c", &line]).output().unwrap();
    assert!(output.stdout.starts_with(b"key ") && output.stderr.is_empty(), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let etalon = Etalon::new();
    for arguments in [["spec"].as_slice(), &["--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
        let output = command.args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.starts_with("error: cannot write to stdout: No space left"), "{complaint}");
    }
}
