//! The search on a training with a closed form, kept in a file that the Python package is held against: its own driver asks and
//! tells (`python/tests/test_find.py`), here the library's runs in parallel. `ETALON_GOLDEN=write` renews the file.

use etalon::search::{
    Answer, Climb, ClimbSettings, EtaStar, Measure, Outcome, Question, Recommendation, Settings, Trained,
    Training, maximal_rate, recommend, silent,
};
use serde::Serialize;
use std::convert::Infallible;
use std::path::Path;

/// As `python/tests/closed_form.py`: sums, products and comparisons alone.
fn train(eta: f64, seed: u64) -> (Answer, f64, u64) {
    let u = eta / 0.1;
    let metric = 0.2 + (u - 1.0) * (u - 1.0) / (1.0 + u * u) + 0.003 * seed as f64;
    if eta > 0.37 * (1.0 + seed as f64 / 16.0) {
        return (Answer::TooFast("the loss grew".into()), f64::NAN, 10);
    }
    (if eta >= 0.01 { Answer::Trained } else { Answer::TooSlow }, metric, 100)
}

struct ClosedForm;

impl Training for ClosedForm {
    type Error = Infallible;

    fn train(&self, question: &Question) -> Result<Trained, Infallible> {
        let (answer, metric, steps) = train(question.eta, question.seed);
        let failure = if let Answer::TooFast(why) = answer { Some(why) } else { None };
        let (loss, reached, validation) = (metric, metric, metric);
        let (test, samples, budgets) = (f64::NAN, Vec::new(), 1.0);
        Ok(Trained { failure, loss, reached, validation, test, samples, steps, budgets })
    }

    /// Nothing is learnt at a rate of almost nothing.
    fn measure(&self) -> Measure {
        let [a, b] = [0, 1].map(|seed| train(self.start() * 2f64.powi(-20), seed).1);
        let (chance, error) = ((a + b) / 2.0, (a - b).abs() / 2.0);
        let name = "metric".into();
        Measure { name, higher_is_better: false, chance, constant_loss: f64::NAN, error }
    }
}

impl ClosedForm {
    /// The best rate that the first seed's search for eta* has seen.
    fn start(&self) -> f64 {
        let rates = star().seeds[0].probes.iter().map(|probed| probed.eta).collect::<Vec<_>>();
        let metric = |eta: &f64| train(*eta, 0).1;
        let seen = rates.into_iter().filter(|eta| metric(eta).is_finite());
        seen.min_by(|a, b| metric(a).total_cmp(&metric(b)).then(a.total_cmp(b))).unwrap()
    }
}

fn star() -> EtaStar {
    let probe = |eta: f64, seed: u64| -> Result<Outcome, Infallible> {
        let (verdict, _, steps) = train(eta, seed);
        Ok(Outcome { verdict, steps })
    };
    let starts: Vec<(u64, f64)> = (0..5).map(|seed| (seed, 0.003)).collect();
    maximal_rate(&probe, &starts, &Settings::default(), &silent).unwrap()
}

#[derive(Serialize)]
struct Kept {
    star: EtaStar,
    recommended: Recommendation,
}

#[test]
fn what_is_kept_for_the_python_package_is_what_the_library_finds() {
    let settings = ClimbSettings { trainings: 8, ..ClimbSettings::default() };
    let seeds: Vec<u64> = (0..5).collect();
    let mut climb = Climb::new(ClosedForm.start(), &seeds, ClosedForm.measure(), &settings).unwrap();
    recommend(&ClosedForm, &mut climb, &silent).unwrap();
    let kept = Kept { star: star(), recommended: climb.result().unwrap() };
    let text = serde_json::to_string_pretty(&kept).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/tests/closed_form.json");
    if std::env::var_os("ETALON_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(text == std::fs::read_to_string(&path).unwrap(), "renew it by ETALON_GOLDEN=write, on purpose");
    // The median of five seeds is that of the third: 0.37 (1 + 2 / 16).
    assert!((kept.star.median.unwrap() / 0.41625 - 1.0).abs() < 0.05);
    assert!((kept.recommended.eta.unwrap() / 0.1).log2().abs() < 0.5);
}
