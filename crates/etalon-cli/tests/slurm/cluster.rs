//! A cluster of Slurm's own daemons on the loopback interface, all of whose files lie under one temporary folder.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The most elements of an array, plus one: small, so that a sweep needs several arrays.
pub(crate) const MAX_ARRAY_SIZE: usize = 5;

/// Two nodes, `n1` and `n2`, with two processors and two GPUs each. Its daemons, its jobs and its files end with it.
pub(crate) struct Cluster {
    folder: TempDir,
}

impl Cluster {
    /// Starts the daemons and waits until both nodes are idle.
    pub(crate) fn start() -> Cluster {
        for program in ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo"] {
            let found = paths().any(|folder| folder.join(program).exists());
            assert!(found, "the tests on Slurm need `{program}`: sudo apt-get install slurm-wlm munge");
        }
        // Short, for a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("etalon-").tempdir_in("/tmp").unwrap();
        let cluster = Cluster { folder };
        for name in ["run", "state", "spool"] {
            fs::create_dir(cluster.path().join(name)).unwrap();
        }
        cluster.configure();
        cluster.start_munge();
        cluster.run("slurmctld", &[]);
        cluster.run("slurmd", &["-N", "n1"]);
        cluster.run("slurmd", &["-N", "n2"]);
        cluster.until("both nodes are idle", |cluster| {
            let answer = cluster.output("sinfo", &["--noheader", "--Node", "--format=%T"]);
            let states = String::from_utf8(answer.stdout).unwrap();
            (states.split_whitespace().collect::<Vec<_>>() == ["idle", "idle"]).then_some(())
        });
        cluster
    }

    /// The folder of everything.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn configure(&self) {
        let root = self.path().display();
        let host = self.text("hostname", &["-s"]);
        let user = self.text("id", &["-un"]);
        let resolved = self.output("getent", &["hosts", &host]).status.success();
        assert!(
            resolved,
            "the name of this machine has no address; add a line to /etc/hosts: 127.0.0.1 {host}"
        );
        let [controller, first, second] = free_ports();
        // Jobs that cannot be launched while the file `refuse` exists.
        let prolog = format!("#!/bin/sh\n[ ! -e {root}/refuse ]\n");
        fs::write(self.path().join("prolog"), prolog).unwrap();
        self.run("chmod", &["+x", &format!("{root}/prolog")]);
        let text = format!(
            "ClusterName=etalon\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\n\
             CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n\
             AuthType=auth/munge\nCredType=cred/munge\nAuthInfo=socket={root}/run/munge.socket,cred_expire=5\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             SlurmUser={user}\nSlurmdUser={user}\nMpiDefault=none\nSwitchType=switch/none\nMailProg=/bin/true\n\
             ReturnToService=2\nStateSaveLocation={root}/state\nSlurmdSpoolDir={root}/spool/%n\n\
             SlurmctldPidFile={root}/run/slurmctld.pid\nSlurmdPidFile={root}/run/slurmd-%n.pid\n\
             SlurmctldLogFile={root}/slurmctld.log\nSlurmdLogFile={root}/slurmd-%n.log\nProlog={root}/prolog\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\nDefMemPerCPU=100\n\
             SlurmctldTimeout=10\nSlurmdTimeout=5\nKillWait=3\nMinJobAge=3600\nJobRequeue=1\n\
             MaxArraySize={MAX_ARRAY_SIZE}\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=5\n\
             AccountingStorageType=accounting_storage/none\nGresTypes=gpu\n\
             NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=2 RealMemory=500 Gres=gpu:2 State=UNKNOWN\n\
             NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=2 RealMemory=500 Gres=gpu:2 State=UNKNOWN\n\
             PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(self.path().join("slurm.conf"), text).unwrap();
        // Devices that Slurm gives out as GPUs, two a node, and no program looks at.
        for gpu in ["gpu0", "gpu1"] {
            std::os::unix::fs::symlink("/dev/null", self.path().join(gpu)).unwrap();
        }
        let text = format!("NodeName=n[1-2] Name=gpu File={root}/gpu[0-1]\n");
        fs::write(self.path().join("gres.conf"), text).unwrap();
    }

    fn start_munge(&self) {
        let root = self.path().display();
        // A key of a cluster that lives for a minute on the loopback interface.
        let key = self.path().join("munge.key");
        fs::write(&key, root.to_string().repeat(8)).unwrap();
        self.run("chmod", &["400", &key.display().to_string()]);
        let option = |name: &str, file: &str| format!("--{name}={root}/{file}");
        let options = [
            "--force".to_string(),
            option("key-file", "munge.key"),
            option("socket", "run/munge.socket"),
            option("pid-file", "run/munged.pid"),
            option("log-file", "munged.log"),
            option("seed-file", "munge.seed"),
        ];
        self.run("munged", &options.each_ref().map(String::as_str));
    }

    /// A program that knows this cluster, run in its folder.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env("SLURM_CONF", self.path().join("slurm.conf"));
        command.env("PATH", std::env::join_paths(paths()).unwrap());
        for name in ["ETALON_CPU", "RAYON_NUM_THREADS", "SQUEUE_FORMAT"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().unwrap()
    }

    /// What a program prints, which must succeed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.output(program, arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}{}{}",
            text(&output.stdout),
            text(&output.stderr),
            self.logs()
        );
        text(&output.stdout)
    }

    fn text(&self, program: &str, arguments: &[&str]) -> String {
        self.run(program, arguments).trim().into()
    }

    /// Waits for something.
    pub(crate) fn until<T>(&self, what: &str, condition: impl Fn(&Cluster) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(value) = condition(self) {
                return value;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "waited in vain until {what}{}", self.logs());
            sleep(Duration::from_millis(100));
        }
    }

    /// The processes of this cluster: its daemons, its jobs, and what became of them.
    fn processes(&self) -> Vec<u32> {
        let root = self.path().as_os_str().as_encoded_bytes();
        let is_named = |path: PathBuf| {
            fs::read(path).is_ok_and(|bytes| bytes.windows(root.len()).any(|window| window == root))
        };
        let is_ours = |process: &Path| is_named(process.join("environ")) || is_named(process.join("cmdline"));
        let number = |entry: fs::DirEntry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            is_ours(&entry.path()).then_some(number)
        };
        fs::read_dir("/proc").map_or(Vec::new(), |entries| entries.flatten().filter_map(number).collect())
    }

    /// The workers of a sweep that run on a node.
    pub(crate) fn workers(&self, node: &str) -> Vec<u32> {
        self.on(node, "--shard")
    }

    /// What runs on a node and has a word in its command.
    pub(crate) fn on(&self, node: &str, word: &str) -> Vec<u32> {
        let has = |process: u32, file: &str, word: &str| {
            fs::read(format!("/proc/{process}/{file}"))
                .is_ok_and(|text| text.split(|&byte| byte == 0).any(|part| part == word.as_bytes()))
        };
        let place = format!("SLURMD_NODENAME={node}");
        let is_it = |process: &u32| has(*process, "cmdline", word) && has(*process, "environ", &place);
        self.processes().into_iter().filter(is_it).collect()
    }

    /// Ends processes at once.
    pub(crate) fn kill(&self, processes: &[u32]) {
        for process in processes {
            // It may have ended by itself.
            let _ = self.command("kill").args(["-KILL", &process.to_string()]).output();
        }
    }

    pub(crate) fn logs(&self) -> String {
        let end = |name: &str| {
            let text = fs::read_to_string(self.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("\n{name}:\n{}", lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        ["slurmctld.log", "slurmd-n1.log", "slurmd-n2.log", "munged.log"].map(end).concat()
    }
}

impl Drop for Cluster {
    /// Ends everything at once, so that nothing has the time to start anything anew; also after a panic.
    fn drop(&mut self) {
        let began = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || began.elapsed() > Duration::from_secs(10) {
                break;
            }
            self.kill(&left);
            sleep(Duration::from_millis(50));
        }
    }
}

/// Where programs are, daemons among them.
fn paths() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.into_iter().chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
}

/// Ports that nobody uses now.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
