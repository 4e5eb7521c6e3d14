//! The ends of the Hessian's spectrum of a small network by this engine, with its weights and samples, kept in files that the
//! Python package is held against (`python/tests/test_engine.py`). `ETALON_GOLDEN=write` renews them.

use etalon::curvature::Quantity;
use etalon::spec::{MeasureOptions, Spec};
use std::path::Path;

const SPEC: &str = r#"
    loss = "mse"
    [data]
    name = "teacher"
    dimension = 12
    train = 64
    test = 8
    [network]
    depth = 3
    width = 24
    activation = "gelu"
    normalizer = "batch"
    [measure]
    samples = 64
    tolerance = 1e-4
    iterations = 200
"#;

#[test]
fn what_is_kept_for_the_python_package_is_what_the_engine_measures() {
    let spec = Spec::parse(SPEC).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/tests/engine");
    let mut options = MeasureOptions {
        quantities: Some(vec![Quantity::HessianMax, Quantity::HessianMin]),
        ..MeasureOptions::default()
    };
    let renews = std::env::var_os("ETALON_GOLDEN").is_some_and(|value| value == "write");
    if renews {
        std::fs::create_dir_all(&folder).unwrap();
        options.save_weights = Some(folder.join("weights.safetensors"));
        options.save_batch = Some(folder.join("samples.safetensors"));
    } else {
        options.weights = Some(folder.join("weights.safetensors"));
    }
    let found = spec.measure(&options).unwrap();
    let [max, min] = [found.hessian.max, found.hessian.min].map(|end| end.unwrap());
    assert!(max.converged && min.converged);
    let values = [found.loss, max.value.unwrap(), min.value.unwrap()];
    let file = folder.join("values.json");
    if renews {
        std::fs::write(&file, serde_json::to_string(&values).unwrap() + "\n").unwrap();
    }
    let kept: [f64; 3] = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    // Other instruction sets sum in another order.
    assert!(
        values.iter().zip(kept).all(|(value, kept)| (value / kept - 1.0).abs() < 1e-5),
        "{values:?} {kept:?}"
    );
}
