//! `etalon report`.

mod claims;
mod compare;
mod follow;

use crate::browser::Browser;
use crate::sweep::etalon;
use crate::{Etalon, json};
use claims::claim;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A tiny job of real images for `find`, `measure` and `train`.
const SMALL: [&str; 6] = [
    "network.width=16",
    "data.train=100",
    "data.test=50",
    "measure.samples=50",
    "search.seeds=2",
    "search.threshold=0.15",
];

/// Run directories of every kind, each in a folder of its name, with what its page must say on top.
fn run_directories() -> (Etalon, Vec<(&'static str, &'static str)>) {
    let etalon = etalon(
        "optimizer.eta = { log = [0.01, 100.0], points = 9 }\nnetwork.width = [8, 16]\nseed = [0, 1]\ncurvature = true\n",
    );
    etalon.run(&["sweep", "spec.toml", "--out", "phases"]).printed();
    let search = |job: &str| {
        format!(
            "[data]\nname = \"fashion-mini\"\ntrain = 80\ntest = 30\n[network]\ndepth = 1\nwidth = 8\n[train]\nbatch = \"full\"\nsteps = 60\n\
             [search]\nseeds = 1\nthreshold = 0.3\n[measure]\nsamples = 30\n[grid]\njob = \"{job}\"\n\
             network.width = [8, 16, 32, 64]\nseed = [0, 1]\n"
        )
    };
    etalon.write("find.toml", &search("find"));
    etalon.run(&["sweep", "find.toml", "--out", "laws"]).printed();
    etalon.write("boundaries.toml", &search("boundaries"));
    etalon.run(&["sweep", "boundaries.toml", "--out", "boundaries", "-q"]);
    for verb in ["find", "measure"] {
        etalon.run(&[&[verb, "-q", "--out", verb], &SMALL[..]].concat());
    }
    let catapult = [
        "train",
        "-q",
        "--out",
        "train",
        "loss=\"mse\"",
        "train.batch=\"full\"",
        "train.steps=60",
        "optimizer.eta=0.01",
    ];
    etalon.run(&[&catapult[..], &SMALL[..]].concat());
    etalon.run(&["theory", "map", "--c", "0.5..6/20", "--width", "32,512", "--out", "theory"]).printed();
    etalon.run(&["schedule", "convert", "optimizer.weight_decay=0.001", "--out", "convert"]).printed();
    etalon.run(&["schedule", "verify", "-q", "--out", "verify"]);
    etalon.run(&["fit", "laws", "--x", "network.width", "--out", "fit"]).printed();
    etalon.run(&["theory", "scale-invariant", "--steps", "3000", "--out", "toys"]).printed();
    etalon
        .run(&["theory", "logistic", "--c", "1..40/20", "--width", "32,512", "--out", "logistic"])
        .printed();
    etalon.run(&["theory", "boundaries", "--width", "10,100", "--out", "early"]).printed();
    etalon.run(&[
        "theory",
        "pq",
        "--seeds",
        "1",
        "--train",
        "100",
        "--test",
        "100",
        "--small-steps",
        "300",
        "--large-steps",
        "100",
        "--last-steps",
        "100",
        "--out",
        "pq",
        "-q",
    ]);
    let rows: String =
        (0..40).map(|step| format!("{step},{},0.1\n", (-0.1 * f64::from(step)).exp())).collect();
    etalon.write("log.csv", &format!("step,loss,lr\n{rows}"));
    etalon.run(&["watch", "log.csv", "--out", "watch"]).printed();
    etalon.write("claims/A-1/claim.json", &claim("A-1", "s", "holds").to_string());
    etalon.write("claims/A-1/final_c.csv", "width,seed,c,final_c\n8,0,1,0.9\n8,0,2,0.8\n16,0,1,0.8\n");
    etalon.run(&["theory", "linear", "--steps", "300", "--c", "0.5..6/6", "--out", "linear"]).printed();
    let rates =
        ["schedule", "show", "--lr", "0.1", "--milestones", "30,50", "--steps", "60", "--out", "rates"];
    etalon.run(&rates).printed();
    let kinds = vec![
        ("linear", "lazy up to c"),
        ("rates", "from η"),
        ("phases", "best:"),
        ("laws", "η*"),
        ("boundaries", "training diverges at c"),
        ("find", "use η"),
        ("measure", "the loss begins to rise at η"),
        ("train", " at η"),
        ("theory", "lazy"),
        ("convert", "without weight decay the rate ends at η"),
        ("verify", "equivalent"),
        ("fit", "η*"),
        ("toys", "largest loss at the end"),
        ("logistic", "lazy"),
        ("early", "training diverges at c_h"),
        ("pq", "Test error"),
        ("watch", "log.csv"),
        ("claims", "1 of 1 claims hold"),
    ];
    (etalon, kinds)
}

/// Texts whose contrast with their ground is below 4.5, the least that the web's guidelines (WCAG 2.2, 1.4.3) allow.
const FAINT: &str = r"(() => {
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
        .getContext('2d', { willReadFrequently: true });
    const parts = (colour) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data;
    };
    const light = ([red, green, blue]) => [red, green, blue]
        .map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (part) => {
        for (let at = part; at; at = at.parentElement) {
            const found = parts(getComputedStyle(at).backgroundColor);
            if (found[3] > 250) return found;
        }
        return [255, 255, 255];
    };
    const seen = new Map();
    for (const part of document.querySelectorAll('body *')) {
        const own = [...part.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (own && part.getClientRects().length && !part.closest('script,style')) {
            const style = getComputedStyle(part), key = part.tagName + part.className + style.color;
            if (!seen.has(key)) {
                const [a, b] = [light(parts(style.color)), light(ground(part))];
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                seen.set(key, ratio < 4.5 ? part.textContent.trim().slice(0, 40) + ': ' + ratio : '');
            }
        }
    }
    return [...seen.values()].filter(Boolean);
})()";

/// What must hold of any page that is open.
fn sound(browser: &mut Browser, page: &Path) -> u64 {
    browser.requests.clear();
    let took = browser.open(page);
    let name = page.display();
    assert_eq!(browser.requests, [format!("file://{name}")], "it asks for nothing but itself");
    // Every figure has marks that take up room, whatever they are.
    let empty = "[...document.querySelectorAll('figure.plot .frame')].filter(frame => { const marks = \
        [...frame.querySelectorAll('.cell,.line,.disc,.bar')]; const box = frame.getBoundingClientRect(); return \
        box.width < 200 || box.height < 60 || !marks.some(mark => mark.getTotalLength() > 0 || mark.getAttribute('d').length > 6) \
        }).map(frame => frame.getAttribute('aria-label'))";
    assert_eq!(browser.value(empty), json!([]), "{name}");
    for scheme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", media);
        assert_eq!(browser.value(FAINT), json!([]), "{name}, {scheme}");
    }
    browser.call("Emulation.setEmulatedMedia", json!({ "features": [] }));
    // On a telephone nothing is wider than the page.
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true }),
    );
    assert_eq!(browser.value("document.documentElement.scrollWidth"), 390, "{name}");
    // Nor on paper: A4 without its margins.
    let paper = json!({ "width": 688, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
    browser.call("Emulation.setDeviceMetricsOverride", paper);
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    assert!(browser.value("document.documentElement.scrollWidth").as_u64() <= Some(688), "{name}");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    browser.call("Emulation.clearDeviceMetricsOverride", json!({}));
    let unnamed = "[...document.querySelectorAll('figure,section>h2,.frame,.wide')].filter(part => !part.textContent.trim() && \
        !part.getAttribute('aria-label')).length + (document.querySelectorAll('h1').length - 1)";
    assert_eq!(browser.value(unnamed), 0, "one heading, and a name for everything");
    assert_eq!(browser.errors, Vec::<String>::new(), "{name}");
    eprintln!("{name}: {} bytes, open in {took:?}", fs::metadata(page).unwrap().len());
    browser.value("document.querySelectorAll('figure.plot').length").as_u64().unwrap()
}

/// The middle of the first frame of a figure, in pixels of the window, to which it is scrolled; told when that is drawn, for
/// a pointer meets what is.
fn middle(browser: &mut Browser, figure: &str) -> (f64, f64) {
    let place = browser.value(&format!(
        "(async () => {{ const frame = document.querySelector('#figure-{figure} .frame'); \
         frame.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
         for (const _ of [1, 2]) await new Promise(requestAnimationFrame); const box = frame.getBoundingClientRect(); \
         return [box.left + box.width / 2, box.top + box.height / 2] }})()"
    ));
    (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
}

/// What a figure's readout says; nothing while it is hidden.
fn told(browser: &mut Browser, figure: &str) -> String {
    let text = format!("document.querySelector('#figure-{figure} .tip:not([hidden])')?.textContent ?? ''");
    browser.value(&text).as_str().unwrap().to_string()
}

/// What a figure's readout says of its middle when the pointer goes there, moved again until the browser, which may be busy or
/// still laying the page out, has taken it.
fn told_of_middle(browser: &mut Browser, figure: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut step = 0.0;
    loop {
        let (x, y) = middle(browser, figure);
        browser.point(x + step, y);
        let text = told(browser, figure);
        if !text.is_empty() || Instant::now() > deadline {
            return text;
        }
        step = 1.0 - step;
    }
}

#[test]
#[ignore = "needs Chromium; ./check runs it"]
fn every_kind_of_run_directory_has_a_page_whose_figures_answer() {
    let (etalon, kinds) = run_directories();
    let mut browser = Browser::start();
    for (folder, answer) in kinds {
        let written = json(&etalon.run(&["report", folder, "--json"]).printed());
        assert!(written["answer"].as_str().unwrap().contains(answer), "{folder}: {written}");
        let page = etalon.path().join(folder).join("report.html");
        let figures = sound(&mut browser, &page);
        assert!(figures > 0, "{folder} has no figure");
        let title = browser.value("document.querySelector('h1').textContent.replaceAll('\\u00a0', ' ')");
        assert_eq!(title, written["answer"], "{folder}");
        // Each figure's picture and numbers lie beside the page, where its links lead.
        let links = browser
            .value("[...document.querySelectorAll('.files a')].map(link => link.getAttribute('href'))");
        let links = links.as_array().unwrap();
        assert_eq!(links.len() as u64, 2 * figures);
        for link in links {
            let content = etalon.read(&format!("{folder}/{}", link.as_str().unwrap()));
            let is_whole = content.ends_with("</svg>\n") || content.starts_with("panel,what,name,x,y,");
            assert!(is_whole, "{link}: {content}");
        }
    }
    let doubts = etalon.read("find/report.html");
    assert!(doubts.contains("In doubt") && doubts.contains("Batches of 64 samples"));

    sound(&mut browser, &etalon.path().join("phases/report.html"));
    assert_eq!(told(&mut browser, "phases"), "");
    let first = told_of_middle(&mut browser, "phases");
    assert!(first.contains("η = ") && first.contains("width = "), "{first}");
    let curves = "document.querySelectorAll('#figure-phases .detail path').length";
    assert_eq!(browser.value(curves), 2, "a loss curve for each seed of the cell");
    // The keyboard tells the same: focus, then the arrows from cell to cell, then away.
    browser.point(1.0, 1.0);
    browser.value("document.querySelector('#figure-phases .frame').focus({ focusVisible: true })");
    browser.press("ArrowLeft");
    let left = told(&mut browser, "phases");
    assert!(left != first && left.contains("η = "), "{left}");
    browser.press("Escape");
    assert_eq!(told(&mut browser, "phases"), "");
    // The ground of a figure, and the values of its series, with their spread.
    let ground = told_of_middle(&mut browser, "score");
    assert!(ground.starts_with("mostly "), "{ground}");
    browser.value("document.querySelector('#figure-score .frame').focus({ focusVisible: true })");
    for series in ["width 8", "width 16"] {
        let first = told(&mut browser, "score");
        assert!(
            first.starts_with(series) && first.contains("test loss: ") && first.contains(" to "),
            "{first}"
        );
        browser.press("ArrowRight");
        let second = told(&mut browser, "score");
        assert!(second.starts_with(series) && second != first, "{second}");
        browser.press("ArrowLeft");
        browser.press("ArrowDown");
    }
    assert_eq!(browser.errors, Vec::<String>::new());
    // The dark page is dark, and its text is not.
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    browser.call("Emulation.setEmulatedMedia", media);
    let lightness = |property: &str| {
        format!(
            "getComputedStyle(document.body).{property}.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0)"
        )
    };
    assert!(browser.value(&lightness("backgroundColor")).as_f64().unwrap() < 150.0);
    assert!(browser.value(&lightness("color")).as_f64().unwrap() > 500.0);
}

#[test]
#[ignore = "needs Chromium; ./check runs it"]
fn a_thousand_trials_fit_a_page_that_opens() {
    let grid =
        "optimizer.eta = { log = [1e-3, 10.0], points = 100 }\nseed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
    let etalon = etalon(grid);
    let spec = etalon.read("spec.toml").replace("steps = 20", "steps = 300");
    etalon.write("spec.toml", &spec);
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let written = json(&etalon.run(&["report", "run", "--json"]).printed());
    assert_eq!((&written["trials"], &written["unfinished"]), (&1000.into(), &0.into()));
    let bytes = written["bytes"].as_u64().unwrap();
    assert!((100_000..6_000_000).contains(&bytes), "{bytes}");
    sound(&mut Browser::start(), &etalon.path().join("run/report.html"));
}

#[test]
fn a_sweep_under_way_and_broken_trials_are_told_and_left_out() {
    let etalon = etalon("optimizer.eta = [0.01, 0.1, 1.0]\nseed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let trials: Vec<_> =
        fs::read_dir(etalon.path().join("run/trials")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let whole = fs::read(&trials[0]).unwrap();
    fs::write(&trials[0], &whole[..whole.len() / 2]).unwrap();
    fs::write(&trials[1], b"\xff\x00nothing\n").unwrap();
    let steps = whole.split_inclusive(|byte| *byte == b'\n').take(3).flatten().copied().collect::<Vec<u8>>();
    fs::write(&trials[2], steps).unwrap();
    fs::remove_file(&trials[3]).unwrap();
    let outcome = etalon.run(&["report", "run"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for (index, reason) in ["", "it is no text", "it has no result"].into_iter().enumerate() {
        let name = trials[index].file_name().unwrap().to_str().unwrap();
        let line = outcome
            .stderr
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{}", outcome.stderr));
        assert!(line.contains("left out") && line.contains(reason), "{line}");
    }
    assert!(outcome.stderr.contains("2 of 6 trials are done"), "{}", outcome.stderr);
    let page = etalon.read("run/report.html");
    assert!(page.contains("2 of 6 done, 3 broken and left out") && page.contains("3 files left out"));
    // As before the first trial has ended.
    trials.iter().for_each(|path| drop(fs::remove_file(path)));
    let outcome = etalon.run(&["report", "run", "-q"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("no trial is finished yet\n"), "{}", outcome.stdout);
}

#[test]
fn what_is_no_run_directory_is_refused() {
    let etalon = Etalon::new();
    fs::create_dir(etalon.path().join("empty")).unwrap();
    etalon.write("other/notes.txt", "");
    etalon.write("begun/meta.json", "{}");
    etalon.write("broken/find.json", "{\"eta_star\":");
    etalon.write("list/cells.csv", "trial,seed\na\n");
    etalon.write("file", "");
    for (folder, expected) in [
        ("nowhere", "does not exist"),
        ("empty", "is empty"),
        ("file", "is a file"),
        ("other", "holds no result (it has notes.txt)"),
        ("begun", "holds no result"),
        ("broken", "find.json: EOF"),
        ("list", "row 1 has 1 fields"),
    ] {
        let complaint = etalon.run(&["report", folder]).complaint();
        assert!(complaint.contains(expected), "{folder}: {complaint}");
    }
    etalon.write("good/odd.json", "{\"a\": 1, \"rows\": [{\"b\": 2.5}]}");
    let complaint = etalon.run(&["report", "good", "--out", "file/report.html"]).complaint();
    assert!(complaint.contains("file"), "{complaint}");
    etalon.run(&["report", "good", "--out", "elsewhere/odd.html"]).printed();
    let page = etalon.read("elsewhere/odd.html");
    assert!(page.contains("2.5") && page.contains("no meta.json"));
    assert!(!etalon.path().join("good/report.html").exists());
}

#[test]
fn groups_of_samples_are_drawn_as_an_order_of_learning() {
    let etalon = Etalon::new();
    etalon.run(&[&["train", "-q", "--out", "run", "train.steps=3"], &SMALL[..]].concat()).printed();
    let trial = json(&etalon.read("run/train.json"))["trial"].as_str().unwrap().to_string();
    let record = |step: u64| {
        let of = |fall: f64| json!({ "loss": (-fall * step as f64).exp(), "accuracy": 0.5 });
        json!({ "step": step, "eta": 0.5, "loss": 1.0, "groups": { "patch_only": of(2.0), "unpatched": of(0.5) } })
    };
    let lines = (0..4).map(|step| format!("{}\n", record(step))).collect::<String>();
    etalon.write(&format!("run/trials/{trial}.jsonl"), &lines);
    etalon.run(&["report", "run"]).printed();
    let page = etalon.read("run/report.html");
    assert!(page.contains("What is learnt when") && page.contains("patch only"));
    let numbers = etalon.read("run/figures/learning-order.csv");
    assert!(numbers.contains("\nloss,point,unpatched,2,0.36787944117144233,"), "{numbers}");
    assert!(numbers.contains("\naccuracy,point,patch only,3,0.5,"), "{numbers}");
}

#[test]
fn a_row_that_has_changed_is_told_and_left_out() {
    let etalon = etalon("seed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let trial = fs::read_dir(etalon.path().join("run/trials")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&trial).unwrap();
    fs::write(&trial, text.replacen("\"constant_loss\":", "\"eta_star\":", 1)).unwrap();
    let line = text.lines().count();
    let outcome = etalon.run(&["report", "run"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = format!(
        "{}: line {line}: it has no result, which is its last line: it has changed since it was written: its checksum is another",
        trial.file_name().unwrap().to_str().unwrap()
    );
    assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    // What goes on with the sweep makes it anew.
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    assert_eq!(fs::read_to_string(&trial).unwrap(), text);
    // Without a spec nobody knows what the trials are.
    fs::remove_file(etalon.path().join("run/spec.toml")).unwrap();
    let complaint = etalon.run(&["report", "run"]).complaint();
    assert!(complaint.contains("spec.toml: it is missing"), "{complaint}");
}

#[test]
fn hostile_names_are_text_on_a_page_and_in_its_pictures() {
    let etalon = Etalon::new();
    let name = "<script>alert('1')&\"x\"";
    let escaped = "&lt;script&gt;alert('1')&amp;&quot;x&quot;";
    // A folder's name, names and values of results, a value of a spec, a column of a table.
    let odd = json!({ name: 1, "rows": [{ name: name }] });
    etalon.write(&format!("{name}/odd.json"), &odd.to_string());
    etalon
        .write(&format!("{name}/spec.toml"), &format!("[data]\nname = \"\"\"{name}</pre></script>\"\"\"\n"));
    let measured = json!({ "name": name, "what": name, "unit": "", "value": 3, "low": 2.5, "high": 3.5, "count": 4, "interval": null });
    let claim = json!({
        "kind": "claim", "schema": 3, "id": "A-1", "paper": name, "place": name, "statement": name,
        "certainty": name, "size": "quick", "setting": name, "spec": null, "seed": 0, "command": name, "program": name,
        "measured": [measured], "rule": { "words": name, "conditions": [] },
        "verdict": "refuted", "reason": name, "seconds": 1, "cpu_seconds": null,
    });
    etalon.write(&format!("{name}/A-1/claim.json"), &claim.to_string());
    let quoted = name.replace('"', "\"\"");
    etalon.write(&format!("{name}/A-1/kept.csv"), &format!("seed,c,\"{quoted}\"\n0,1,0.9\n0,2,0.8\n"));
    etalon.run(&["report", name]).printed();
    let page = etalon.read(&format!("{name}/report.html"));
    for expected in [
        format!("<title>odd – {escaped}</title>"),
        format!("data-column=\"{escaped}\">{escaped}</td>"),
        format!("{escaped}&lt;/pre&gt;&lt;/script&gt;"),
        format!("<p class=\"up\">{escaped}</p>"),
        format!("<dt>{escaped}</dt><dd>3.000 (2.500 to 3.500, of 4)"),
    ] {
        assert!(page.contains(&expected), "{expected}: {page}");
    }
    // Its own, and the numbers of the figure.
    let count = |text: &str| page.matches(text).count();
    assert_eq!((count("<script>"), count("<script "), count("</script>"), count("</pre>")), (1, 1, 2, 1));
    assert!(!page.contains("&\"x\""), "no name ends an attribute");
    let svg = etalon.read(&format!("{name}/figures/A-1-kept.svg"));
    assert!(svg.contains(&format!(">{escaped}</text>")) && !svg.contains("<script"), "{svg}");
    let numbers = etalon.read(&format!("{name}/figures/A-1-kept.csv"));
    assert!(numbers.contains(&format!("\n\"{quoted}\",point,")), "{numbers}");
}

#[test]
fn the_ntk_is_an_axis_of_the_squared_loss_alone() {
    let etalon = Etalon::new();
    let spec = "[data]\ntrain = 50\ntest = 20\n[network]\nwidth = 8\n[train]\nbatch = \"full\"\nsteps = 3\n[grid]\njob = \"train\"\n\
                optimizer.eta = [0.01, 0.03]\ncurvature = true\n";
    for (loss, axis, words) in [
        ("mse", "c = η λ₀", "above 4 it does not come back"),
        ("cross_entropy", "learning rate η", "curvature λ, of the Hessian"),
    ] {
        etalon.write("spec.toml", &format!("loss = \"{loss}\"\n{spec}"));
        etalon.run(&["sweep", "spec.toml", "--out", loss]).printed();
        etalon.run(&["report", loss]).printed();
        let svg = etalon.read(&format!("{loss}/figures/score.svg"));
        assert!(svg.contains(&format!(">{axis}</text>")), "{svg}");
        assert_eq!(
            etalon.read(&format!("{loss}/figures/final-curvature.svg")).contains(">c = 2</text>"),
            loss == "mse"
        );
        assert!(etalon.read(&format!("{loss}/report.html")).contains(words));
    }
}
