//! `etalon measure`.

use crate::{Etalon, json};

const SMALL: [&str; 5] =
    ["measure", "network.width=16", "data.train=200", "data.test=50", "measure.samples=100"];

fn run(etalon: &Etalon, more: &[&str]) -> serde_json::Value {
    json(&etalon.run(&[&SMALL[..], &["--json"], more].concat()).printed())
}

#[test]
fn the_keys_that_scripts_rely_on() {
    let measured =
        run(&Etalon::new(), &["loss=mse", "network.parametrization=ntk", "optimizer.momentum=0.9"]);
    assert_eq!(measured["parameters"], 784 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10);
    assert_eq!(measured["samples"], 100);
    assert!(measured["loss"].as_f64().unwrap() > 0.0);
    for estimate in [&measured["ntk"], &measured["hessian"]["max"], &measured["hessian"]["min"]] {
        assert!(estimate["value"].is_f64() && estimate["residual"].as_f64().unwrap() < 1e-3, "{measured}");
        assert!(estimate["iterations"].as_u64().unwrap() >= 8, "{measured}");
        assert_eq!(estimate["converged"], true, "{measured}");
    }
    assert!(measured["hessian"]["min"]["value"].as_f64() < Some(0.0), "a fresh ReLU network is not convex");
    let thresholds = measured["thresholds"].as_array().unwrap();
    let eta = |name: &str| {
        let named = thresholds.iter().find(|threshold| threshold["name"] == name);
        let named = named.unwrap_or_else(|| panic!("no {name} in {measured}"));
        assert!(named["assumes"].as_str().unwrap().contains("squared loss"), "{named}");
        named["eta"].as_f64().unwrap()
    };
    let lambda = measured["ntk"]["value"].as_f64().unwrap();
    assert!((eta("lazy-limit") * lambda - 2.0).abs() < 1e-12);
    assert!((eta("catapult-limit") * lambda - 4.0).abs() < 1e-12);
    assert!((eta("lazy-limit-heavy-ball") * lambda - 3.8).abs() < 1e-12);
}

#[test]
fn weights_and_batch_can_be_checked_elsewhere() {
    let etalon = Etalon::new();
    let fresh = run(&etalon, &["--save-weights", "w.safetensors", "--save-batch", "out/b.safetensors"]);
    let again = run(&etalon, &["--weights", "w.safetensors", "seed=9"]);
    assert_eq!(fresh["loss"], again["loss"]);
    assert_ne!(fresh["loss"], run(&etalon, &["seed=9"])["loss"]);
    // The header of a safetensors file is JSON behind eight bytes of length.
    let header = |file: &str| {
        let bytes = std::fs::read(etalon.path().join(file)).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        json(std::str::from_utf8(&bytes[8..8 + length]).unwrap())
    };
    let weights = header("w.safetensors");
    assert_eq!(weights["layers.0.weight"]["shape"], serde_json::json!([16, 784]));
    assert_eq!(weights["layers.0.weight"]["dtype"], "F32");
    assert_eq!(weights["layers.2.bias"]["shape"], serde_json::json!([10]));
    let batch = header("out/b.safetensors");
    assert_eq!(batch["inputs"]["shape"], serde_json::json!([100, 784]));
    assert_eq!(batch["targets"]["shape"], serde_json::json!([100, 10]));
    let complaint =
        etalon.run(&[&SMALL[..], &["--weights", "w.safetensors", "network.width=8"]].concat()).complaint();
    assert!(complaint.contains("shape [16, 784]; the network's is [8, 784]"), "{complaint}");
    let complaint = etalon.run(&[&SMALL[..], &["--weights", "none"]].concat()).complaint();
    assert!(complaint.contains("none: No such file"), "{complaint}");
}

#[test]
fn curvature_goes_through_batch_normalisation() {
    let arguments = ["--json", "network.normalizer=batch", "--by-layer", "measure.iterations=200"];
    let outcome = Etalon::new().run(&[&SMALL[..], &arguments].concat());
    let measured = json(&outcome.stdout);
    assert_eq!(measured["parameters"], 784 * 16 + 16 + 32 + 16 * 16 + 16 + 32 + 16 * 10 + 10);
    for estimate in [&measured["ntk"], &measured["hessian"]["max"], &measured["gauss_newton"]] {
        assert_eq!(estimate["converged"], true, "{measured}");
    }
    let warning = "batch normalisation took its statistics from the 100 samples measured";
    assert!(outcome.stderr.contains(warning), "{}", outcome.stderr);
    let layers: Vec<_> = measured["layers"].as_array().unwrap().iter().map(|layer| &layer["layer"]).collect();
    assert_eq!(layers, ["layers.0", "layers.1", "layers.2", "layers.3", "layers.4"]);
}

#[test]
fn layers_and_frozen_layers() {
    let etalon = Etalon::new();
    let all = run(&etalon, &["--by-layer", "measure.top=2"]);
    let layers = all["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    let max = |measured: &serde_json::Value| measured["hessian"]["max"]["value"].as_f64().unwrap();
    // A block's largest eigenvalue is at most the whole matrix's.
    for layer in layers {
        assert!(layer["hessian"]["value"].as_f64().unwrap() <= max(&all) * (1.0 + 1e-3), "{all}");
    }
    assert_eq!(all["hessian"]["top"].as_array().unwrap().len(), 2);
    let frozen = run(&etalon, &["optimizer.input_factor=0", "-q"]);
    assert!(max(&frozen) < max(&all), "without the input layer's block curvature is smaller");
    assert!(frozen["warnings"][0].as_str().unwrap().contains("learning-rate factors"));
}

#[test]
fn factors_and_weight_decay_are_measured_together() {
    let etalon = Etalon::new();
    let both = run(&etalon, &["optimizer.input_factor=3", "optimizer.weight_decay=0.5", "-q"]);
    assert_eq!(both["decayed"]["converged"], true, "{both}");
    let (decayed, limit) = (both["decayed"]["value"].as_f64().unwrap(), &both["thresholds"][0]);
    assert!((limit["eta"].as_f64().unwrap() * decayed - 2.0).abs() < 1e-12, "{limit}");
    assert!(limit["assumes"].as_str().unwrap().contains("R the learning-rate factors"), "{limit}");
    assert!(run(&etalon, &["optimizer.weight_decay=0.5"]).get("decayed").is_none());
}

#[test]
fn what_has_not_converged_says_so() {
    let etalon = Etalon::new();
    let outcome = etalon.run(&[&SMALL[..], &["measure.iterations=3"]].concat());
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.contains("not converged"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("warning: hessian: stopped after 3 iterations"), "{}", outcome.stderr);
}

#[test]
fn unreadable_data_is_named() {
    let etalon = Etalon::new();
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        etalon.write(&format!("idx/{name}-ubyte"), "not idx");
    }
    let complaint = etalon.run(&["measure", "data.name=idx/"]).complaint();
    assert!(complaint.contains("train-images-idx3-ubyte"), "{complaint}");
    let complaint = etalon.run(&["measure", "data.name=mnist"]).complaint();
    assert!(complaint.contains("etalon data fetch mnist"), "{complaint}");
    let complaint = etalon.run(&[&SMALL[..], &["--save-weights", "/proc/none/w"]].concat()).complaint();
    assert!(complaint.contains("/proc/none"), "{complaint}");
}
