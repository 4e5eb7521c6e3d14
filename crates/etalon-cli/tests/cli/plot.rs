//! `etalon plot`.

use crate::json;
use crate::sweep::etalon;

#[test]
fn a_column_is_drawn_against_another_with_its_numbers_beside_it() {
    let etalon = etalon("\"optimizer.eta\" = { log = [0.01, 1.0], points = 5 }\nseed = [0, 1, 2]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let line = "plot run --x optimizer.eta --y train_loss,test_loss --log --figure loss.svg --json";
    let report = json(&etalon.run(&line.split(' ').collect::<Vec<_>>()).printed());
    assert_eq!((report.as_array().unwrap().len(), &report[1]["curve"]), (2, &"test_loss".into()));
    assert_eq!(report[0]["points"], 5);
    assert!(etalon.read("loss.svg").contains("train_loss, test_loss against optimizer.eta"));
    let numbers = etalon.read("loss.csv");
    assert!(numbers.starts_with("curve,optimizer.eta,median,least,most\ntrain_loss,0.01,"), "{numbers}");
    let line = "plot run --x optimizer.eta --y train_loss --log --figure loss.png";
    let drawn = etalon.run(&line.split(' ').collect::<Vec<_>>());
    if cfg!(feature = "raster") {
        drawn.printed();
        let png = std::fs::read(etalon.path().join("loss.png")).unwrap();
        // The heading of a PNG of 1920 x 1280 pixels.
        assert_eq!(png[..24], *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x07\x80\0\0\x05\0");
    } else {
        let complaint = drawn.complaint();
        assert!(complaint.contains("--features raster"), "{complaint}");
    }
    // Learning curves come from the table of trajectories.
    etalon.run(&["export", "run", "csv"]).printed();
    let line = "plot run/trajectories.csv --x step --y loss --by optimizer.eta --only";
    let mut arguments: Vec<&str> = line.split(' ').collect();
    arguments.push("optimizer.eta < 0.5");
    let text = etalon.run(&arguments).printed();
    assert!(text.contains("eta 0.01") && !text.contains("eta 1.0"), "{text}");
    for (arguments, reason) in [
        (&["--x", "eta", "--y", "train_loss"][..], "there is no column `eta`"),
        (&["--x", "seed", "--y", "train_loss", "--only", "seed"], "has no comparison"),
        (&["--x", "seed", "--y", "train_loss", "--log", "--figure", "a.svg"], "leave --log out"),
        (&["--x", "seed", "--y", "train_loss", "--figure", "a.jpg"], "ends in .svg or .png"),
    ] {
        let complaint = etalon.run(&[&["plot", "run"], arguments].concat()).complaint();
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
    }
    #[cfg(feature = "raster")]
    {
        let arguments =
            ["plot", "run", "--x", "seed", "--y", "train_loss", "--title", "漢", "--figure", "a.png"];
        let complaint = etalon.run(&arguments).complaint();
        assert!(complaint.contains("no `漢`; draw it as .svg"), "{complaint}");
    }
}
