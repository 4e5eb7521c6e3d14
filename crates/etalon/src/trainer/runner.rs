//! Trainings, each a process, which are followed until their log has decided or they have ended.

use super::course::{Course, Until};
use super::guard::Guard;
use super::process::Process;
use super::{Fault, Place, Trainer, TrainerError};
use crate::program::{end_of, last_lines};
use crate::search::SearchError;
use crate::watch::{Log, Row, WatchError};
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// What a training that is ended may take to end in good order ...
const GRACE: Duration = Duration::from_secs(5);
/// ... and where all is to end.
const SHORT_GRACE: Duration = Duration::from_secs(1);
/// Between two looks at a log: from the first to the second, as trainings get longer.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];
/// Lines of a complaint that an error quotes.
const QUOTED: usize = 5;

/// Whether to go on; asked from any thread.
pub(super) type Going<'a> = &'a (dyn Fn() -> ControlFlow<()> + Sync);

/// What runs the trainings of one job, and sees to it that none outlives it.
pub(super) struct Runner<'a> {
    pub(super) trainer: &'a Trainer,
    going: Going<'a>,
    /// Where they leave their files.
    folder: PathBuf,
    /// The job's mark.
    id: String,
    /// What ended the job, where a training did.
    failure: OnceLock<TrainerError>,
    started: AtomicU64,
    cost: Mutex<Cost>,
    _guard: Guard,
    _temporary: Option<TempDir>,
}

/// What trainings have cost in this call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) steps: u64,
}

/// A training was ended because all is to end.
#[derive(Debug, thiserror::Error)]
#[error("it was interrupted")]
pub(super) struct Interrupted;

impl From<Interrupted> for TrainerError {
    fn from(_: Interrupted) -> Self {
        SearchError::Cancelled.into()
    }
}

/// What stops one try.
enum Stop {
    Interrupted,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// Jobs of this process, whose marks must differ.
static JOBS: AtomicU64 = AtomicU64::new(0);

/// Whether there is no room behind the end of a file.
fn is_full(path: &Path) -> bool {
    let write = |mut file: File| file.write_all(b"\n");
    File::options()
        .append(true)
        .open(path)
        .and_then(write)
        .is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
}

impl<'a> Runner<'a> {
    /// Makes the folder of the trainings, and starts what ends them if Etalon is killed.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn new(trainer: &'a Trainer, going: Going<'a>) -> Result<Self, TrainerError> {
        let io = |action: &str| {
            let action = action.to_string();
            move |source: io::Error| TrainerError::Io { action, source }
        };
        let (folder, temporary) = match &trainer.folder {
            Some(folder) => (folder.clone(), None),
            None => {
                let temporary = tempfile::tempdir().map_err(io("create a folder for the trainings"))?;
                (temporary.path().to_path_buf(), Some(temporary))
            }
        };
        fs::create_dir_all(&folder).map_err(io("create the folder of the trainings"))?;
        // The trainer may work in another folder.
        let folder = folder.canonicalize().map_err(io("find the folder of the trainings"))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let id = format!("{}-{now}-{}", std::process::id(), JOBS.fetch_add(1, Ordering::Relaxed));
        let guard =
            Guard::new(&id).map_err(io("start a shell that ends the trainings if Etalon is killed"))?;
        Ok(Runner {
            trainer,
            going,
            folder,
            id,
            failure: OnceLock::new(),
            started: AtomicU64::new(0),
            cost: Mutex::default(),
            _guard: guard,
            _temporary: temporary,
        })
    }

    /// What came of the job, or why a training has ended it.
    pub(super) fn answer<T>(self, result: Result<T, impl Into<TrainerError>>) -> Result<T, TrainerError> {
        match self.failure.into_inner() {
            Some(failure) => Err(failure),
            None => result.map_err(Into::into),
        }
    }

    pub(super) fn cost(&self) -> Cost {
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Trains; `hear` is told of every row. A fault that may pass is tried again; one that does not ends the job.
    pub(super) fn course(
        &self,
        eta: f64,
        seed: u64,
        until: Until,
        retries: usize,
        hear: &mut dyn FnMut(&Row),
    ) -> Result<Course, Interrupted> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(eta, seed, until, hear) {
                Ok(course) => return Ok(course),
                Err(Stop::Interrupted) => return Err(Interrupted),
                Err(Stop::Fault(fault)) if tries <= retries && fault.may_pass() => {}
                Err(Stop::Fault(fault)) => {
                    let _ = self.failure.set(TrainerError::Training { eta, seed, tries, fault });
                    return Err(Interrupted);
                }
            }
        }
    }

    /// As [`course`](Self::course), unless an earlier call has left a log that decides.
    pub(super) fn decided(
        &self,
        eta: f64,
        seed: u64,
        until: Until,
        retries: usize,
    ) -> Result<Course, Interrupted> {
        match self.kept(eta, seed, until).filter(|kept| kept.decision.is_some()) {
            Some(kept) => Ok(kept),
            None => self.course(eta, seed, until, retries, &mut |_| {}),
        }
    }

    /// What an earlier call has left of a training, if its log is still there.
    pub(super) fn kept(&self, eta: f64, seed: u64, until: Until) -> Option<Course> {
        let folder = self.folder_of(eta, seed, until);
        let mut log = self.open(&self.log_of(&self.place(eta, seed, &folder, Path::new("")))).ok()?;
        let mut course = Course::new(until);
        log.rows(true, |row| course.take(row)).ok()?;
        course.has_begun().then_some(course)
    }

    fn is_over(&self) -> bool {
        self.failure.get().is_some() || (self.going)().is_break()
    }

    fn folder_of(&self, eta: f64, seed: u64, until: Until) -> PathBuf {
        let kind = match until {
            Until::End => "whole",
            Until::Goal(_) => "to-goal",
            Until::Step(_) => "short",
            Until::Rows(_) => "still",
        };
        self.folder.join(format!("{eta:?}-{seed}-{kind}"))
    }

    fn place<'b>(&self, eta: f64, seed: u64, out: &'b Path, log: &'b Path) -> Place<'b> {
        let slot = self.trainer.slot + rayon::current_thread_index().unwrap_or(0);
        Place { eta, seed, steps: self.trainer.steps, log, out, slot }
    }

    fn log_of(&self, place: &Place<'_>) -> PathBuf {
        match &self.trainer.log {
            Some(log) => log.in_place(place).into(),
            None => place.out.join("stdout"),
        }
    }

    fn open(&self, path: &Path) -> Result<Log, WatchError> {
        let columns = self.trainer.columns.clone();
        if self.trainer.log.is_some() { Log::open(path, columns) } else { Log::open_printed(path, columns) }
    }

    fn attempt(&self, eta: f64, seed: u64, until: Until, hear: &mut dyn FnMut(&Row)) -> Result<Course, Stop> {
        if self.is_over() {
            return Err(Stop::Interrupted);
        }
        let folder = self.folder_of(eta, seed, until);
        let io = |action| move |source| Fault::Io { action, source };
        // What an earlier try has left must not be taken for this one's.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("clear the training's folder")(error).into());
            }
            _ => fs::create_dir_all(&folder).map_err(io("create the training's folder"))?,
        }
        let log = self.log_of(&self.place(eta, seed, &folder, Path::new("")));
        if !log.starts_with(&folder) {
            let _ = fs::remove_file(&log);
        }
        let place = self.place(eta, seed, &folder, &log);
        let file =
            |name: &str| File::create(folder.join(name)).map_err(io("create a file for what it prints"));
        let mut command = self.trainer.command.program(&place);
        command.envs(self.trainer.env.iter().map(|(name, value)| (name, value.in_place(&place))));
        command.stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?);
        let mark = format!("{}-{}", self.id, self.started.fetch_add(1, Ordering::Relaxed));
        let start = Instant::now();
        let mut process = Process::start(&mut command, &mark)
            .map_err(|source| Fault::Start { command: self.trainer.command.shown(), source })?;
        let course = self.follow(&mut process, &log, &folder.join("stderr"), Course::new(until), hear);
        if let Ok(course) = &course {
            let mut cost = self.cost.lock().unwrap_or_else(PoisonError::into_inner);
            cost.seconds += start.elapsed().as_secs_f64();
            cost.steps += course.step;
        }
        course
    }

    /// Ends a training: with patience, unless the whole search is to end.
    fn end(&self, process: &mut Process) {
        process.end(|time| time < if self.is_over() { SHORT_GRACE } else { GRACE });
    }

    /// Follows a training until its log has decided, or it has ended.
    fn follow(
        &self,
        process: &mut Process,
        log: &Path,
        stderr: &Path,
        mut course: Course,
        hear: &mut dyn FnMut(&Row),
    ) -> Result<Course, Stop> {
        let start = Instant::now();
        let mut reader = None;
        loop {
            // Asked before the log is read: what it wrote before its end is then there.
            let status = process.ended().map_err(|source| Fault::Io { action: "wait for it", source })?;
            if reader.is_none() {
                match self.open(log) {
                    Ok(opened) => reader = Some(opened),
                    // Not there yet.
                    Err(WatchError::Read { .. } | WatchError::NoEvents(_)) => {}
                    Err(error) => return Err(Fault::Log(error).into()),
                }
            }
            if let Some(log) = &mut reader {
                let is_last = status.is_some_and(|status| status.success());
                if log.began_anew().map_err(Fault::Log)? {
                    course = course.anew();
                }
                let read = log.rows(is_last, |row| {
                    hear(&row);
                    course.take(row);
                });
                // What has decided stands, whatever follows it.
                if course.decision.is_some() {
                    self.end(process);
                    return Ok(course);
                }
                match read {
                    Err(error) if is_last && !course.has_begun() => {
                        let reason = Fault::Log(error).to_string();
                        return Err(Fault::Silent { reason, stderr: self.told(stderr) }.into());
                    }
                    Err(error) => {
                        self.end(process);
                        return Err(Fault::Log(error).into());
                    }
                    Ok(()) => {}
                }
            }
            match status {
                Some(status) if !status.success() => {
                    let text = end_of(stderr).unwrap_or_default();
                    let mut complaint: Vec<_> =
                        last_lines(&text, QUOTED).into_iter().map(String::from).collect();
                    // What it had to say of a full disk, that had no room for.
                    if complaint.is_empty() && is_full(stderr) {
                        complaint.push(
                            "no space is left for what it writes; make room, or choose another place".into(),
                        );
                    }
                    return Err(Fault::Crashed { status, complaint, stderr: self.told(stderr) }.into());
                }
                Some(_) if reader.is_none() => {
                    let reason = format!("{} is not there", log.display());
                    return Err(Fault::Silent { reason, stderr: self.told(stderr) }.into());
                }
                Some(_) => return Ok(course),
                None => {}
            }
            if self.is_over() {
                self.end(process);
                return Err(Stop::Interrupted);
            }
            if let Some(limit) = self.trainer.limit.filter(|&limit| start.elapsed() >= limit) {
                self.end(process);
                return Err(Fault::Hung(limit).into());
            }
            sleep((start.elapsed() / 20).clamp(PAUSES[0], PAUSES[1]));
        }
    }

    /// A path that is still there when it is told.
    fn told(&self, path: &Path) -> Option<PathBuf> {
        self.trainer.folder.is_some().then(|| path.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_full_disk_is_told_from_one_that_has_room() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(super::is_full("/dev/full".as_ref()) && !super::is_full(file.path()));
    }
}
