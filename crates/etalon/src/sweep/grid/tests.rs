use super::*;

fn error(text: &str) -> SpecError {
    Grid::parse(text).unwrap_err()
}

fn rows(grid: &Grid) -> Vec<Vec<String>> {
    let row = |cell| grid.values(cell).iter().map(ToString::to_string).collect();
    grid.cells().iter().map(row).collect()
}

#[test]
fn cells_come_in_the_order_of_the_file_the_first_key_slowest() {
    let text = "[train]\nsteps = 5\n[grid]\n\"network.width\" = [64, 1e2]\nseed = [2, 0]\n";
    let grid = Grid::parse(text).unwrap();
    assert_eq!(rows(&grid), [["64", "2"], ["64", "0"], ["100", "2"], ["100", "0"]]);
    let spec = grid.spec(&grid.cells()[2]).unwrap();
    assert_eq!(
        (spec.network.width, spec.seed, grid.cells()[2].name.as_str()),
        (100, 2, spec.hash().as_str())
    );
    let expected = Spec::parse("seed = 2\n[train]\nsteps = 5\n[network]\nwidth = 100").unwrap();
    assert_eq!(spec, expected);
}

#[test]
fn ranges_lists_and_dotted_keys() {
    let text = "[grid]\noptimizer.eta = { log = [1e-3, 10.0], points = 5 }\n\
        \"optimizer.momentum\" = { linear = [0, 0.5], points = 3 }\n\
        network.width = { log = [1, 4], points = 5 }\n\"data.classes\" = [[0, 1], [2, 3]]\n";
    let grid = Grid::parse(text).unwrap();
    let numbers = |axis: usize| -> Vec<f64> {
        grid.axes()[axis].values.iter().map(|value| value.as_float().unwrap()).collect()
    };
    for (value, expected) in numbers(0).iter().zip([1e-3, 1e-2, 0.1, 1.0, 10.0]) {
        assert!((value / expected - 1.0).abs() < 1e-14, "{value}");
    }
    assert_eq!((numbers(0)[0], numbers(0)[4], numbers(1)), (1e-3, 10.0, vec![0.0, 0.25, 0.5]));
    // 1, 1.41, 2, 2.83 and 4 have four nearest whole numbers.
    assert_eq!(grid.axes()[2].values, [1, 2, 3, 4].map(Value::Integer).to_vec()[..]);
    assert_eq!(grid.cells().len(), 5 * 3 * 4 * 2);
}

#[test]
fn constraints_leave_cells_out() {
    let text = "[grid]\nnetwork.depth = [1, 2, 4]\nnetwork.width = [16, 32]\n\
        where = [\"network.width >= 12 * network.depth\", \"network.depth != 2\"]\n";
    assert_eq!(rows(&Grid::parse(text).unwrap()), [["1", "16"], ["1", "32"]]);
    let none = error(&text.replace("12 *", "100 *")).to_string();
    assert!(none.starts_with("the grid has 0 cells: none of 6 meets"), "{none}");
    let fault = error(&text.replace("network.depth !=", "network.dept !="));
    assert!(fault.to_string().contains("`network.dept`") && fault.line() == Some(4), "{fault}");
    let fault =
        error("[train]\nbatch = \"full\"\n[grid]\nseed = [1]\nwhere = \"train.batch > 2\"").to_string();
    assert!(fault.contains("`train.batch` in `train.batch > 2` has no value that is a number"), "{fault}");
}

#[test]
fn a_grid_reads_back_to_the_same_cells() {
    for text in [
        "seed = 7\n[grid]\nnetwork.depth = [1, 2]\noptimizer.eta = { log = [1e-3, 7.0], points = 9 }\n\
         where = \"network.width > network.depth\"",
        "loss = \"mse\"\n[data]\nmargin = 1.0\n[grid]\ndata.name = [\"point\", \"degenerate\"]",
        "[train]\nsteps = 9\n[grid]\njob = \"find\"\ntrain.epochs = [1, 2.5]",
        "[optimizer]\nnesterov = true\n[grid]\noptimizer.momentum = [0.5, 0.9]",
        "[grid]\njob = \"boundaries\"\nnetwork.width = { log = [8, 80], points = 5 }",
        "[grid]\ncurvature = true",
        "[grid]",
    ] {
        let grid = Grid::parse(text).unwrap();
        let again = Grid::parse(&grid.to_toml().unwrap()).unwrap();
        assert_eq!(again.cells(), grid.cells(), "{}", grid.to_toml().unwrap());
        let ranges = |text: &str| text.matches("], points = ").count();
        assert_eq!(ranges(&grid.to_toml().unwrap()), ranges(text), "a range stays a range");
        assert_eq!((again.job(), again.to_toml().unwrap()), (grid.job(), grid.to_toml().unwrap()));
    }
}

#[test]
fn faults_show_their_line() {
    for (line, expected) in [
        ("network.widht = [1]", "did you mean `network.width`?"),
        ("\"optimizer.etta\" = { log = [1, 2], points = 3 }", "unknown key `optimizer.etta`"),
        ("network.width = [64, 0]", "`network.width` must be at least 1"),
        ("network.width = [64, -1]", "takes a whole number from 0 on, not -1"),
        ("network.width = [64, 64.0]", "lists 64 twice"),
        ("network.width = 64", "takes a list or a range in a grid, not 64"),
        ("network.width = []", "0 cells"),
        ("optimizer.eta = { log = [0, 1], points = 3 }", "both must be above 0"),
        ("optimizer.eta = { log = [1, 2] }", "needs points"),
        ("optimizer.eta = { log = [1, 2], linear = [1, 2], points = 2 }", "a range is {"),
        ("optimizer.eta = { log = [1, 2, 3], points = 2 }", "a range is {"),
        ("job = \"measure\"", "`grid.job` takes train, find or boundaries"),
        ("curvature = 1", "`grid.curvature` takes true or false, not 1"),
        ("curvature = true\njob = \"find\"", "is for job = \"train\""),
        ("where = [\"network.width >\"]", "missing"),
        ("where = [3]", "takes comparisons as text"),
    ] {
        let fault = error(&format!("seed = 1\n[grid]\n{line}\n"));
        assert!(fault.to_string().contains(expected), "{line}: {fault}");
        assert_eq!(fault.line(), Some(3), "{fault}");
    }
    let many = error(
        "[grid]\nseed = { linear = [0, 1999], points = 2000 }\ndata.seed = { linear = [1, 1000], points = 1000 }",
    );
    assert!(many.to_string().contains("2000000 cells"), "{many}");
}

#[test]
fn overrides_replace_axes_and_do_not_contradict_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, "[grid]\nnetwork.width = [64, 128]\nseed = [0, 1]\n").unwrap();
    let load = |overrides: &[&str]| {
        Grid::load(Some(&path), &overrides.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let grid = load(&["grid.network.width=[8]", "train.steps=3"]).unwrap();
    assert_eq!(rows(&grid), [["8", "0"], ["8", "1"]]);
    let fault = load(&["network.width=8"]).unwrap_err().to_string();
    assert!(
        fault.contains("`network.width` is in the grid") && fault.contains("grid.network.width=["),
        "{fault}"
    );
    let fault = load(&["grid.train.epochs=[1, 2]", "train.steps=8"]).unwrap_err().to_string();
    assert!(fault.contains("`train.epochs` is in the grid"), "{fault}");
    // Other verbs have no use for a grid.
    let fault = Spec::load(Some(&path), &[]).unwrap_err();
    assert!(fault.to_string().contains("belongs to a sweep") && fault.line() == Some(2), "{fault}");
}
