use crate::Etalon;

#[test]
fn help_lists_the_verbs_and_the_exit_codes() {
    let help = Etalon::new().run(&["--help"]).printed();
    for expected in
        ["  spec ", "  data ", "  theory ", "  completions ", "Exit codes:", "--threads <N>", "ETALON_DATA"]
    {
        assert!(help.contains(expected), "{expected} is missing in:\n{help}");
    }
}

#[test]
fn every_verb_takes_the_common_flags() {
    let etalon = Etalon::new();
    for verb in
        [["spec"].as_slice(), &["data", "list"], &["data", "fetch"], &["theory", "map"], &["completions"]]
    {
        let help = etalon.run(&[verb, &["--help"]].concat()).printed();
        for flag in ["--json", "--seed", "--threads", "--out", "--quiet", "--no-progress"] {
            assert!(help.contains(flag), "{flag} is missing in:\n{help}");
        }
    }
}

#[test]
fn an_unknown_verb_suggests_the_nearest() {
    let complaint = Etalon::new().run(&["sepc"]).complaint();
    assert!(complaint.contains("'sepc'") && complaint.contains("'spec'"), "{complaint}");
}

#[test]
fn without_a_verb_it_shows_help_and_fails() {
    let outcome = Etalon::new().run(&[]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.contains("Commands:"), "{}", outcome.stderr);
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = Etalon::new().run(&["--version"]).printed();
    assert!(version.starts_with(concat!("etalon ", env!("CARGO_PKG_VERSION"))), "{version}");
}
