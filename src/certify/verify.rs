//! Checking a package: that nothing of it was changed since it was made, and whose it is.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::archive::{self, FOLDER};
use super::attest::PREDICATE_TYPE;
use super::dsse::Envelope;
use super::key::PublicKey;
use super::manifest::{self, Files, MANIFEST, digest};
use super::{Error, PUBLIC_KEY, SIGNATURE};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A file with another content than the one that was sealed or made again.
    Changed {
        /// The file.
        name: String,
        /// What was expected.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A file that should be there.
    Missing {
        /// The file.
        name: String,
    },
    /// A file that nobody sealed.
    Extra {
        /// The file.
        name: String,
    },
    /// A part that cannot be relied on.
    Broken {
        /// The part.
        name: String,
        /// What was expected and found.
        reason: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Changed { name, expected, got } => {
                write!(f, "changed  {name}: expected {expected}, got {got}")
            }
            Finding::Missing { name } => write!(f, "missing  {name}"),
            Finding::Extra { name } => write!(f, "extra    {name}"),
            Finding::Broken { name, reason } => write!(f, "broken   {name}: {reason}"),
        }
    }
}

/// What is known of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    None,
    /// It is there, and does not hold.
    Invalid,
    /// It holds for the key in the package, of which nothing else is known.
    Enclosed(String),
    /// It holds for the key that was asked for.
    Trusted(String),
}

/// The result of a check.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
    /// What is known of the signature.
    pub signature: Signature,
}

/// Opens a package, from its folder or its archive. What is in a folder and is no file is a finding.
pub fn open(path: &Path) -> Result<(Files, Vec<Finding>), Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(fail)?.is_dir() {
        // The folder that the package was written to will do as well.
        let inner = path.join(FOLDER);
        let is_outer = !path.join(MANIFEST).exists() && inner.is_dir();
        return folder(if is_outer { &inner } else { path });
    }
    let bytes = fs::read(path).map_err(fail)?;
    let files = archive::unpack(&bytes)?;
    let mut findings = Vec::new();
    // The format leaves bits that no content depends on; only the one way to pack leaves none.
    if archive::pack(&files)? != bytes {
        findings.push(Finding::Broken {
            name: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            reason: format!(
                "expected the bytes that tars {} packs these files into, got others",
                env!("CARGO_PKG_VERSION")
            ),
        });
    }
    Ok((files, findings))
}

fn folder(path: &Path) -> Result<(Files, Vec<Finding>), Error> {
    let (mut files, mut findings) = (Files::new(), Vec::new());
    let fail = |path: &Path, source| Error::Read { path: path.to_owned(), source };
    for entry in fs::read_dir(path).map_err(|e| fail(path, e))? {
        let entry = entry.map_err(|e| fail(path, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Without following links: a link to a file with the right content is not that file.
        let is_file = entry.file_type().map_err(|e| fail(&entry.path(), e))?.is_file();
        if is_file && manifest::is_file_name(&name) {
            files.insert(name, fs::read(entry.path()).map_err(|e| fail(&entry.path(), e))?);
        } else {
            findings.push(Finding::Extra { name: format!("{name:?}") });
        }
    }
    findings.sort_by_key(ToString::to_string);
    Ok((files, findings))
}

/// Checks hashes and signature. With a key, only its signature will do.
pub fn check(files: &Files, key: Option<&PublicKey>) -> Checked {
    let mut findings = Vec::new();
    let hashes = match files.get(MANIFEST).map(|bytes| manifest::parse(bytes)) {
        Some(Ok(hashes)) => hashes,
        Some(Err(reason)) => {
            findings.push(Finding::Broken { name: MANIFEST.to_owned(), reason });
            BTreeMap::new()
        }
        None => {
            findings.push(Finding::Missing { name: MANIFEST.to_owned() });
            BTreeMap::new()
        }
    };
    if findings.is_empty() {
        compare(files, &hashes, &mut findings);
    }
    let signature = signature(files, &hashes, key, &mut findings);
    Checked { findings, signature }
}

fn compare(files: &Files, hashes: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    for (name, hash) in hashes {
        match files.get(name).map(|bytes| digest(bytes)) {
            None => findings.push(Finding::Missing { name: name.clone() }),
            Some(got) if got != *hash => {
                let (expected, got) = (format!("sha256 {hash}"), format!("sha256 {got}"));
                findings.push(Finding::Changed { name: name.clone(), expected, got });
            }
            Some(_) => {}
        }
    }
    let sealed = |name: &str| hashes.contains_key(name) || name == MANIFEST || name == SIGNATURE;
    let extra = files.keys().filter(|name| !sealed(name));
    findings.extend(extra.map(|name| Finding::Extra { name: name.clone() }));
}

fn signature(
    files: &Files,
    hashes: &BTreeMap<String, String>,
    key: Option<&PublicKey>,
    findings: &mut Vec<Finding>,
) -> Signature {
    let broken = |reason: String| Finding::Broken { name: SIGNATURE.to_owned(), reason };
    let (envelope, enclosed) = match (files.get(SIGNATURE), files.get(PUBLIC_KEY)) {
        (None, None) => {
            if key.is_some() {
                findings.push(broken("expected a signature, got a package that was never signed".to_owned()));
            }
            return Signature::None;
        }
        (None, Some(_)) => {
            findings.push(Finding::Missing { name: SIGNATURE.to_owned() });
            return Signature::Invalid;
        }
        (Some(_), None) => {
            findings.push(Finding::Missing { name: PUBLIC_KEY.to_owned() });
            return Signature::Invalid;
        }
        (Some(envelope), Some(enclosed)) => (envelope, enclosed),
    };
    let held = || -> Result<Signature, String> {
        let text = std::str::from_utf8(enclosed).map_err(|e| format!("{PUBLIC_KEY}: {e}"))?;
        let enclosed = PublicKey::from_pem(text).map_err(|e| format!("{PUBLIC_KEY}: {e}"))?;
        let by = key.unwrap_or(&enclosed);
        let envelope = Envelope::from_json(envelope).map_err(reason)?;
        let statement = envelope.open(by).map_err(reason)?;
        subjects(&statement, files, hashes)?;
        Ok(if key.is_some() { Signature::Trusted(by.id()) } else { Signature::Enclosed(by.id()) })
    };
    held().unwrap_or_else(|reason| {
        findings.push(broken(reason));
        Signature::Invalid
    })
}

fn reason(error: Error) -> String {
    match error {
        Error::Envelope { reason } => reason,
        other => other.to_string(),
    }
}

/// That the statement is about this manifest and the files that the manifest lists.
fn subjects(statement: &[u8], files: &Files, hashes: &BTreeMap<String, String>) -> Result<(), String> {
    let statement: Json = serde_json::from_slice(statement).map_err(|e| format!("statement: {e}"))?;
    if statement["predicateType"] != PREDICATE_TYPE {
        return Err(format!(
            "expected a statement of type {PREDICATE_TYPE}, got {}",
            statement["predicateType"]
        ));
    }
    let stated: BTreeMap<&str, &str> = statement["subject"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| Some((s["name"].as_str()?, s["digest"]["sha256"].as_str()?)))
        .collect();
    let manifest = files.get(MANIFEST).map(|bytes| digest(bytes));
    if manifest.as_deref() != stated.get(MANIFEST).copied() {
        return Err(format!("expected a signature of this {MANIFEST}, got one of another"));
    }
    let listed = hashes.iter().map(|(name, hash)| (name.as_str(), hash.as_str()));
    let listed: BTreeMap<&str, &str> =
        listed.chain(manifest.as_deref().map(|hash| (MANIFEST, hash))).collect();
    if listed == stated {
        Ok(())
    } else {
        Err(format!("expected a statement of the files of {MANIFEST}, got one of other files"))
    }
}

/// What is different between a package and what the same data gives now, file by file.
pub fn differences(package: &Files, again: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, expected) in again {
        match package.get(name) {
            None => findings.push(Finding::Missing { name: name.clone() }),
            Some(got) if got != expected => {
                let (expected, got) = first_difference(expected, got);
                findings.push(Finding::Changed { name: name.clone(), expected, got });
            }
            Some(_) => {}
        }
    }
    let extra = package.keys().filter(|name| !again.contains_key(*name));
    findings.extend(extra.map(|name| Finding::Extra { name: name.clone() }));
    findings
}

/// Characters of a line that a message shows.
const SHOWN: usize = 100;

/// Where two files part: the line, or the byte where they are no text.
fn first_difference(expected: &[u8], got: &[u8]) -> (String, String) {
    if let (Ok(a), Ok(b)) = (std::str::from_utf8(expected), std::str::from_utf8(got)) {
        let number = a.lines().zip(b.lines()).take_while(|(a, b)| a == b).count();
        let line = |text: &str| match text.lines().nth(number) {
            Some(line) => format!("line {} {:?}", number + 1, line.chars().take(SHOWN).collect::<String>()),
            None => format!("its end after line {number}"),
        };
        return (line(a), line(b));
    }
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let byte = |bytes: &[u8]| match bytes.get(at) {
        Some(byte) => format!("byte {at} {byte:#04x}"),
        None => format!("its end at byte {at}"),
    };
    (byte(expected), byte(got))
}
