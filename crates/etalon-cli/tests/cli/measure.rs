//! `etalon measure`.

use crate::{Etalon, json};

const SMALL: [&str; 5] =
    ["measure", "network.width=16", "data.train=200", "data.test=50", "measure.samples=100"];

fn run(etalon: &Etalon, more: &[&str]) -> serde_json::Value {
    json(&etalon.run(&[&SMALL[..], &["--json"], more].concat()).printed())
}

#[test]
fn the_keys_that_scripts_rely_on() {
    let only = ["--only", "ntk,hessian.max,hessian.min"];
    let keys = ["loss=mse", "network.parametrization=ntk", "optimizer.momentum=0.9"];
    let measured = run(&Etalon::new(), &[&only[..], &keys].concat());
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
fn only_what_thresholds_need_is_measured_unless_asked_for() {
    let etalon = Etalon::new();
    let measured = run(&etalon, &[]);
    assert!(measured["ntk"]["value"].is_f64() && measured["hessian"]["max"]["value"].is_f64(), "{measured}");
    assert!(measured["hessian"].get("min").is_none() && measured.get("gauss_newton").is_none(), "{measured}");
    let asked = run(&etalon, &["--only", "hessian.max,gauss_newton"]);
    assert_eq!(asked["hessian"], measured["hessian"]);
    assert!(asked["gauss_newton"]["value"].is_f64() && asked.get("ntk").is_none(), "{asked}");
    let [low, high] = [&asked, &measured].map(|found| found["thresholds"].as_array().unwrap().len());
    assert!(low < high, "what follows from the kernel is left out: {asked}");
    assert!(asked["omitted"].to_string().contains("the largest NTK eigenvalue was not measured"), "{asked}");
    // What the optimiser's limit needs.
    let preconditioned = run(&etalon, &["--only", "preconditioned", "optimizer.kind=adamw"]);
    assert!(preconditioned["preconditioned"]["value"].is_f64(), "{preconditioned}");
    assert_eq!(preconditioned["hessian"], serde_json::json!({}));
    assert_eq!(preconditioned["limit"], "lazy-limit-adamw");
    let complaint = etalon.run(&[&SMALL[..], &["--only", "hessian"]].concat()).complaint();
    assert!(complaint.contains("there are ntk, hessian.max, hessian.min"), "{complaint}");
    assert!(
        etalon
            .run(&[&SMALL[..], &["--only", "hessian.min"]].concat())
            .printed()
            .contains("Hessian, smallest")
    );
}

#[test]
fn weights_and_batch_can_be_checked_elsewhere() {
    let etalon = Etalon::new();
    let fresh = run(&etalon, &["--save-weights", "w.safetensors", "--save-batch", "out/b.safetensors"]);
    let again = run(&etalon, &["--weights", "w.safetensors", "seed=9"]);
    assert_eq!(fresh["loss"], again["loss"]);
    assert_ne!(fresh["loss"], run(&etalon, &["seed=9"])["loss"]);
    let header = |file: &str| safetensors(&etalon, file).0;
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

/// The header of a safetensors file, which is JSON behind eight bytes of length, and its data.
fn safetensors(etalon: &Etalon, file: &str) -> (serde_json::Value, Vec<u8>) {
    let bytes = std::fs::read(etalon.path().join(file)).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    (json(std::str::from_utf8(header).unwrap()), data.to_vec())
}

/// An npy file of f4 or u1.
fn npy(etalon: &Etalon, file: &str, descr: &str, shape: &str, data: &[u8]) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat();
    std::fs::write(etalon.path().join(file), bytes).unwrap();
}

/// Two samples each of colour images, whose value is 100 row + 10 column + channel (+ 1000 of the second), in PyTorch's
/// order.
fn planes(etalon: &Etalon, height: usize, width: usize) -> Vec<f32> {
    let pixel = |index: usize| {
        let (column, row) = (index % width, index / width % height);
        let (channel, sample) = (index / (width * height) % 3, index / (width * height * 3));
        (1000 * sample + 100 * row + 10 * column + channel) as f32
    };
    let values: Vec<f32> = (0..2 * 3 * height * width).map(pixel).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    for part in ["train", "test"] {
        npy(etalon, &format!("{part}-x.npy"), "<f4", &format!("(2, 3, {height}, {width})"), &bytes);
        npy(etalon, &format!("{part}-y.npy"), "|u1", "(2,)", &[0, 1]);
    }
    values
}

const OF_FILES: [&str; 7] = [
    "measure",
    "--json",
    "data.name=.",
    "data.train=all",
    "data.test=all",
    "data.normalize=none",
    "network.width=2",
];

#[test]
fn images_are_saved_in_pytorchs_order_and_inputs_of_an_mlp_in_that_of_its_weights() {
    let etalon = Etalon::new();
    let values = planes(&etalon, 8, 5);
    let inputs = |more: &[&str]| {
        let save = ["data.layout=nchw", "--save-batch", "b.safetensors", "-q"];
        etalon.run(&[&OF_FILES[..], &save, more].concat()).printed();
        let (header, data) = safetensors(&etalon, "b.safetensors");
        let [from, to] = [0, 1].map(|end| header["inputs"]["data_offsets"][end].as_u64().unwrap() as usize);
        let (words, _) = data[from..to].as_chunks();
        (
            header["inputs"]["shape"].clone(),
            words.iter().map(|word| f32::from_le_bytes(*word)).collect::<Vec<_>>(),
        )
    };
    let (shape, saved) = inputs(&["network.kind=cnn"]);
    assert_eq!((shape, saved), (serde_json::json!([2, 3, 8, 5]), values));
    let (shape, saved) = inputs(&[]);
    assert_eq!((shape, &saved[..4], saved[15]), (serde_json::json!([2, 120]), &[0., 1., 2., 10.][..], 100.0));
}

#[test]
fn images_in_pytorchs_order_are_told_and_ambiguous_ones_asked_about() {
    let etalon = Etalon::new();
    planes(&etalon, 8, 5);
    let outcome = etalon.run(&OF_FILES);
    assert!(
        outcome.stderr.contains("warning: ./train-x.npy of shape [2, 3, 8, 5] was taken as"),
        "{}",
        outcome.stderr
    );
    let told = json(&outcome.stdout)["warnings"].to_string();
    assert!(told.contains("data.layout") && told.contains("test-x.npy"), "{told}");
    let said = json(&etalon.run(&[&OF_FILES[..], &["data.layout=nchw"]].concat()).stdout);
    assert!(!said["warnings"].to_string().contains("layout"), "{said}");
    let trained = ["train", "--json", "train.batch=2", "train.steps=1"];
    let report = json(&etalon.run(&[&trained, &OF_FILES[2..]].concat()).stdout);
    assert!(report["warnings"][0].as_str().unwrap().contains("[2, 3, 8, 5]"), "{report}");
    planes(&etalon, 8, 4);
    let complaint = etalon.run(&OF_FILES).complaint();
    assert!(
        complaint.contains(r#"data.layout = "nhwc""#) && complaint.contains(r#"data.layout = "nchw""#),
        "{complaint}"
    );
    let parameters = |layout: &str| {
        let arguments = ["network.kind=cnn", "network.depth=1", "-q", layout];
        json(&etalon.run(&[&OF_FILES[..], &arguments].concat()).printed())["parameters"].as_u64().unwrap()
    };
    // A filter of 3 x 3 has nine weights for each channel: 3 or 4, to 2 channels.
    assert_eq!(parameters("data.layout=nhwc") - parameters("data.layout=nchw"), 9 * 2);
}

#[test]
fn what_is_measured_is_what_the_first_step_sees() {
    let etalon = Etalon::new();
    let job =
        ["network.kind=cnn", "network.width=4", "data.train=40", "data.test=10", "precision=f64", "seed=3"];
    let run = |verb: &str, more: &[&str]| etalon.run(&[&[verb, "--json"], &job[..], more].concat());
    let loss = |more: &[&str]| {
        let measured = run("measure", more);
        let loss = json(&measured.stdout)["loss"].as_f64().unwrap();
        let step = ["train.batch=full", "train.steps=1", "--trajectory", "t.jsonl"];
        run("train", &[more, &step].concat()).printed();
        let first = json(etalon.read("t.jsonl").lines().next().unwrap())["loss"].as_f64().unwrap();
        assert!((loss - first).abs() < 1e-13 * first, "{more:?}: {loss} {first}");
        (loss, measured.stderr)
    };
    let (plain, quiet) = loss(&[]);
    assert!(!quiet.contains("first epoch"), "{quiet}");
    let (augment, patch) = ("data.augment.crop=3", "data.patch.size=6");
    for (more, keys) in [
        (&[augment][..], "data.augment"),
        (&[patch], "data.patch"),
        (&[augment, "data.augment.flip=true", patch], "data.augment and data.patch"),
    ] {
        let (varied, told) = loss(more);
        assert!((varied - plain).abs() > 1e-6, "{more:?}: {varied}");
        let warning = format!("warning: {keys}: measured on images as the first epoch of seed 3 sees them");
        assert!(told.contains(&warning), "{told}");
    }
}

#[test]
fn curvature_goes_through_batch_normalisation() {
    let only = ["--only", "ntk,hessian.max,gauss_newton"];
    let arguments =
        [&["--json", "network.normalizer=batch", "--by-layer", "measure.iterations=200"][..], &only];
    let arguments = arguments.concat();
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
