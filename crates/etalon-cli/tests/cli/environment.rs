use crate::{Etalon, Outcome};

#[test]
fn kernels_that_do_not_exist_are_refused() {
    let complaint = Outcome::of(Etalon::new().command().arg("spec").env("ETALON_CPU", "foo")).complaint();
    assert!(complaint.contains("ETALON_CPU is `foo`; it takes portable"), "{complaint}");
}

#[test]
fn threads_are_at_least_one() {
    let complaint = Etalon::new().run(&["spec", "--threads", "0"]).complaint();
    assert!(complaint.contains("--threads") && complaint.contains("0 is not in 1.."), "{complaint}");
}

/// `script` (of bsdutils) gives a program a terminal and passes on what appears there.
#[cfg(target_os = "linux")]
#[test]
fn errors_are_red_on_a_terminal_only_and_not_with_no_color() {
    let etalon = Etalon::new();
    let on_terminal = |settings: &str| {
        let line = format!("{settings} '{}' spec no=1", env!("CARGO_BIN_EXE_etalon"));
        let output = etalon.plain_command("script").args(["-qec", &line, "/dev/null"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(on_terminal("").starts_with("\u{1b}[1;31merror:\u{1b}[0m unknown key `no`"));
    for settings in ["NO_COLOR=1", "TERM=dumb"] {
        let shown = on_terminal(settings);
        assert!(shown.starts_with("error: unknown key `no`") && !shown.contains('\u{1b}'), "{shown:?}");
    }
    for arguments in [["spec", "no=1"].as_slice(), &["spec", "--no"], &["data", "check"]] {
        let Outcome { stdout, stderr, .. } = etalon.run(arguments);
        assert!(!(stdout + &stderr).contains('\u{1b}'), "escape codes without a terminal");
    }
}
