//! Convolutional networks on images.

use crate::{Etalon, json};

const SMALL: [&str; 6] =
    ["train", "--json", "network.width=4", "data.train=100", "data.test=50", "train.steps=6"];

#[test]
fn every_kind_of_network_trains_and_is_measured() {
    let etalon = Etalon::new();
    for arguments in [
        &["network.kind=cnn", "network.pool=maximum"][..],
        &["network.kind=preresnet", "network.depth=8"],
        &["network.kind=preresnet", "network.depth=8", "network.skip=projection", "network.normalizer=layer"],
        &["network.kind=wrn", "network.depth=10", "network.widen=2", "measure.samples=20", "measure.every=6"],
    ] {
        let report = json(&etalon.run(&[&SMALL[..], arguments].concat()).printed());
        assert!(report["final"]["train_loss"].as_f64() < Some(2.5), "{arguments:?}: {report}");
        assert_eq!(report["stop"], serde_json::json!({ "reason": "budget", "steps": 6 }));
    }
}

#[test]
fn augmentation_changes_training_and_repeats_by_seed() {
    let etalon = Etalon::new();
    let loss = |arguments: &[&str]| {
        let report = json(&etalon.run(&[&SMALL[..], &["network.kind=cnn"], arguments].concat()).printed());
        report["final"]["train_loss"].as_f64().unwrap()
    };
    let (flip, crop) = ("data.augment.flip=true", "data.augment.crop=3");
    assert_eq!(loss(&[flip, crop]), loss(&[flip, crop, "--threads", "1"]));
    assert_ne!(loss(&[flip]), loss(&[]));
    assert_ne!(loss(&[crop]), loss(&[crop, "data.augment.fill=reflect"]));
}

#[test]
fn what_is_no_image_or_no_such_network_is_refused_with_the_reason() {
    let etalon = Etalon::new();
    for (arguments, reason) in [
        (
            &["network.kind=cnn", "data.name=mnist1d"][..],
            "takes images, and the samples of mnist1d are vectors",
        ),
        (&["network.kind=preresnet", "network.depth=18"], "take 6 n + 2, such as 8, 20, 32 or 110"),
        (&["network.kind=cnn", "network.parametrization=mup"], "muP is not worked out for convolutional"),
        (
            &["network.kind=cnn", "network.depth=7"],
            "1 x 1 pixels before convolution 6 and cannot be halved once more; take a smaller depth",
        ),
        (&["data.name=mnist1d", "data.augment.flip=true"], "data.augment changes images"),
        (&["data.augment.crop=28", "data.augment.fill=reflect"], "can be mirrored over 27 pixels"),
        (&["network.kind=resnet"], "takes mlp, cnn, preresnet or wrn"),
    ] {
        let complaint = etalon.run(&[&SMALL[..], arguments].concat()).complaint();
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
    }
}
