//! Memory is reckoned before the work starts, and what will not fit is refused.

use crate::units::bytes;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

/// A job needs more memory than there is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{what} needs about {needed}, and {available} are free; {relief}{advice}",
    needed = bytes(*needed),
    available = bytes(*available),
    relief = relief.map_or(String::new(), |relief| format!("{relief}, which helps most; else "))
)]
pub struct MemoryError {
    /// What needs the memory, in words.
    pub what: &'static str,
    /// How many bytes it needs.
    pub needed: u64,
    /// How many bytes are free.
    pub available: u64,
    /// The setting that helps most, where one does.
    pub relief: Option<Relief>,
    /// What to change so that it fits.
    pub advice: &'static str,
}

/// A setting that saves memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relief {
    /// Its name.
    pub setting: &'static str,
    /// The largest value with which the work fits; the least there is where none does.
    pub value: usize,
    /// How many bytes the work needs with it.
    pub needed: u64,
}

impl Display for Relief {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} brings it to {}", self.setting, self.value, bytes(self.needed))
    }
}

impl Relief {
    /// Of these settings the one that can save most, where it saves a quarter of what is needed.
    pub(crate) fn best(limit: u64, needed: u64, settings: &[Setting<'_>]) -> Option<Relief> {
        let best = settings.iter().min_by_key(|setting| (setting.bytes)(setting.least))?;
        let Setting { name, value, least, bytes } = *best;
        // Bytes grow with the value.
        let (mut fits, mut too_large) = (least, value);
        while too_large.saturating_sub(fits) > 1 {
            let middle = fits + (too_large - fits) / 2;
            if bytes(middle) <= limit { fits = middle } else { too_large = middle }
        }
        let relief = Relief { setting: name, value: fits, needed: bytes(fits) };
        (relief.needed <= needed / 4 * 3).then_some(relief)
    }
}

/// A setting that memory grows with.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) name: &'static str,
    /// The value that was asked for.
    pub(crate) value: usize,
    /// The least there may be.
    pub(crate) least: usize,
    /// What the work takes with a value.
    pub(crate) bytes: &'a dyn Fn(usize) -> u64,
}

/// Refuses what needs more memory than is free. Where the system does not tell, everything is let through.
///
/// # Errors
/// With the size, the limit and an alternative.
pub fn check(what: &'static str, needed: u64, advice: &'static str) -> Result<(), MemoryError> {
    check_with(what, needed, |_| None, advice)
}

/// As [`check`], with the setting that helps most, given what is free.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_with(
    what: &'static str,
    needed: u64,
    relief: impl FnOnce(u64) -> Option<Relief>,
    advice: &'static str,
) -> Result<(), MemoryError> {
    match available() {
        Some(available) if needed > available => {
            Err(MemoryError { what, needed, available, relief: relief(available), advice })
        }
        _ => Ok(()),
    }
}

/// The memory that this process may still take: the machine's, or that of a control group it is in if that is less.
pub(crate) fn available() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let free = system.available_memory();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = free_of_groups(Path::new("/sys/fs/cgroup"), &groups).unwrap_or(u64::MAX);
    (free > 0).then(|| free.min(group))
}

/// The least that is free in the control groups that a process is in, and in those above them; none without a limit.
/// `groups` is the text of its `/proc/PID/cgroup`, a line `number:controllers:path` a hierarchy: one without controllers
/// is of version 2, and one with `memory` among them of version 1.
fn free_of_groups(mount: &Path, groups: &str) -> Option<u64> {
    let free = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (mount, files) = match controllers {
            "" => (mount.into(), ["memory.max", "memory.current", "inactive_file"]),
            of if of.split(',').any(|name| name == "memory") => (
                mount.join("memory"),
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"],
            ),
            _ => return None,
        };
        // In a container, the path may be that outside of it; its own group is then where the hierarchy begins.
        let own = mount.join(path.trim_start_matches('/'));
        own.ancestors()
            .take_while(|group| group.starts_with(&mount))
            .filter_map(|group| of_group(group, files))
            .min()
    };
    groups.lines().filter_map(free).min()
}

/// What one group may still take: its limit less what it uses, of which the system can drop files read long ago.
fn of_group(group: &Path, [limit, used, droppable]: [&str; 3]) -> Option<u64> {
    let number = |file: &str| fs::read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
    let (limit, used) = (number(limit)?, number(used)?);
    let facts = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let fact = |line: &str| line.strip_prefix(droppable)?.trim().parse::<u64>().ok();
    let droppable = facts.lines().find_map(fact).unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(droppable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_fit_is_refused_with_size_limit_and_advice() {
        check("nothing", 1, "").unwrap();
        let text = check("the network", 1 << 60, "make it smaller").unwrap_err().to_string();
        assert!(text.starts_with("the network needs about 1.15 EB, and "), "{text}");
        assert!(text.ends_with("are free; make it smaller"), "{text}");
    }

    #[test]
    fn the_setting_that_helps_most_is_named_with_the_largest_value_that_fits() {
        let (few, many) = (|k: usize| 1000 + 10 * k as u64, |k: usize| 900 + 100 * k as u64);
        let few = Setting { name: "few", value: 10, least: 1, bytes: &few };
        let many = Setting { name: "many", value: 100, least: 2, bytes: &many };
        let best = |limit| Relief::best(limit, 10_900, &[few, many]).unwrap();
        assert_eq!(best(5050), Relief { setting: "few", value: 9, needed: 1090 });
        let best = |limit| Relief::best(limit, 10_900, &[many]).unwrap();
        assert_eq!(best(5050), Relief { setting: "many", value: 41, needed: 5000 });
        assert_eq!(best(10), Relief { setting: "many", value: 2, needed: 1100 }, "nothing fits");
        assert_eq!(best(10).to_string(), "many=2 brings it to 1.10 kB");
        assert_eq!(Relief::best(10, 1100, &[few]), None, "a setting that saves a tenth is no advice");
    }

    #[test]
    fn the_limit_is_that_of_the_processs_own_groups() {
        let mount = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = mount.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let free = |groups: &str| free_of_groups(mount.path(), groups);
        assert_eq!(free("0::/job/step\n"), None);
        write("job/memory.max", "300\n");
        write("job/memory.current", "120\n");
        write("job/memory.stat", "anon 70\ninactive_file 20\n");
        write("job/step/memory.max", "max\n");
        write("job/step/memory.current", "110\n");
        assert_eq!(free("0::/job/step\n"), Some(200), "the group above has the limit");
        write("job/step/memory.max", "150\n");
        assert_eq!(free("0::/job/step\n"), Some(40));
        assert_eq!(free("0::/\n"), None);
        write("memory/slurm/memory.limit_in_bytes", "90\n");
        write("memory/slurm/memory.usage_in_bytes", "100\n");
        assert_eq!(free("4:cpu,memory:/slurm\n1:name=systemd:/x\n0::/job\n"), Some(0));
        // A container sees its own group where the hierarchy begins, whatever its path says.
        write("memory.max", "80\n");
        write("memory.current", "0\n");
        assert_eq!(free("0::/../outside\n"), Some(80));
        assert_eq!(free("no group\n"), None);
    }
}
