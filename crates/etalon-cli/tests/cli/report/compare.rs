//! One page of several folders.

use crate::{Etalon, json};

#[test]
fn folders_of_one_kind_are_compared_on_one_page() {
    let etalon = Etalon::new();
    let train = "train loss=mse data.train=50 data.test=20 network.width=8 network.depth=1 train.batch=full train.steps=10 \
                 measure.samples=20";
    for (eta, folder) in [("0.001", "slow"), ("0.004", "fast")] {
        let eta = format!("optimizer.eta={eta}");
        let arguments: Vec<&str> = train.split_whitespace().chain([eta.as_str(), "--out", folder]).collect();
        etalon.run(&arguments).printed();
    }
    let written = json(&etalon.run(&["report", "slow", "fast", "--json"]).printed());
    let answer = written["answer"].as_str().unwrap();
    assert!(answer.contains("at η = 0.00100; ") && answer.ends_with("at η = 0.00400"), "{answer}");
    assert_eq!((written["page"].as_str(), &written["trials"]), (Some("compared.html"), &2.into()));
    let page = etalon.read("compared.html");
    for part in [
        "What each folder says",
        "Side by side",
        "c = η λ₀",
        "href=\"#slow\"",
        "id=\"fast\"",
        "2 folders beside each other",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let drawn = etalon.read("compared-figures/trajectory-compared.csv");
    let losses =
        |name: &str| drawn.lines().filter(|line| line.starts_with(&format!("loss,point,{name},"))).count();
    assert_eq!((losses("slow"), losses("fast")), (10, 10), "{drawn}");
    // Sweeps meet trial by trial, whatever number each has, and maps run by run.
    for (widths, target, out) in [("[4, 8]", "0.1", "wide"), ("[8, 16, 32]", "0.3", "wider")] {
        let (width, rate) = (format!("grid.network.width={widths}"), format!("optimizer.eta={target}"));
        let small = ["loss=mse", "data.name=teacher", "data.train=8", "data.test=4", "data.dimension=3"];
        let arguments =
            [&["sweep", &width, &rate, "--out", out, "train.batch=full", "train.steps=5"][..], &small]
                .concat();
        etalon.run(&arguments).printed();
    }
    etalon.run(&["report", "wide", "wider"]).printed();
    let page = etalon.read("compared.html");
    assert!(page.contains("Trial by trial, side by side") && page.contains("train_loss: wider"), "{page}");
    for (c, out) in [("1..3/3", "low"), ("2..4/3", "high")] {
        etalon.run(&["theory", "map", "--c", c, "--width", "64", "--out", out]).printed();
    }
    etalon.run(&["report", "low", "high"]).printed();
    let page = etalon.read("compared.html");
    assert!(page.contains("Runs, side by side") && page.contains("phase: high"), "{page}");
    // Of other kinds there is nothing to compare, and one page alone is what it was.
    etalon.write("log.csv", "step,loss\n0,1\n1,0.5\n2,0.4\n");
    etalon.run(&["watch", "log.csv", "--out", "watched"]).printed();
    let refused = etalon.run(&["report", "slow", "watched"]).complaint();
    assert!(
        refused.contains("slow has a page of the kind `One trial`, watched of the kind `A training log`"),
        "{refused}"
    );
}
