//! `etalon plot`.

use crate::json;
use crate::sweep::etalon;

#[test]
fn a_column_is_drawn_against_another_with_its_numbers_beside_it() {
    let etalon = etalon("\"optimizer.eta\" = { log = [0.01, 1.0], points = 5 }\nseed = [0, 1, 2]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let line = "plot run --x optimizer.eta --y train_loss,test_loss --log --figure loss.svg --json";
    let report = json(&etalon.run(&line.split(' ').collect::<Vec<_>>()).printed());
    assert_eq!((report.as_array().unwrap().len(), &report[1]["curve"]), (2, &"test loss".into()));
    assert_eq!(report[0]["points"], 5);
    assert!(etalon.read("loss.svg").contains("train loss, test loss against η"));
    let numbers = etalon.read("loss.csv");
    assert!(numbers.starts_with("curve,optimizer.eta,median,least,most\ntrain loss,0.01,"), "{numbers}");
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
    // A column of a journal: 89 mm are 252.28 points, or 1051 pixels at 300 an inch.
    let look = "--width 89 --height 60 --font-size 7 --plain --transparent --markers --log-y --y-label loss";
    let line =
        format!("plot run --x optimizer.eta --y train_loss --log-x --x-limits 0.02..2 {look} --figure");
    let drawn = |file: &str| {
        let line = format!("{line} {file}");
        etalon.run(&line.split(' ').collect::<Vec<_>>()).printed();
        std::fs::read(etalon.path().join(file)).unwrap()
    };
    let svg = String::from_utf8(drawn("look.svg")).unwrap();
    assert!(svg.contains("width=\"89.000mm\" height=\"60.000mm\""), "{svg}");
    assert!(
        !svg.contains("<rect width") && !svg.contains("class=\"grid\"") && svg.contains(">loss</text>"),
        "{svg}"
    );
    // The rate of 0.01 lies beyond the axis.
    assert_eq!(svg.matches("class=\"disc\"").count(), 4);
    if cfg!(feature = "raster") {
        let png = drawn("look.png");
        assert!(u32::from_be_bytes(png[16..20].try_into().unwrap()).abs_diff(1051) <= 2);
        let pdf = drawn("look.pdf");
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-") && text.contains("/MediaBox [0 0 252.28"), "{text}");
    }
    // Each seed beside the others.
    let line = "plot run --x optimizer.eta --y train_loss --log --facet seed --figure facets.svg --json";
    let report = json(&etalon.run(&line.split(' ').collect::<Vec<_>>()).printed());
    assert_eq!((report.as_array().unwrap().len(), &report[2]["facet"]), (3, &"seed 2".into()));
    let svg = etalon.read("facets.svg");
    assert!(svg.matches("class=\"axes\"").count() == 3 && svg.contains(">seed 1</text>"), "{svg}");
    assert!(
        etalon
            .read("facets.csv")
            .starts_with("facet,curve,optimizer.eta,median,least,most\nseed 0,train loss,0.01,")
    );
    // Learning curves come from the table of trajectories.
    etalon.run(&["export", "run", "csv"]).printed();
    let line = "plot run/trajectories.csv --x step --y loss --by optimizer.eta --only";
    let mut arguments: Vec<&str> = line.split(' ').collect();
    arguments.push("optimizer.eta < 0.5");
    let text = etalon.run(&arguments).printed();
    assert!(text.contains("η 0.01") && !text.contains("η 1.0"), "{text}");
    for (arguments, reason) in [
        (&["--x", "eta", "--y", "train_loss"][..], "there is no column `eta`"),
        (&["--x", "seed", "--y", "train_loss", "--only", "seed"], "has no comparison"),
        (&["--x", "seed", "--y", "train_loss", "--log", "--figure", "a.svg"], "leave --log-x out"),
        (&["--x", "seed", "--y", "train_loss", "--facet", "sede"], "did you mean `seed`?"),
        (&["--x", "seed", "--y", "train_loss", "--figure", "a.jpg"], "ends in .svg, .png or .pdf"),
        (
            &["--x", "seed", "--y", "train_loss", "--width", "9", "--figure", "a.svg"],
            "at least 53 mm of width",
        ),
        (
            &["--x", "seed", "--y", "train_loss", "--x-limits", "2..1", "--figure", "a.svg"],
            "cannot go from 2 to 1",
        ),
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
