//! The page of claims.

use crate::{Etalon, json};
use serde_json::json;

/// The record of a claim.
pub(super) fn claim(id: &str, statement: &str, verdict: &str) -> serde_json::Value {
    let measured = json!({
        "name": "c", "what": "the final c", "unit": "", "value": 3, "low": 2.5, "high": 3.5, "count": 4, "interval": null
    });
    json!({
        "kind": "claim", "schema": 3, "id": id, "paper": "a paper", "place": "section 2", "statement": statement,
        "certainty": "found in the text", "size": "quick", "setting": "a network", "spec": null, "seed": 0,
        "command": "etalon reproduce", "program": "0", "measured": [measured],
        "rule": { "words": "at most 2", "conditions": [{ "quantity": "c", "at_least": null, "at_most": 2, "source": null }] },
        "verdict": verdict, "reason": "c is 3", "seconds": 1.25, "cpu_seconds": 2.5,
    })
}

#[test]
fn claims_have_their_verdicts_on_top() {
    let etalon = Etalon::new();
    for (id, statement, verdict) in
        [("A-1", "x < y & \"z\"", "holds"), ("A-2", "s", "refuted"), ("A-3", "t", "not decided")]
    {
        etalon.write(&format!("run/{id}/claim.json"), &claim(id, statement, verdict).to_string());
    }
    let written = json(&etalon.run(&["report", "run", "--json"]).printed());
    assert_eq!(written["answer"], "1 of 3 claims hold");
    let page = etalon.read("run/report.html");
    assert!(
        page.contains("1 holds, 1 is refuted, 0 are underpowered, 1 is not decided")
            && page.contains("x &lt; y &amp; &quot;z&quot;")
    );
    // With what was measured on the way.
    etalon.write("kept/A-1/claim.json", &claim("A-1", "s", "refuted").to_string());
    etalon.write("kept/A-1/final_c.csv", "width,seed,c,final_c\n8,0,1,0.9\n8,0,2,\n16,0,1,0.8\n");
    etalon.write("kept/A-2/claim.json", "{\"id\":");
    let outcome = etalon.run(&["report", "kept"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("0 of 1 claims hold\n"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("A-2/claim.json: EOF"), "{}", outcome.stderr);
    let page = etalon.read("kept/report.html");
    // Its verdict as a heading with an anchor, to which the table leads, and one captioned figure below.
    for expected in [
        "<section class=\"part\" id=\"A-1\"><h2><a href=\"#A-1\">A-1 refuted</a></h2>",
        "data-column=\"claim\"><a href=\"#A-1\">A-1</a>",
        "<dt>the final c</dt><dd>3.000 (2.500 to 3.500, of 4); must be at most 2",
        "<dt>reason</dt><dd>c is 3</dd>",
        "What was measured against c, a colour for each width.",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(page.find("id=\"A-1\"").unwrap() < page.find("id=\"figure-A-1-final_c\"").unwrap());
    let numbers = etalon.read("kept/figures/A-1-final_c.csv");
    assert!(numbers.contains("\nfinal c,point,width 16,1,0.8,"), "{numbers}");
}

#[test]
fn a_record_of_another_kind_among_claims_is_named_and_left_out() {
    let etalon = Etalon::new();
    etalon.write("kept/A-1/claim.json", &claim("A-1", "s", "holds").to_string());
    etalon.run(&["schedule", "show", "--lr", "0.1", "--steps", "3", "--out", "rates"]).printed();
    etalon.write("kept/A-2/claim.json", &etalon.read("rates/schedule.json"));
    let outcome = etalon.run(&["report", "kept"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("1 of 1 claims hold\n"), "{}", outcome.stdout);
    let expected = "A-2/claim.json: it is the record of schedule, not of a claim";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert!(etalon.read("kept/report.html").contains(expected));
}
