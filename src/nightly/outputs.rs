//! What nightly runs wrote into a folder, and how long it stays.
//!
//! A file `.tars-outputs.json` in the folder lists every file that was written, with its hash. Only what stands there and
//! still has that hash is ever removed: what people put there, or changed, stays.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::{MICROS_PER_DAY, format_timestamp, parse_timestamp};
use crate::settings::Artifacts;

/// The name of the list.
pub const MANIFEST: &str = ".tars-outputs.json";

/// What a file is, which decides how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a certification package.
    Package,
    /// Key figures and drift checks of every interval.
    Snapshot,
    /// A report, a retrospective, checks.
    Report,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Package, Kind::Snapshot, Kind::Report];

    const fn as_str(self) -> &'static str {
        match self {
            Kind::Package => "package",
            Kind::Snapshot => "snapshot",
            Kind::Report => "report",
        }
    }

    fn days(self, keep: &Artifacts) -> i64 {
        match self {
            Kind::Package => keep.packages_days,
            Kind::Snapshot => keep.snapshots_days,
            Kind::Report => keep.reports_days,
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What it is.
    pub kind: Kind,
    /// The profile and step that wrote it, such as `daily/report`.
    pub step: String,
    /// The end of the window that it is about, UTC microseconds.
    pub window_to: i64,
    /// When it was written, UTC microseconds: its age counts from there, so that a report on an old day is not gone at once.
    pub written_at: i64,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// The files that were written into a folder, by their path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    folder: PathBuf,
    files: BTreeMap<String, Output>,
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a path of the list stays inside the folder: nothing but plain names.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}

/// SHA-256 over files, by name and content.
pub fn combined<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for (path, digest) in files {
        hash.update(format!("{digest}  {path}\n"));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Outputs {
    /// The list of a folder; empty where there is none yet.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Ok(Outputs { folder: folder.to_owned(), files: BTreeMap::new() });
            }
            Err(source) => return Err(Error::File { what: "read", path, source }),
        };
        let files = parse(&text).map_err(|got| Error::Manifest { path, got })?;
        Ok(Outputs { folder: folder.to_owned(), files })
    }

    /// The text of the list.
    pub fn to_json(&self) -> String {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(path, f)| {
                json!({
                    "path": path, "kind": f.kind.as_str(), "step": f.step,
                    "window_to": format_timestamp(f.window_to), "written_at": format_timestamp(f.written_at),
                    "sha256": f.sha256,
                })
            })
            .collect();
        let mut text = serde_json::to_string_pretty(&json!({ "files": files })).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Takes note of files that a step has written; they replace what it wrote before about the same window. Gives the
    /// digest over all of them.
    pub fn record(
        &mut self,
        step: &str,
        kind: Kind,
        window_to: i64,
        written_at: i64,
        written: &[PathBuf],
    ) -> Result<String, Error> {
        self.files.retain(|_, f| !(f.step == step && f.window_to == window_to));
        for path in written {
            let bytes =
                fs::read(path).map_err(|source| Error::File { what: "read", path: path.clone(), source })?;
            let relative = path.strip_prefix(&self.folder).unwrap_or(path);
            let name = relative.to_string_lossy().replace('\\', "/");
            let output =
                Output { kind, step: step.to_owned(), window_to, written_at, sha256: sha256(&bytes) };
            self.files.insert(name, output);
        }
        Ok(self.digest(step, window_to).unwrap_or_default())
    }

    /// The digest over what a step wrote about a window; `None` where it wrote nothing.
    fn digest(&self, step: &str, window_to: i64) -> Option<String> {
        let mut of_step =
            self.files.iter().filter(|(_, f)| f.step == step && f.window_to == window_to).peekable();
        of_step.peek()?;
        Some(combined(of_step.map(|(path, f)| (path.as_str(), f.sha256.as_str()))))
    }

    /// The files that a step wrote about a window.
    pub fn paths(&self, step: &str, window_to: i64) -> Vec<PathBuf> {
        let of_step = self.files.iter().filter(|(_, f)| f.step == step && f.window_to == window_to);
        of_step.map(|(path, _)| self.folder.join(path)).collect()
    }

    /// The digest over what a step wrote about a window, if all of it is still there as it was written.
    pub fn intact(&self, step: &str, window_to: i64) -> Option<String> {
        let of_step = self.files.iter().filter(|(_, f)| f.step == step && f.window_to == window_to);
        for (path, output) in of_step {
            if !is_inside(path) || !self.is_as_written(path, output) {
                return None;
            }
        }
        self.digest(step, window_to)
    }

    fn is_as_written(&self, path: &str, output: &Output) -> bool {
        let path = self.folder.join(path);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
        is_file && fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == output.sha256)
    }

    /// The paths whose time is over at `now` (UTC microseconds).
    pub fn expired(&self, keep: &Artifacts, now: i64) -> Vec<String> {
        let is_over = |f: &Output| {
            let days = f.kind.days(keep);
            days > 0 && f.written_at < now.saturating_sub(days.saturating_mul(MICROS_PER_DAY))
        };
        self.files.iter().filter(|(_, f)| is_over(f)).map(|(path, _)| path.clone()).collect()
    }

    /// Removes files of the list, and folders that are empty then; gives those that are gone now. A file that was changed
    /// since, or that a link leads to, stays and is forgotten.
    pub fn remove(&mut self, paths: &[String]) -> Result<Vec<String>, Error> {
        let mut removed = Vec::new();
        for path in paths {
            let Some(output) = self.files.remove(path) else { continue };
            if !is_inside(path) || self.has_link(path) || !self.is_as_written(path, &output) {
                continue;
            }
            let full = self.folder.join(path);
            fs::remove_file(&full).map_err(|source| Error::File {
                what: "remove",
                path: full.clone(),
                source,
            })?;
            removed.push(path.clone());
            let mut parent = Path::new(path).parent();
            while let Some(folder) = parent.filter(|p| !p.as_os_str().is_empty()) {
                // A folder that holds anything else stays.
                if fs::remove_dir(self.folder.join(folder)).is_err() {
                    break;
                }
                parent = folder.parent();
            }
        }
        Ok(removed)
    }

    /// Whether a folder on the way is a link, which could lead outside.
    fn has_link(&self, path: &str) -> bool {
        let mut at = self.folder.clone();
        Path::new(path).components().any(|part| {
            at.push(part);
            fs::symlink_metadata(&at).is_ok_and(|m| m.file_type().is_symlink())
        })
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, Output>, String> {
    let json: Value = serde_json::from_str(text).map_err(|e| format!("no JSON: {e}"))?;
    let list = json.get("files").and_then(Value::as_array).ok_or("no list `files`")?;
    let mut files = BTreeMap::new();
    for (i, entry) in list.iter().enumerate() {
        let text = |key: &str| {
            entry.get(key).and_then(Value::as_str).ok_or_else(|| format!("no text files[{i}].{key}"))
        };
        let word = text("kind")?;
        let kind = Kind::ALL.into_iter().find(|k| k.as_str() == word);
        let kind = kind.ok_or_else(|| format!("the kind `{word}` in files[{i}]"))?;
        let time = |key: &str| {
            let time = text(key)?;
            parse_timestamp(time).ok_or_else(|| format!("the time `{time}` in files[{i}]"))
        };
        let (window_to, written_at) = (time("window_to")?, time("written_at")?);
        let output = Output {
            kind,
            step: text("step")?.to_owned(),
            window_to,
            written_at,
            sha256: text("sha256")?.to_owned(),
        };
        files.insert(text("path")?.to_owned(), output);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Artifacts = Artifacts { packages_days: 365, snapshots_days: 90, reports_days: 0 };
    const DAY: i64 = MICROS_PER_DAY;

    fn folder() -> (tempfile::TempDir, Outputs) {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("kpis")).unwrap();
        for name in ["kpis/a.json", "kpis/b.json", "report.md", "package.tar.gz", "mine.txt"] {
            fs::write(path(name), name).unwrap();
        }
        let mut outputs = Outputs::load(root.path()).unwrap();
        outputs.record("ga/kpis", Kind::Snapshot, 0, 0, &[path("kpis/a.json"), path("kpis/b.json")]).unwrap();
        outputs.record("ga/report", Kind::Report, 0, 0, &[path("report.md")]).unwrap();
        outputs.record("ga/package", Kind::Package, 0, 0, &[path("package.tar.gz")]).unwrap();
        (root, outputs)
    }

    #[test]
    fn each_kind_expires_at_its_own_age_and_zero_days_keep_for_ever() {
        let (_root, outputs) = folder();
        assert_eq!(outputs.expired(&KEEP, 90 * DAY), [""; 0]);
        assert_eq!(outputs.expired(&KEEP, 90 * DAY + 1), ["kpis/a.json", "kpis/b.json"]);
        assert_eq!(outputs.expired(&KEEP, 366 * DAY), ["kpis/a.json", "kpis/b.json", "package.tar.gz"]);
    }

    #[test]
    fn only_what_was_written_and_not_changed_is_removed() {
        let (root, mut outputs) = folder();
        fs::write(root.path().join("kpis/b.json"), "changed by hand").unwrap();
        let expired = outputs.expired(&KEEP, 366 * DAY);
        assert_eq!(outputs.remove(&expired).unwrap(), ["kpis/a.json", "package.tar.gz"]);
        for (name, stays) in
            [("kpis/a.json", false), ("kpis/b.json", true), ("report.md", true), ("mine.txt", true)]
        {
            assert_eq!(root.path().join(name).exists(), stays, "{name}");
        }
    }

    #[test]
    fn an_emptied_folder_goes_and_the_list_reads_back() {
        let (root, mut outputs) = folder();
        fs::write(root.path().join(MANIFEST), outputs.to_json()).unwrap();
        assert_eq!(Outputs::load(root.path()).unwrap(), outputs);
        outputs.remove(&outputs.expired(&KEEP, 91 * DAY)).unwrap();
        assert!(!root.path().join("kpis").exists());
        assert!(root.path().exists());
    }

    #[test]
    fn a_list_that_points_outside_removes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("out");
        fs::create_dir(&inside).unwrap();
        fs::write(root.path().join("precious"), "x").unwrap();
        let entry = json!({ "files": [{
            "path": "../precious", "kind": "report", "step": "s", "window_to": "1970-01-01T00:00:00Z",
            "written_at": "1970-01-01T00:00:00Z", "sha256": sha256(b"x"),
        }] });
        fs::write(inside.join(MANIFEST), entry.to_string()).unwrap();
        let mut outputs = Outputs::load(&inside).unwrap();
        assert_eq!(outputs.remove(&["../precious".to_owned()]).unwrap(), [""; 0]);
        assert!(root.path().join("precious").exists());
    }

    #[test]
    fn outputs_are_intact_until_one_of_them_changes() {
        let (root, outputs) = folder();
        assert!(outputs.intact("ga/kpis", 0).is_some());
        assert_eq!(outputs.intact("ga/kpis", 1), None);
        fs::write(root.path().join("kpis/a.json"), "x").unwrap();
        assert_eq!(outputs.intact("ga/kpis", 0), None);
    }

    #[test]
    fn a_damaged_list_is_an_error_that_says_what_is_wrong() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(MANIFEST), "{\"files\": [{\"path\": 1}]}").unwrap();
        let error = Outputs::load(root.path()).unwrap_err();
        assert!(error.to_string().contains("files[0]"), "{error}");
        assert!(error.hint().is_some());
    }
}
