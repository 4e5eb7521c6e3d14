//! `etalon reproduce`.

use crate::{Etalon, json};
use serde_json::Value;

/// What a claim's numbers and rule come to, worked out anew.
fn verdict_of(claim: &Value) -> &'static str {
    let (mut open, mut weak) = (false, false);
    for condition in claim["rule"]["conditions"].as_array().unwrap() {
        let measured = claim["measured"].as_array().unwrap();
        let found = measured.iter().find(|measured| measured["name"] == condition["quantity"]).unwrap();
        let Some(value) = found["value"].as_f64() else {
            open = true;
            continue;
        };
        let end = |name: &str, none: f64| match &found["interval"] {
            Value::Null => value,
            interval => interval[name].as_f64().unwrap_or(none),
        };
        let (low, high) = (end("low", f64::NEG_INFINITY), end("high", f64::INFINITY));
        let least = condition["at_least"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let most = condition["at_most"].as_f64().unwrap_or(f64::INFINITY);
        if high < least || low > most {
            return "refuted";
        }
        weak |= low < least || high > most;
    }
    match (open, weak) {
        (true, _) => "not decided",
        (false, true) => "underpowered",
        (false, false) => "holds",
    }
}

#[test]
#[ignore = "takes minutes; ./check runs it"]
fn every_claim_is_judged_at_quick_size_by_its_own_rule() {
    let etalon = Etalon::new();
    let outcome = etalon.run(&["reproduce", "--all", "--size", "quick", "--json", "--out", "run"]);
    let report = json(&outcome.stdout);
    let claims = report["claims"].as_array().unwrap();
    let listed = json(&etalon.run(&["reproduce", "list", "--json"]).printed());
    assert_eq!(claims.len(), listed["claims"].as_array().unwrap().len());
    for claim in claims {
        let id = claim["id"].as_str().unwrap();
        println!("{id}: {} in {} s, {}", claim["verdict"], claim["seconds"], claim["reason"]);
        assert_eq!(claim["verdict"], verdict_of(claim), "{id}");
        for key in ["statement", "size", "measured", "rule", "seconds", "command", "certainty", "setting"] {
            assert!(!claim[key].is_null(), "{id} has no {key}");
        }
        // An error would leave a claim open.
        assert_ne!(claim["verdict"], "not decided", "{id}: {}", claim["reason"]);
        // The file says besides what it is.
        let mut kept = json(&etalon.read(&format!("run/{id}/claim.json")));
        let told = kept.as_object_mut().unwrap();
        assert_eq!(told.remove("kind"), Some("claim".into()), "{id}");
        assert!(told.remove("schema").is_some_and(|schema| schema.is_u64()), "{id}");
        assert_eq!(&kept, claim);
    }
    let fails = claims.iter().any(|claim| claim["verdict"] == "refuted");
    assert_eq!(outcome.code, Some(i32::from(fails)), "{}", outcome.stderr);
    let expected = [
        "A-1", "A-2", "A-3", "A-T4", "B-1", "B-2", "B-3", "B-6", "D-1", "D-4", "D-5", "D-7", "D-8", "F-1",
        "G-1",
    ];
    for id in expected {
        let claim = claims.iter().find(|claim| claim["id"] == id).unwrap();
        assert_eq!(claim["verdict"], "holds", "{id}: {}", claim["reason"]);
    }
    // Curves and the spec lie beside.
    assert!(etalon.read("run/A-2/runs.csv").starts_with("width,seed,c,final_c,peak_loss,peak_step\n"));
    assert!(etalon.read("run/A-4/spec.toml").contains("width = 256"));
    assert!(etalon.read("run/C-1/spec.toml").contains("[grid]"));
    // The page of what was kept names each.
    let page = etalon.run(&["reproduce", "--from", "run", "--markdown"]);
    assert_eq!(page.code, Some(i32::from(fails)), "{}", page.stderr);
    assert!(
        claims
            .iter()
            .all(|claim| page.stdout.contains(&format!("\n### {}\n", claim["id"].as_str().unwrap())))
    );
}

#[test]
fn a_claim_is_told_with_its_numbers_and_the_rule() {
    let etalon = Etalon::new();
    let text = etalon.run(&["reproduce", "a-2", "--seed", "7"]).printed();
    assert!(text.starts_with("A-2  holds  (quick, "), "{text}");
    // Wherever its lines were broken.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in ["says In the two-layer", "must be at most 2", "verified by derivation"] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    let table = etalon.run(&["reproduce", "A-1", "A-3"]).printed();
    assert!(
        table.ends_with("2 claims: 2 hold, 0 are refuted, 0 are underpowered, 0 are not decided\n"),
        "{table}"
    );
    let same = json(&etalon.run(&["reproduce", "A-2", "--seed", "7", "--json", "--threads", "1"]).printed());
    let other = json(&etalon.run(&["reproduce", "A-2", "--seed", "8", "--json"]).printed());
    assert!(text.contains("; the boundary by bisection") && same["claims"][0]["seed"] == 7);
    assert_ne!(same["claims"][0]["measured"], other["claims"][0]["measured"], "seeds differ");
}

#[test]
fn what_would_run_is_shown_without_running() {
    let etalon = Etalon::new();
    let text = etalon.run(&["reproduce", "A-5", "--size", "paper", "--show"]).printed();
    assert!(text.contains("depth = 28\nwiden = 10") && text.contains("(about 46 days)"), "{text}");
    let list = etalon.run(&["reproduce", "list"]).printed();
    assert!(list.lines().count() > 30 && list.contains("A-4") && !list.contains(" ..."), "{list}");
}

#[test]
fn what_is_no_claim_is_refused() {
    let etalon = Etalon::new();
    let complaint = |arguments: &[&str]| etalon.run(&[&["reproduce"], arguments].concat()).complaint();
    assert!(complaint(&["A-44"]).contains("did you mean `A-4`?"));
    assert!(complaint(&[]).contains("which claims?"));
    assert!(complaint(&["--all", "A-1"]).contains("--all is every claim"));
    assert!(complaint(&["list", "A-1"]).contains("`list` stands alone"));
    assert!(complaint(&["--from", "nowhere"]).contains("cannot read nowhere/meta.json"));
    etalon.run(&["reproduce", "A-1", "--out", "run"]).printed();
    assert!(complaint(&["--from", "run", "A-2"]).contains("run holds none of these claims"));
    // A folder without its facts is still one with judgements.
    etalon.write("run/meta.json", "{\"machine\": 3}");
    let page = etalon.run(&["reproduce", "--from", "run", "--markdown"]).printed();
    assert!(page.contains("Etalon unknown") && page.contains("[A-1](#a-1)"), "{page}");
    etalon.write("run/A-1/claim.json", "{}");
    assert!(complaint(&["--from", "run"]).contains("is no judgement of this version"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly_and_keeps_what_was_judged() {
    use std::process::Stdio;
    use std::thread::sleep;
    use std::time::{Duration, Instant};
    let etalon = Etalon::new();
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(["reproduce", "A-1", "C-1", "--out", "run"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !etalon.path().join("run/A-1/claim.json").exists() {
        assert!(began.elapsed() < Duration::from_secs(50), "A-1 takes no time");
        sleep(Duration::from_millis(5));
    }
    // By now the signal is listened to, and C-1 is under way.
    let id = child.id().to_string();
    assert!(etalon.plain_command("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("stopped with 1 of 2 claims left"), "{complaint}");
    assert!(!etalon.path().join("run/C-1").exists());
}
