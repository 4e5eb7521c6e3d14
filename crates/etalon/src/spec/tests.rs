use super::*;

fn error(text: &str) -> String {
    Spec::parse(text).unwrap_err().to_string()
}

fn overridden(arguments: &[&str]) -> Result<Spec, SpecError> {
    Spec::load(None, &arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
}

#[test]
fn a_resolved_spec_spells_out_every_key_and_reads_back() {
    let mut spec = Spec::default();
    for budget in [Budget::Steps(7), Budget::Epochs(2.5), Budget::PhysicalTime(250.0)] {
        spec.train.budget = budget;
        spec.optimizer.factors.insert("layers.1.bias".into(), 0.5);
        spec.search.range = vec![1e-3, 10.0];
        assert_eq!(Spec::parse(&spec.to_toml()).unwrap(), spec, "{}", spec.to_toml());
    }
    // All but two of the three budget keys, the four of procedural data sets, the checksum of data of the user's own, the
    // samples of a search, seven that may be left open, the kind and constants of AdamW, and the fourteen of trainers.
    let lines = Spec::default().to_toml().lines().filter(|line| line.contains(" = ")).count();
    assert_eq!(lines, KEYS.len() - 33);
    let adamw = overridden(&["optimizer.kind=adamw", "optimizer.beta2=0.99"]).unwrap();
    assert_eq!(Spec::parse(&adamw.to_toml()).unwrap(), adamw);
    assert_eq!(adamw.to_toml().lines().filter(|line| line.contains(" = ")).count(), lines + 4);
}

#[test]
fn toys_have_defaults_of_their_own() {
    let point = Spec::parse("loss = \"mse\"\n[data]\nname = \"point\"").unwrap();
    assert_eq!((point.data.normalize, point.data.train), (Normalization::None, 0));
    let text = "[data]\nname = \"degenerate\"\nnormalize = \"pixel\"\npositive = 0.7";
    let degenerate = Spec::parse(text).unwrap();
    assert_eq!((degenerate.data.normalize, degenerate.data.positive), (Normalization::Pixel, Some(0.7)));
    assert_eq!(Spec::parse(&degenerate.to_toml()).unwrap(), degenerate);
}

#[test]
fn the_hash_follows_what_is_computed() {
    let spec = Spec::default();
    assert_eq!(spec.hash().len(), 16);
    assert_eq!(Spec::parse("seed = 0\n[optimizer]\neta = 0.1").unwrap().hash(), spec.hash());
    assert_ne!(Spec::parse("[optimizer]\neta = 0.2").unwrap().hash(), spec.hash());
    // A kind that need not be said leaves names as they were.
    assert_eq!(Spec::parse("[optimizer]\nkind = \"sgd\"").unwrap().hash(), spec.hash());
    let adamw = |more: &str| {
        Spec::parse(&format!("[optimizer]\nkind = \"adamw\"\neta = 0.1\n{more}")).unwrap().hash()
    };
    assert_ne!(adamw(""), spec.hash());
    assert_ne!(adamw("beta1 = 0.8"), adamw(""));
}

#[test]
fn all_misspelt_keys_are_told_at_once() {
    let text = error("[network]\nwidht = 64\ndept = 3\n[optimizer]\nkindd = \"adamw\"\n");
    for near in ["network.width", "network.depth", "optimizer.kind"] {
        assert!(text.contains(&format!("did you mean `{near}`?")), "{text}");
    }
    assert_eq!(text.matches("unknown key").count(), 3, "{text}");
}

#[test]
fn an_unknown_key_shows_its_line_and_the_nearest_key() {
    let text = "seed = 1\n\n[network]\nwidht = 64\n";
    let fault = Spec::parse(text).unwrap_err();
    assert_eq!(fault.line(), Some(4));
    assert_eq!(
        fault.to_string(),
        "unknown key `network.widht`\n --> spec:4:1\n  |\n4 | widht = 64\n  | ^^^^^\nhelp: did you mean `network.width`?"
    );
    // A right name in the wrong section.
    assert!(error("[train]\neta = 0.1").contains("did you mean `optimizer.eta`?"));
    assert!(error("[zebra]").contains("unknown key `zebra`"));
    assert!(error("qqqqqqqqqqq = 1").contains("`etalon spec --keys` lists every key"));
    let text = overridden(&["optimiser.eta=1"]).unwrap_err().to_string();
    assert!(text.contains("did you mean `optimizer.eta`?"), "{text}");
}

#[test]
fn a_value_of_the_wrong_kind_or_range_is_marked() {
    for (text, expected) in [
        ("[network]\nwidth = 0", "`network.width` must be at least 1"),
        ("[network]\nwidth = -3", "`network.width` takes a whole number from 0 on, not -3"),
        ("[network]\nwidth = 2.5", "takes a whole number, not 2.5"),
        ("[network]\nactivation = \"rleu\"", "takes relu, tanh, gelu or identity, not \"rleu\""),
        ("[optimizer]\neta = 0.0", "`optimizer.eta` is 0; it must be a finite number above 0"),
        ("[optimizer]\neta = -1", "is -1; it must be"),
        ("[optimizer]\neta = nan", "is NaN; it must be"),
        ("[optimizer]\neta = inf", "is inf; it must be"),
        ("[optimizer]\nmomentum = 1.0", "`optimizer.momentum` is 1;"),
        ("[optimizer]\nnesterov = true", "but optimizer.momentum is 0"),
        ("[optimizer]\nkind = \"adam\"", "takes sgd or adamw"),
        (
            "[optimizer]\nkind = \"adamw\"\nmomentum = 0.9",
            "`optimizer.momentum` is 0.9, and belongs to kind = \"sgd\"",
        ),
        ("[optimizer]\nkind = \"adamw\"\nnesterov = true", "is true, and belongs to kind = \"sgd\""),
        ("[optimizer]\nkind = \"adamw\"\nbeta1 = 1.0", "`optimizer.beta1` is 1; it must be 0 or above"),
        ("[optimizer]\nkind = \"adamw\"\nepsilon = 0.0", "`optimizer.epsilon` is 0; it must be"),
        ("[optimizer]\nbeta2 = 0.9", "`optimizer.beta2` is 0.9, and belongs to kind = \"adamw\""),
        (
            "[network]\nparametrization = \"mup\"\n[optimizer]\nkind = \"adamw\"",
            "are those of gradient descent",
        ),
        (
            "[optimizer]\nkind = \"adamw\"\n[schedule]\nconversion = \"exact\"",
            "decoupled weight decay (AdamW, SGDW) is not covered",
        ),
        ("[schedule]\nkind = \"one_cycle\"\nwarmup = 5", "`schedule.warmup` must be 0 with"),
        (
            "[schedule]\nkind = \"piecewise\"\nmilestones = [0, 5]\nfactors = [1.0]",
            "has 1 numbers and schedule.milestones 2",
        ),
        ("[schedule]\nkind = \"piecewise\"\nmilestones = [0]\nfactors = [-1.0]", "has -1; a factor is"),
        ("[schedule]\nkind = \"wsd\"\ndecay = 0", "`schedule.decay` must be at least 1"),
        ("[schedule]\nfile = \"rates.csv\"", "`schedule.file` is read by schedule.kind"),
        ("[schedule]\nrise = 1.0", "`schedule.rise` is 1; it must be 0 or above, and below 1"),
        (
            "[optimizer]\nmomentum = 0.9\nnesterov = true\n[schedule]\nconversion = \"exact\"",
            "Nesterov momentum is not covered",
        ),
        ("[network]\nkind = \"cnn\"\nresidual = true", "belongs to kind = \"mlp\""),
        ("[network]\nfan = \"out\"", "which kind = \"mlp\" does not know"),
        ("[search]\nthreshold = 1.5", "which no accuracy reaches"),
        ("[search]\nrange = [2.0, 1.0]", "the lower one first"),
        ("[train]\nbatch = \"half\"", "takes a number of samples or \"full\""),
        ("[train]\nsteps = 0", "`train.steps` must be at least 1"),
        ("[train]\nsteps = 5\nepochs = 1", "both say how long to train"),
        ("[data]\ntrain = 0", "takes at least 1 sample"),
        ("seed = [", "not valid TOML"),
    ] {
        let fault = Spec::parse(text).unwrap_err();
        assert!(fault.to_string().contains(expected), "{text}: {fault}");
        assert!(fault.line().is_some(), "{text}: the line is shown");
    }
}

#[test]
fn a_kind_of_network_has_the_defaults_of_its_paper() {
    let wide =
        Spec::parse("[network]\nkind = \"wrn\"\nwiden = 2\n[data.augment]\nflip = true\ncrop = 4").unwrap();
    assert_eq!((wide.network.depth, wide.network.width, wide.network.widen), (16, 16, 2));
    assert_eq!((wide.network.normalizer, wide.network.fan), (Normalizer::Batch, Fan::Out));
    assert_eq!(wide.data.normalize, Normalization::Channel);
    assert_eq!(Spec::parse(&wide.to_toml()).unwrap(), wide);
    let text =
        "[network]\nkind = \"preresnet\"\ndepth = 8\nnormalizer = \"none\"\n[data]\nnormalize = \"pixel\"";
    let plain = Spec::parse(text).unwrap();
    assert_eq!((plain.network.depth, plain.network.normalizer), (8, Normalizer::None));
    assert_eq!(plain.data.normalize, Normalization::Pixel);
}

#[test]
fn overrides_win_over_the_file_and_need_no_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, "loss = \"mse\"\n[train]\nsteps = 9\n[network]\nwidth = 64\n").unwrap();
    let arguments = ["network.width=1e2", "loss=logistic", "train.epochs=3", "data.classes=[1, 2]"];
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
    let spec = Spec::load(Some(&path), &arguments).unwrap();
    assert_eq!((spec.network.width, spec.loss), (100, Loss::Logistic));
    assert_eq!((spec.train.budget, spec.data.classes), (Budget::Epochs(3.0), vec![1, 2]));
    assert!(overridden(&["width"]).unwrap_err().to_string().contains("neither a file nor an override"));
    assert!(overridden(&["seed=[1"]).unwrap_err().to_string().contains("no readable value"));
    let missing = Spec::load(Some(&folder.path().join("none.toml")), &[]).unwrap_err().to_string();
    assert!(missing.contains("cannot read the spec"), "{missing}");
    // An optimiser's rate of 0.1 that was typed is the same as one that was not.
    assert_eq!(overridden(&["optimizer.eta=0.1"]).unwrap(), Spec::default());
}

#[test]
fn a_schedule_in_a_file_is_part_of_the_trials_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rates.csv");
    std::fs::write(&path, "step,eta\n0,0.5\n10,0.25\n").unwrap();
    let file = format!("schedule.file={}", path.display());
    let load = || overridden(&["schedule.kind=file", &file]);
    let spec = load().unwrap();
    assert_eq!((spec.optimizer.eta, spec.schedule.sha256.len()), (0.5, 64));
    let schedule = spec.schedule.schedule().unwrap();
    assert_eq!((schedule.rate(0.5, 9, 20), schedule.rate(2.0, 10, 20)), (0.5, 1.0));
    assert_eq!(overridden(&["schedule.kind=file", &file, "optimizer.eta=2"]).unwrap().optimizer.eta, 2.0);
    std::fs::write(&path, "step,eta\n0,0.5\n10,0.125\n").unwrap();
    assert_ne!(load().unwrap().hash(), spec.hash());
    let changed = Spec::parse(&spec.to_toml()).unwrap_err().to_string();
    assert!(changed.contains("has changed: its sha256 is"), "{changed}");
    std::fs::remove_file(&path).unwrap();
    let missing = load().unwrap_err().to_string();
    assert!(missing.contains("`schedule.file`: cannot read the schedule"), "{missing}");
}
