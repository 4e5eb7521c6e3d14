//! A sweep on a cluster that breaks: the results have the same bytes as those made here.

mod cluster;

use cluster::{Cluster, MAX_ARRAY_SIZE};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// 120 trials of about a tenth of a second.
const SPEC: &str = "\
loss = \"mse\"
[data]
name = \"teacher\"
train = 64
test = 8
dimension = 4
[network]
depth = 1
width = 64
[train]
batch = \"full\"
steps = 3000
[grid]
optimizer.eta = { log = [1e-3, 1e-1], points = 30 }
seed = [0, 1, 2, 3]
";

/// More than the cluster's four processors, and more than an array takes.
const SHARDS: usize = 8;

const ETALON: &str = env!("CARGO_BIN_EXE_etalon");

impl Cluster {
    fn sweep(&self, options: &[&str]) -> Value {
        let arguments = ["sweep", "spec.toml", "--out", "run", "--on", "slurm", "--json"];
        let shards = SHARDS.to_string();
        let text = self.run(ETALON, &[&arguments[..], &["--shards", &shards], options].concat());
        serde_json::from_str(&text).unwrap()
    }

    fn status(&self) -> Value {
        let text = self.run(ETALON, &["status", "run", "--json"]);
        let status: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status["slurm_error"], Value::Null, "Slurm answers");
        status
    }

    fn resume(&self, nodes: &str) {
        // A node that has come back by itself need not be resumed, and then cannot be.
        self.output("scontrol", &["update", &format!("nodename={nodes}"), "state=resume"]);
    }
}

/// Every result, and the summary.
fn results(root: &Path) -> Vec<(String, Vec<u8>)> {
    let read =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    let mut files: Vec<_> = fs::read_dir(root.join("trials")).unwrap().flatten().map(read).collect();
    files.sort();
    files.push(("summary.csv".into(), fs::read(root.join("summary.csv")).unwrap()));
    files
}

#[test]
#[ignore = "needs munge and Slurm; ./check runs it"]
fn a_sweep_on_a_cluster_that_breaks_has_the_same_bytes() {
    let cluster = Cluster::start();
    let root = cluster.path().to_path_buf();
    fs::write(root.join("spec.toml"), SPEC).unwrap();
    cluster.run(ETALON, &["sweep", "spec.toml", "--out", "local"]);

    // Slurm's refusal comes through, and is in the way of nothing.
    let arguments = ["sweep", "spec.toml", "--out", "run", "--on", "slurm", "--slurm", "partition=none"];
    let refused = cluster.output(ETALON, &arguments);
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("invalid partition specified: none"), "{complaint}");

    // No job can be launched: Slurm holds them for ever, and status says how to free them.
    fs::write(root.join("refuse"), "").unwrap();
    let submitted = cluster.sweep(&[]);
    assert_eq!((&submitted["submission"], &submitted["elements"]), (&"submitted".into(), &SHARDS.into()));
    let arrays = SHARDS.div_ceil(MAX_ARRAY_SIZE - 1);
    assert_eq!(submitted["arrays"].as_array().unwrap().len(), arrays, "no array is longer than Slurm takes");
    let held = cluster.until("an element cannot be launched", |cluster| {
        let held = cluster.status()["slurm"]["held"].as_object().unwrap().clone();
        (held.len() >= 2).then_some(held)
    });
    assert!(held.values().all(|reason| reason == "launch failed requeued held"), "{held:?}");
    let advice = String::from_utf8(cluster.output(ETALON, &["status", "run"]).stderr).unwrap();
    let release = advice.trim().split_once("free them with: scontrol ").unwrap().1;
    assert_eq!(cluster.sweep(&[])["submission"], "alive", "jobs that are held are not submitted again");
    fs::remove_file(root.join("refuse")).unwrap();
    cluster.resume("n1,n2");
    cluster.run("scontrol", &release.split(' ').collect::<Vec<_>>());

    // A worker dies, and a node is lost; what ran there runs on as an orphan while Slurm starts it again.
    let victim = cluster.until("workers on both nodes have begun", |cluster| {
        let done = cluster.status()["done"].as_u64().unwrap();
        let (staying, lost) = (cluster.workers("n1"), cluster.workers("n2"));
        if done >= 3 && !lost.is_empty() { staying.first().copied() } else { None }
    });
    cluster.kill(&[victim]);
    cluster.run("scontrol", &["update", "nodename=n2", "state=down", "reason=test"]);
    cluster.until("the lost node's elements wait", |cluster| {
        (!cluster.status()["slurm"]["waiting"].as_object().unwrap().is_empty()).then_some(())
    });
    cluster.resume("n2");

    // The collector submits what the dead worker left.
    let status = cluster.until("no job is left", |cluster| {
        let status = cluster.status();
        let over = status["slurm"]["jobs"].as_array().unwrap().is_empty();
        over.then_some(status)
    });
    let (rounds, log) = (&status["slurm"]["round"], collector_logs(&root));
    assert_eq!((&status["done"], &status["failed"]), (&120.into(), &0.into()), "{log}");
    assert!(rounds.as_u64() > Some(2), "the refused round, the broken one and at least one more: {log}");
    assert!(results(&root.join("run")) == results(&root.join("local")), "a byte differs");
    assert_eq!(cluster.sweep(&[])["submission"], "done");
}

#[test]
#[ignore = "needs munge and Slurm; ./check runs it"]
fn jobs_of_others_with_the_names_of_a_sweeps_change_nothing() {
    let cluster = Cluster::start();
    let root = cluster.path();
    fs::write(root.join("spec.toml"), SPEC.replace("points = 30", "points = 2")).unwrap();
    // What is refused tells how the jobs of this folder are named.
    cluster.output(
        ETALON,
        &["sweep", "spec.toml", "--out", "run", "--on", "slurm", "--slurm", "partition=none"],
    );
    let script = fs::read_to_string(root.join("run/slurm/round-1/array-1.sh")).unwrap();
    let name = script.lines().find_map(|line| line.strip_prefix("#SBATCH --job-name=")).unwrap();
    let foreign = |end: &str| {
        let name = format!("--job-name={}{end}", name.strip_suffix("-1-1").unwrap());
        cluster.run("sbatch", &["--hold", &name, "--wrap=true", "--output=/dev/null"]);
    };
    // Before the sweep is submitted, and behind it.
    ["-2-1", "-2-collect"].into_iter().for_each(foreign);
    assert_eq!(cluster.sweep(&[])["submission"], "submitted");
    ["-2-1", "-1-collect"].into_iter().for_each(foreign);
    let status = cluster.until("no job is left", |cluster| {
        let status = cluster.status();
        status["slurm"]["jobs"].as_array().unwrap().is_empty().then_some(status)
    });
    assert_eq!((&status["done"], &status["slurm"]["held"]), (&8.into(), &serde_json::json!({})));
    assert_eq!(cluster.sweep(&[])["submission"], "done");
}

/// What the collectors wrote.
fn collector_logs(root: &Path) -> String {
    let rounds = fs::read_dir(root.join("run/slurm")).unwrap().flatten();
    let files = rounds.flat_map(|round| fs::read_dir(round.path()).unwrap().flatten());
    let logs = files.filter(|file| file.file_name().to_str().unwrap().starts_with("collect-"));
    logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect()
}

/// Gradient descent on `curvature x^2 / 2`, a training of about a tenth of a second.
const TRAIN: &str = r#"sleep 0.1
exec awk -v eta="$1" -v curvature="$2" 'BEGIN {
    x = 1
    for (step = 0; step <= 60; step++) {
        printf "{\"step\": %d, \"loss\": %.17g}\n", step, curvature * x * x / 2
        x -= eta * curvature * x
    }
}' > "$3"
"#;

#[test]
#[ignore = "needs munge and Slurm; ./check runs it"]
fn a_sweep_of_a_trainer_on_a_cluster_that_loses_a_node_has_the_same_bytes() {
    let cluster = Cluster::start();
    let root = cluster.path().to_path_buf();
    fs::write(root.join("train.sh"), TRAIN).unwrap();
    let spec = format!(
        "trainer.command = \"sh {}/train.sh {{eta}} {{curvature}} {{log}}\"\ntrainer.start = 0.1\nsearch.seeds = 1\n\
         search.eta_star = \"only\"\n[grid]\njob = \"find\"\n\
         trainer.parameters.curvature = [1, 2, 3, 4, 5, 6, 7, 8]\n",
        root.display()
    );
    fs::write(root.join("spec.toml"), spec).unwrap();
    cluster.run(ETALON, &["sweep", "spec.toml", "--out", "local"]);
    cluster.sweep(&[]);
    cluster.until("workers on both nodes have begun", |cluster| {
        let begun = ["n1", "n2"].iter().all(|node| !cluster.workers(node).is_empty());
        (begun && root.join("run/probes").exists()).then_some(())
    });
    cluster.run("scontrol", &["update", "nodename=n2", "state=down", "reason=test"]);
    cluster.until("the lost node's elements wait", |cluster| {
        (!cluster.status()["slurm"]["waiting"].as_object().unwrap().is_empty()).then_some(())
    });
    cluster.resume("n2");
    let status = cluster.until("no job is left", |cluster| {
        let status = cluster.status();
        status["slurm"]["jobs"].as_array().unwrap().is_empty().then_some(status)
    });
    let log = collector_logs(&root);
    assert_eq!((&status["done"], &status["failed"]), (&8.into(), &0.into()), "{log}");
    assert!(results(&root.join("run")) == results(&root.join("local")), "a byte differs");
}

#[test]
#[ignore = "needs munge and Slurm; ./check runs it"]
fn a_search_whose_trainings_are_on_all_nodes_of_a_cluster_that_loses_one_has_the_same_result() {
    let cluster = Cluster::start();
    let root = cluster.path().to_path_buf();
    fs::write(root.join("train.sh"), TRAIN).unwrap();
    let search = |launcher: &str, out: &str| {
        let trainer = format!("{launcher} sh {}/train.sh {{eta}} 3 {{log}} {{seed}}", root.display());
        let mut command = cluster.command(ETALON);
        command.args([
            "find",
            "--trainer",
            &trainer,
            "--slots",
            "4",
            "--start",
            "0.1",
            "--out",
            out,
            "--json",
        ]);
        command.arg("trainer.retries=2").stdout(fs::File::create(root.join(format!("{out}.json"))).unwrap());
        command.stderr(fs::File::create(root.join(format!("{out}.log"))).unwrap()).spawn().unwrap()
    };
    let result = |out: &str| {
        let [found, log] =
            ["json", "log"].map(|end| fs::read_to_string(root.join(format!("{out}.{end}"))).unwrap());
        assert!(!found.is_empty(), "{log}{}", cluster.logs());
        found
    };
    assert!(search("", "local").wait().unwrap().success(), "{}", result("local"));
    // Every training is a step of its own, on whatever node has room.
    let mut spread = search("srun --quiet --nodes=1 --ntasks=1 --mem=50", "spread");
    let script = format!("{}/train.sh", root.display());
    cluster.until("trainings on both nodes have begun", |cluster| {
        ["n1", "n2"].iter().all(|node| !cluster.on(node, &script).is_empty()).then_some(())
    });
    cluster.run("scontrol", &["update", "nodename=n2", "state=down", "reason=test"]);
    cluster.until("nothing is on the lost node", |cluster| {
        let jobs = cluster.run("squeue", &["--noheader", "--nodelist=n2", "--states=all", "--format=%T"]);
        jobs.contains("NODE_FAIL").then_some(())
    });
    cluster.resume("n2");
    assert!(spread.wait().unwrap().success(), "{}", result("spread"));
    // Times are those of the machine.
    let answer = |out: &str| -> Vec<String> {
        result(out).lines().filter(|line| !line.contains("\"seconds\"")).map(String::from).collect()
    };
    assert_eq!(answer("spread"), answer("local"));
}

/// A training that keeps which GPU it was given, and which of them its job had.
const ON_GPU: &str =
    r#"echo "$SLURMD_NODENAME $1 $CUDA_VISIBLE_DEVICES" >> "$2"; sleep 2; echo loss: 1; echo loss: 0.5"#;

#[test]
#[ignore = "needs munge and Slurm; ./check runs it"]
fn trainings_in_a_job_have_the_gpus_that_slurm_gave_it() {
    let cluster = Cluster::start();
    let root = cluster.path().to_path_buf();
    fs::write(root.join("train.sh"), ON_GPU).unwrap();
    let spec = |job_sees: &str| {
        format!(
            "optimizer.eta = 0.1\ntrainer.command = \"sh {0}/train.sh {job_sees} {0}/seen {{eta}} {{seed}}\"\ntrainer.slots = 2\n\
             trainer.env = {{ CUDA_VISIBLE_DEVICES = \"{{gpu}}\" }}\n[grid]\nseed = [1, 2, 3, 4, 5, 6, 7, 8]\n",
            root.display()
        )
    };
    let seen = |out: &str, slots: &str, options: &[&str]| -> Vec<Vec<String>> {
        fs::write(root.join("spec.toml"), spec("{slot}")).unwrap();
        let _ = fs::remove_file(root.join("seen"));
        let words = ["sweep", "spec.toml", slots, "--out", out, "--on", "slurm", "--json"];
        cluster.run(ETALON, &[&words[..], options].concat());
        cluster.until("all trainings are done", |cluster| {
            let text = cluster.run(ETALON, &["status", out, "--json"]);
            let status: Value = serde_json::from_str(&text).unwrap();
            (status["done"] == 8 && status["slurm"]["jobs"].as_array().unwrap().is_empty()).then_some(())
        });
        let text = fs::read_to_string(root.join("seen")).unwrap();
        text.lines().map(|line| line.split_whitespace().map(String::from).collect()).collect()
    };
    // A job with one GPU each: the second one of a node is no other's, though both have the slot 0.
    let single = seen("single", "trainer.slots=1", &["--slurm", "gres=gpu:1"]);
    assert!(single.iter().all(|line| line[1] == "0"), "{single:?}");
    for gpu in ["0", "1"] {
        assert!(single.iter().any(|line| line[2] == gpu), "{single:?}");
    }
    // A job with both GPUs of a node: each slot has its own.
    let both = seen("both", "trainer.slots=2", &["--slurm", "gres=gpu:2", "--slurm", "cpus-per-task=2"]);
    assert!(both.len() == 8 && both.iter().all(|line| line[1] == line[2]), "{both:?}");
    assert!(both.iter().any(|line| line[1] == "1"), "{both:?}");
}
