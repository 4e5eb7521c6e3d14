//! Schedules against PyTorch's: `oracles/schedules.py` made the values.

use etalon::spec::Spec;

#[test]
fn rates_are_pytorchs() {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../oracles/values/schedules.json")).unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let keys = case["schedule"].as_object().unwrap().iter();
        let overrides: Vec<String> = keys.map(|(key, value)| format!("schedule.{key}={value}")).collect();
        let schedule = Spec::load(None, &overrides).unwrap().schedule.schedule().unwrap();
        let total = case["steps"].as_u64().unwrap();
        for (step, expected) in case["rates"].as_array().unwrap().iter().enumerate() {
            let (expected, ours) = (expected.as_f64().unwrap(), schedule.rate(0.1, step as u64, total));
            // PyTorch multiplies the last rate; its own rounding adds up over the steps.
            assert!(
                (ours - expected).abs() <= 1e-13 * expected,
                "{} {step}: {ours}, not {expected}",
                case["name"]
            );
        }
    }
}
