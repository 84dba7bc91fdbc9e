//! What several test modules need: the command as a process, and one simulated day to share.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The outcome of a command.
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The built binary, with no setting of the machine leaking in.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tars"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    for name in ["TARS_LAKE", "TARS_CONFIG", "TARS_MEMORY_LIMIT", "TARS_THREADS", "TARS_MODEL"] {
        command.env_remove(name);
    }
    command
}

/// Runs `tars` in a folder and waits for it.
pub fn tars(folder: &Path, args: &[&str]) -> Outcome {
    let output = command(folder, args).output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `tars` and expects success; the result is what it wrote to stdout.
pub fn ok(folder: &Path, args: &[&str]) -> String {
    let outcome = tars(folder, args);
    assert_eq!(outcome.code, Some(0), "tars {args:?}\n{}\n{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

/// The single value that a query yields.
pub fn value(folder: &Path, lake: &str, sql: &str) -> String {
    let csv = ok(folder, &["sql", "--lake", lake, "--format", "csv", "-c", sql, "--date", DAY]);
    let mut lines = csv.lines().skip(1);
    let value = lines.next().unwrap_or_else(|| panic!("no row from {sql}")).to_owned();
    assert_eq!(lines.next(), None, "more than one row from {sql}");
    value
}

/// The simulated day.
pub const DAY: &str = "2025-01-15";
/// Its log lines.
pub const DEMO_ROWS: u64 = 30_000;

/// A folder in which `tars demo` has run, made once for all tests, which only read it. The system
/// cleans the temporary folder; a static is never dropped.
pub fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let stdout = ok(folder.path(), &["demo", "--rows", &DEMO_ROWS.to_string()]);
        let root = folder.path().join("tars-demo");
        Demo { _folder: folder, root, stdout }
    })
}

pub struct Demo {
    _folder: TempDir,
    pub root: PathBuf,
    pub stdout: String,
}

/// Every file under a folder with one of these endings, in the order of paths.
pub fn files_under(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
