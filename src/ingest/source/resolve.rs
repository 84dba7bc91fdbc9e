//! What the caller named, as a list of files to read: paths, globs, directories, standard input.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use url::Url;

use super::objects::{Object, check_url, is_url, objects};
use crate::ingest::error::{Error, Result};

/// One thing to read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file, by its canonical path.
    File(PathBuf),
    /// An object of a store, by its URL.
    Object(Arc<Object>),
    /// Standard input.
    Stdin,
}

/// Ends of file names that a search through a directory takes; anything else has to be named.
const SUFFIXES: [&str; 7] = ["json", "jsonl", "ndjson", "log", "txt", "csv", "tsv"];
/// Ends that only say how a file is packed.
const PACKINGS: [&str; 4] = ["gz", "gzip", "zst", "zstd"];
/// The file that CloudWatch writes to try out its permission to export.
const EXPORT_PROBE: &str = "aws-logs-write-test";

impl PartialEq for Source {
    fn eq(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::File(a), Source::File(b)) => a == b,
            (Source::Object(a), Source::Object(b)) => a.url() == b.url(),
            (Source::Stdin, Source::Stdin) => true,
            _ => false,
        }
    }
}

impl Source {
    /// How it is called in messages and in `rejects`.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Object(object) => object.url().to_owned(),
            Source::Stdin => "-".to_owned(),
        }
    }

    /// The identity that application transactions carry: hex of SHA-256 of the canonical path, or of the given id.
    pub(crate) fn identity(&self, source_id: Option<&str>) -> Option<String> {
        let name = match self {
            Source::File(path) => return Some(identity_of_file(path)),
            Source::Object(object) => format!("object:{}", object.url()),
            Source::Stdin => format!("id:{}", source_id?),
        };
        Some(identity_of(&name))
    }

    /// Stored bytes, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Source::File(path) => fs::metadata(path).ok().map(|m| m.len()),
            Source::Object(object) => Some(object.size()),
            Source::Stdin => None,
        }
    }

    /// Its store's name for this content, if it has one.
    pub(crate) fn version(&self) -> Option<u64> {
        match self {
            Source::Object(object) => object.version(),
            Source::File(_) | Source::Stdin => None,
        }
    }
}

/// An identity as application transactions carry it: hex of SHA-256, whatever the name holds.
pub(crate) fn identity_of(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// The identity of a file by its canonical path.
pub(crate) fn identity_of_file(path: &Path) -> String {
    identity_of(&format!("file:{}", path.display()))
}

/// Whether the inputs can be understood, and those on this machine found.
pub(crate) fn check(inputs: &[String]) -> Result<()> {
    count(inputs)?;
    for input in inputs {
        match remote(input) {
            Some(url) => check_url(url)?,
            None => drop(one(input)?),
        }
    }
    Ok(())
}

/// The sources behind the inputs, each once, in the order of the inputs and by path within one.
pub(crate) async fn resolve(inputs: &[String]) -> Result<Vec<Source>> {
    count(inputs)?;
    let mut sources: Vec<Source> = Vec::new();
    let mut seen = HashSet::new();
    for input in inputs {
        let found = match remote(input) {
            Some(url) => objects(url).await?.into_iter().map(Source::Object).collect(),
            None => one(input)?,
        };
        sources.extend(found.into_iter().filter(|source| seen.insert(source.name())));
    }
    Ok(sources)
}

/// The files that a path, glob or directory means just now; none is no error.
pub(crate) fn matching(input: &str) -> Result<Vec<PathBuf>> {
    match one(input) {
        Ok(sources) => Ok(sources
            .into_iter()
            .filter_map(|source| match source {
                Source::File(path) => Some(path),
                Source::Object(_) | Source::Stdin => None,
            })
            .collect()),
        Err(Error::Missing { .. } | Error::Empty { .. }) => Ok(Vec::new()),
        Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// The URL that an input is, unless it names something on this machine.
fn remote(input: &str) -> Option<&str> {
    (is_url(input) && !input.starts_with("file://")).then_some(input)
}

fn count(inputs: &[String]) -> Result<()> {
    let times = inputs.iter().filter(|i| *i == "-").count();
    match (inputs.is_empty(), times) {
        (true, _) => Err(Error::NoInput),
        (false, 0 | 1) => Ok(()),
        (false, times) => Err(Error::StdinTwice { times }),
    }
}

fn one(input: &str) -> Result<Vec<Source>> {
    if input == "-" {
        return Ok(vec![Source::Stdin]);
    }
    if input.is_empty() {
        return Err(Error::NoInput);
    }
    let local = local(input)?;
    let input = local.as_ref();
    let path = Path::new(input);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => directory(input, path),
        Ok(_) => Ok(vec![file(path)?]),
        Err(e) if e.kind() == io::ErrorKind::NotFound && input.contains(['*', '?', '[']) => glob(input),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::Missing { path: input.to_owned() }),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

/// A path, also out of a `file://` URL.
fn local(input: &str) -> Result<Cow<'_, str>> {
    if !input.starts_with("file://") {
        return Ok(input.into());
    }
    let wrong = |reason: &str| Error::Url { url: input.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(input).map_err(|e| wrong(&e.to_string()))?;
    let path = url.to_file_path().map_err(|()| wrong("no path of this machine"))?;
    path.into_os_string().into_string().map(Cow::Owned).map_err(|_| wrong("a path that is no UTF-8"))
}

fn file(path: &Path) -> Result<Source> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let canonical = fs::canonicalize(path).map_err(read)?;
    // Opened now, so that a file that may not be read stops the run before anything has landed.
    let opened = fs::File::open(&canonical).map_err(read)?;
    let kind = opened.metadata().map_err(read)?.file_type();
    if kind.is_dir() {
        return Err(Error::NotAFile { path: path.to_owned(), got: "a directory" });
    }
    Ok(Source::File(canonical))
}

fn glob(pattern: &str) -> Result<Vec<Source>> {
    // As a shell does: a wildcard leaves hidden files alone.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let paths = glob::glob_with(pattern, options)
        .map_err(|e| Error::Glob { path: pattern.to_owned(), reason: e.to_string() })?
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| Error::Read { path: e.path().to_owned(), source: e.into() })?;
    let mut files: Vec<PathBuf> = paths.into_iter().filter(|p| p.is_file()).collect();
    files.sort();
    if files.is_empty() {
        return Err(Error::Empty { path: pattern.to_owned(), expected: "at least one file that matches" });
    }
    files.iter().map(|p| file(p)).collect()
}

fn directory(input: &str, path: &Path) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    walk(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(Error::Empty {
            path: input.to_owned(),
            expected: "at least one telemetry file in the directory",
        });
    }
    files.iter().map(|p| file(p)).collect()
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    for entry in fs::read_dir(path).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().map_err(read)?;
        if name.starts_with('.') {
            continue;
        }
        // Links to directories are left out: they may lead round in circles.
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if is_telemetry(&name) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

pub(super) fn is_telemetry(name: &str) -> bool {
    if name == EXPORT_PROBE {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split('.').collect();
    let packed = parts.len() > 1 && parts.last().is_some_and(|p| PACKINGS.contains(p));
    if packed {
        parts.pop();
    }
    // Exports name their parts `000000.gz`.
    packed && parts.len() == 1 || parts.len() > 1 && parts.last().is_some_and(|p| SUFFIXES.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[Source]) -> Vec<String> {
        sources.iter().map(|s| s.name().rsplit('/').next().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_directory_is_searched_for_telemetry_and_a_file_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b.ndjson",
            "a.json.gz",
            "README.md",
            ".hidden.json",
            "aws-logs-write-test",
            "000000.gz",
            "sub/c.log",
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        let root = dir.path().to_str().unwrap().to_owned();
        let inputs = [
            root.clone(),
            format!("{root}/b.ndjson"),
            format!("{root}/*.json*"),
            format!("file://{root}/b.ndjson"),
        ];
        let found = resolve(&inputs).await.unwrap();
        assert_eq!(names(&found), ["000000.gz", "a.json.gz", "b.ndjson", "c.log"]);
        assert_ne!(found[0].identity(None), found[1].identity(None));
        assert_eq!(found[0].identity(None).unwrap().len(), 64);
    }

    #[test]
    fn wrong_inputs_are_named_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        let refused = |input: &str, expected: &str| {
            let error = check(&[input.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        refused(&format!("{root}/none.json"), "got no such path");
        refused(&format!("{root}/*.json"), "expected at least one file that matches, got none");
        refused(&format!("{root}/***"), "does not parse");
        refused(root, "at least one telemetry file");
        refused("", "expected a path, a glob or `-`");
        assert!(check(&["-".into(), "-".into()]).unwrap_err().to_string().contains("got it 2 times"));
        assert_eq!(Source::Stdin.identity(None), None);
        assert!(Source::Stdin.identity(Some("x")).is_some());
    }
}
