use crate::{Etalon, json};

#[test]
fn what_it_prints_is_read_back_to_the_same() {
    let etalon = Etalon::new();
    let arguments = ["spec", "network.width=64", "loss=mse", "train.epochs=2.5", "--seed", "7"];
    let printed = etalon.run(&arguments).printed();
    assert!(printed.contains("width = 64\n") && printed.contains("seed = 7\n"), "{printed}");
    etalon.write("again.toml", &printed);
    assert_eq!(etalon.run(&["spec", "again.toml"]).printed(), printed);
}

#[test]
fn overrides_win_over_the_file_and_the_seed_flag_over_both() {
    let etalon = Etalon::new();
    etalon.write("job.toml", "seed = 1\n[network]\nwidth = 32\ndepth = 3\n");
    let spec = json(&etalon.run(&["spec", "job.toml", "network.width=48", "seed=2", "--json"]).printed());
    assert_eq!((&spec["network"]["width"], &spec["network"]["depth"]), (&48.into(), &3.into()));
    assert_eq!(spec["seed"], 2);
    let spec = json(&etalon.run(&["--seed", "3", "--json", "spec", "job.toml", "seed=2"]).printed());
    assert_eq!(spec["seed"], 3);
}

#[test]
fn json_has_the_keys_in_the_order_of_the_file() {
    let etalon = Etalon::new();
    let printed = etalon.run(&["spec", "--json"]).printed();
    let names = printed.lines().filter_map(|line| line.trim().split_once("\":").map(|(name, _)| &name[1..]));
    let file = etalon.run(&["spec"]).printed();
    let name_of = |line: &str| {
        let section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        // A section of a section has its own name in JSON, inside of the other.
        let section = section.and_then(|section| section.rsplit('.').next());
        section.or_else(|| line.split_once(" = ").map(|(name, _)| name)).map(String::from)
    };
    assert_eq!(names.collect::<Vec<_>>(), file.lines().filter_map(name_of).collect::<Vec<_>>());
}

#[test]
fn an_unknown_key_in_a_file_shows_the_line_and_the_nearest_key() {
    let etalon = Etalon::new();
    etalon.write("job.toml", "seed = 1\n\n[network]\nwidht = 32\n");
    let complaint = etalon.run(&["spec", "job.toml"]).complaint();
    let expected = "\
error: unknown key `network.widht`
 --> job.toml:4:1
  |
4 | widht = 32
  | ^^^^^
help: did you mean `network.width`?
";
    assert_eq!(complaint, expected);
}

#[test]
fn an_unknown_key_in_an_override_shows_the_nearest_key() {
    let complaint = Etalon::new().run(&["spec", "optimizer.etta=1"]).complaint();
    assert!(complaint.contains("`optimizer.etta=1`") && complaint.contains("`optimizer.eta`"), "{complaint}");
}

#[test]
fn a_spec_that_is_not_there_is_named() {
    let complaint = Etalon::new().run(&["spec", "no-such.toml"]).complaint();
    assert!(complaint.contains("no-such.toml") && complaint.contains("help: "), "{complaint}");
}

#[test]
fn a_key_written_otherwise_is_told_its_form() {
    let etalon = Etalon::new();
    for (arguments, expected) in [
        (["train", "optimizer.eta", "0.3"], "one word, without spaces: optimizer.eta=VALUE"),
        (["train", "--lr", "0.3"], "a setting is a key with its value, without dashes: optimizer.eta=VALUE"),
        (["find", "--weight-decay", "0.1"], "without dashes: optimizer.weight_decay=VALUE"),
    ] {
        let complaint = etalon.run(&arguments).complaint();
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn keys_have_defaults_and_meanings() {
    let etalon = Etalon::new();
    let table = etalon.run(&["spec", "--keys"]).printed();
    let width = table.lines().find(|line| line.starts_with("network.width ")).unwrap();
    assert!(width.contains(" 256 ") && width.contains("width of every hidden layer"), "{width}");
    let keys = json(&etalon.run(&["spec", "--keys", "--json"]).printed());
    let keys = keys.as_array().unwrap();
    assert_eq!(keys.len() + 1, table.lines().count());
    let of = |name: &str| keys.iter().find(|key| key["key"] == name).unwrap();
    assert_eq!(of("network.width")["default"], 256);
    assert_eq!(of("loss")["default"], "cross_entropy");
    assert!(of("data.margin")["default"].is_null());
}

#[test]
fn a_program_in_the_place_of_a_spec_is_told_how_to_search_on_it() {
    let etalon = Etalon::new();
    etalon.write("train.py", "import torch\n");
    // One of assignments alone would be TOML.
    for program in ["import torch\n", "eta = 0.1\n"] {
        etalon.write("train.py", program);
        let text = etalon.run(&["find", "train.py"]).complaint();
        let wanted = "etalon find --trainer 'python train.py --lr {eta} --seed {seed} --log {log}'";
        assert!(text.contains("train.py is a program") && text.contains(wanted), "{text}");
    }
    let text = etalon.run(&["train", "netwrk.width=3", "network.dept=2"]).complaint();
    assert!(text.contains("`network.width`?") && text.contains("`network.depth`?"), "{text}");
}
