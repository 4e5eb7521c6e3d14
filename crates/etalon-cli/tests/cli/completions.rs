use crate::Etalon;

#[test]
fn every_shell_gets_a_script_that_knows_the_verbs() {
    let etalon = Etalon::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = etalon.run(&["completions", shell]).printed();
        // Of fish's scripts the generator leaves free words out.
        let words = if shell == "fish" { &[][..] } else { &["network.width=", "A-T1"] };
        for known in [&["no-progress", "completions"], words].concat() {
            assert!(script.contains(known), "{shell} does not know {known}: {script}");
        }
    }
}

#[test]
fn a_script_goes_into_a_folder_under_the_name_that_its_shell_wants() {
    let etalon = Etalon::new();
    let script = etalon.run(&["completions", "zsh", "--out", "shell"]).printed();
    assert_eq!(etalon.read("shell/_etalon"), script);
}
