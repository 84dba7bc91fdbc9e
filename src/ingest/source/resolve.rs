//! What the caller named, as a list of files to read: paths, globs, directories, standard input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::ingest::error::{Error, Result};

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A file, by its canonical path.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// Ends of file names that a search through a directory takes; anything else has to be named.
const SUFFIXES: [&str; 7] = ["json", "jsonl", "ndjson", "log", "txt", "csv", "tsv"];
/// Ends that only say how a file is packed.
const PACKINGS: [&str; 4] = ["gz", "gzip", "zst", "zstd"];
/// The file that CloudWatch writes to try out its permission to export.
const EXPORT_PROBE: &str = "aws-logs-write-test";

impl Source {
    /// How it is called in messages and in `rejects`.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Stdin => "-".to_owned(),
        }
    }

    /// The identity that application transactions carry: hex of SHA-256 of the canonical path, or of the given id.
    pub(crate) fn identity(&self, source_id: Option<&str>) -> Option<String> {
        let name = match self {
            Source::File(path) => format!("file:{}", path.display()),
            Source::Stdin => format!("id:{}", source_id?),
        };
        Some(Sha256::digest(name.as_bytes()).iter().map(|b| format!("{b:02x}")).collect())
    }
}

/// The files behind the inputs, each once, in the order of the inputs and by path within one.
pub(crate) fn resolve(inputs: &[String]) -> Result<Vec<Source>> {
    if inputs.is_empty() {
        return Err(Error::NoInput);
    }
    let times = inputs.iter().filter(|i| *i == "-").count();
    if times > 1 {
        return Err(Error::StdinTwice { times });
    }
    let mut sources: Vec<Source> = Vec::new();
    for input in inputs {
        for source in one(input)? {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    Ok(sources)
}

fn one(input: &str) -> Result<Vec<Source>> {
    if input == "-" {
        return Ok(vec![Source::Stdin]);
    }
    if input.is_empty() {
        return Err(Error::NoInput);
    }
    let path = Path::new(input);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => directory(input, path),
        Ok(_) => Ok(vec![file(path)?]),
        Err(e) if e.kind() == io::ErrorKind::NotFound && input.contains(['*', '?', '[']) => glob(input),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::Missing { path: input.to_owned() }),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
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

fn is_telemetry(name: &str) -> bool {
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

    #[test]
    fn a_directory_is_searched_for_telemetry_and_a_file_counts_once() {
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
        let found = resolve(&[root.clone(), format!("{root}/b.ndjson"), format!("{root}/*.json*")]).unwrap();
        assert_eq!(names(&found), ["000000.gz", "a.json.gz", "b.ndjson", "c.log"]);
        assert_ne!(found[0].identity(None), found[1].identity(None));
        assert_eq!(found[0].identity(None).unwrap().len(), 64);
    }

    #[test]
    fn wrong_inputs_are_named_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        let check = |input: &str, expected: &str| {
            let error = resolve(&[input.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(&format!("{root}/none.json"), "got no such path");
        check(&format!("{root}/*.json"), "expected at least one file that matches, got none");
        check(&format!("{root}/***"), "does not parse");
        check(root, "at least one telemetry file");
        check("", "expected a path, a glob or `-`");
        assert!(resolve(&["-".into(), "-".into()]).unwrap_err().to_string().contains("got it 2 times"));
        assert_eq!(Source::Stdin.identity(None), None);
        assert!(Source::Stdin.identity(Some("x")).is_some());
    }
}
