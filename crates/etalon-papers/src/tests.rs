use super::*;
use etalon::claims::{Judgement, Size, Verdict, verdict};
use etalon::spec::Spec;
use etalon::sweep::Grid;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

/// Whether a text is a spec or a grid, and begins with a seed.
fn assert_resolves(id: &str, spec: &str, seed: u64) {
    if spec.contains("[grid]") {
        let grid = Grid::parse(spec).unwrap_or_else(|error| panic!("{id}: {error}"));
        let seeds: Vec<u64> = grid.cells().iter().map(|cell| grid.spec(cell).unwrap().seed).collect();
        assert_eq!(seeds.into_iter().min(), Some(seed), "{id}");
    } else {
        let spec = Spec::parse(spec).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(spec.seed, seed, "{id}");
    }
}

#[test]
fn the_catalogue_is_consistent() {
    let mut ids = HashSet::new();
    for claim in catalogue() {
        assert!(ids.insert(&claim.id), "{} is there twice", claim.id);
        assert!(claim.id.starts_with(&claim.paper.letter) && claim.id.contains('-'), "{}", claim.id);
        assert!(claim.statement.ends_with('.') && !claim.place.is_empty(), "{}", claim.id);
        assert!(!claim.rule().conditions.is_empty(), "{} has no rule", claim.id);
        let mut before = 0.0;
        for size in Size::ALL {
            let Setting { words, spec, seconds, .. } = claim.setting(size, 3);
            assert!(!words.is_empty() && !words.ends_with('.') && !words.contains('$'), "{words}");
            assert!(seconds >= before, "{}: {} takes less than a smaller size", claim.id, size.name());
            before = seconds;
            if let Some(spec) = spec {
                assert_resolves(&claim.id, &spec, 3);
            }
        }
        assert_eq!(find(&claim.id.to_lowercase()).map(|found| &found.id), Ok(&claim.id));
    }
    assert!(ids.len() >= 30);
}

#[test]
fn an_unknown_claim_suggests_the_nearest() {
    for (wrong, nearest) in [("A4", "A-4"), ("B-33", "B-3"), ("c-t", "C-1")] {
        let error = find(wrong).unwrap_err();
        assert_eq!(error.nearest, Some(nearest), "{wrong}");
        assert!(error.to_string().contains(&format!("did you mean `{nearest}`?")));
    }
    for far in ["", "Z-99", "catapult"] {
        let error = find(far).unwrap_err();
        assert_eq!(error.nearest, None, "{far}");
        assert_eq!(
            error.to_string(),
            format!("there is no claim `{far}`; `etalon reproduce list` has them all")
        );
    }
}

#[test]
fn what_a_function_measures_are_the_quantities_of_its_claim() {
    let (stop, silent) = (AtomicBool::new(false), |_: &str| {});
    let runner = Runner::new(1, &stop, &silent);
    for id in [
        "A-1", "A-2", "A-3", "A-T4", "B-1", "B-2", "B-3", "B-6", "B-T1", "B-T2", "D-7", "D-8", "D-T1", "F-1",
        "G-1",
    ] {
        let claim = find(id).unwrap();
        let judgement = runner.judge(claim, Size::Quick).unwrap().judgement;
        assert!(
            judgement.measured.iter().all(|measured| measured.count > 0),
            "{id}: {:?}",
            judgement.measured
        );
        assert_eq!(judgement.verdict, Verdict::Holds, "{id}: {:?}", judgement.reason);
        assert_eq!(verdict(&judgement.rule.conditions, &judgement.measured), (Verdict::Holds, None));
        assert!(judgement.command.ends_with("--size quick --seed 1"));
    }
}

#[test]
fn a_stop_stops_and_a_long_claim_is_declined() {
    let (stop, silent) = (AtomicBool::new(true), |_: &str| {});
    let runner = Runner::new(0, &stop, &silent);
    assert_eq!(runner.judge(find("A-4").unwrap(), Size::Quick).unwrap_err(), Stopped);
    assert_eq!(runner.judge(find("C-1").unwrap(), Size::Quick).unwrap_err(), Stopped);
    assert!(runner.too_long(find("A-5").unwrap(), Size::Quick).is_none());
    let declined = runner.too_long(find("A-5").unwrap(), Size::Paper).unwrap();
    assert_eq!(declined.verdict, Verdict::NotDecided);
    let reason = declined.reason.unwrap();
    assert!(
        reason.starts_with("needs about 46 days on two cores; etalon reproduce A-5 --size paper"),
        "{reason}"
    );
    assert!(declined.spec.unwrap().contains("kind = \"wrn\"\ndepth = 28\nwiden = 10"));
}

#[test]
fn the_page_is_that_of_the_kept_results_and_has_every_claim() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let read = |file: &str| {
        std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let kept = |claim: &Claim| -> Judgement {
        serde_json::from_str(&read(&format!("claims/{}/claim.json", claim.id))).unwrap()
    };
    let text = read("claims.md");
    let judgements: Vec<Judgement> = catalogue().iter().map(kept).collect();
    // The line of the machine's facts is the program's.
    let facts = text.lines().find(|line| line.starts_with("Etalon ")).unwrap().trim_end_matches('.');
    assert!(
        page(&judgements, facts) == text,
        "docs/claims.md is not what its results make: CONTRIBUTING.md has the command"
    );
    for judgement in &judgements {
        let (found, reason) = verdict(&judgement.rule.conditions, &judgement.measured);
        if judgement.verdict != Verdict::NotDecided {
            assert_eq!((judgement.verdict, &judgement.reason), (found, &reason), "{}", judgement.id);
        }
        let claim = find(&judgement.id).unwrap();
        assert_eq!(
            (&judgement.statement[..], &judgement.rule),
            (&claim.statement[..], &claim.rule()),
            "{}",
            claim.id
        );
    }
}
