//! Results that are read back.

use crate::Etalon;

const TINY: [&str; 8] = [
    "network.width=8",
    "network.depth=1",
    "data.train=60",
    "data.test=30",
    "measure.samples=30",
    "train.batch=32",
    "train.steps=20",
    "search.seeds=1",
];

fn edited(etalon: &Etalon, file: &str, from: &str, to: &str) {
    let text = etalon.read(file);
    assert!(text.contains(from), "{text}");
    etalon.write(file, &text.replace(from, to));
}

#[test]
fn a_result_whose_keys_have_drifted_is_refused_with_its_schema() {
    let etalon = Etalon::new();
    etalon.run(&[&["find", "-q", "--out", "found"], &TINY[..]].concat());
    let written = etalon.read("found/find.json");
    assert!(written.starts_with("{\n  \"kind\": \"find\",\n  \"schema\": 2,\n"), "{written}");
    assert_eq!(etalon.run(&["report", "found", "-q"]).code, Some(0));
    for (from, to, reason) in [
        ("\"eta_star\":", "\"etastar\":", "unknown field `etastar`"),
        ("\"recommended\":", "\"recommendation\":", "unknown field `recommendation`"),
        (
            "\"schema\": 2",
            "\"schema\": 1",
            "it has schema 1 of `find`; this version of Etalon reads schema 2",
        ),
        ("\"kind\": \"find\"", "\"kind\": \"search\"", "it is of kind `search`"),
        ("  \"kind\": \"find\",\n", "", "it names no kind of record"),
    ] {
        edited(&etalon, "found/find.json", from, to);
        let complaint = etalon.run(&["report", "found"]).complaint();
        assert!(complaint.contains(reason) && complaint.contains("find.json"), "{complaint}");
        etalon.write("found/find.json", &written);
    }
}

#[test]
fn a_drifted_claim_is_refused_too() {
    let etalon = Etalon::new();
    etalon.run(&["reproduce", "A-3", "--size", "quick", "--out", "claims"]).printed();
    assert_eq!(etalon.run(&["report", "claims", "-q"]).code, Some(0));
    edited(&etalon, "claims/A-3/claim.json", "\"verdict\":", "\"judgement\":");
    for verb in [&["report", "claims"][..], &["reproduce", "--from", "claims"]] {
        let complaint = etalon.run(verb).complaint();
        assert!(complaint.contains("schema 3 of `claim`"), "{complaint}");
    }
}
