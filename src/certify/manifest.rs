//! `MANIFEST.sha256`: the hash of every file, in the form that `sha256sum -c` checks.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::key::hex;

/// The name of the file.
pub const MANIFEST: &str = "MANIFEST.sha256";

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The SHA-256 of some bytes, in lower-case hex.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A line per file, in the order of names.
pub(super) fn render<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut lines: Vec<(&str, String)> = files.map(|(name, bytes)| (name, digest(bytes))).collect();
    lines.sort_unstable();
    lines.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect()
}

/// Reads a manifest into hashes by name; a line that is none is the error. Lines have one spelling: 64
/// digits in lower case, two spaces, a name; in the order of names.
pub(super) fn parse(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text =
        std::str::from_utf8(text).map_err(|_| "expected text, got bytes that are not UTF-8".to_owned())?;
    let mut hashes = BTreeMap::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let wrong = |expected: &str| format!("line {}: expected {expected}, got {line:?}", number + 1);
        let line = line.strip_suffix('\n').ok_or_else(|| wrong("a line feed at the end"))?;
        let (hash, name) = line.split_once("  ").ok_or_else(|| wrong("a hash, two spaces and a name"))?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash {
            return Err(wrong("64 hexadecimal digits in lower case"));
        }
        if !is_file_name(name) {
            return Err(wrong("a file name without a folder"));
        }
        if hashes.last_key_value().is_some_and(|(last, _): (&String, _)| last.as_str() >= name) {
            return Err(wrong("names in order, each once"));
        }
        hashes.insert(name.to_owned(), hash.to_owned());
    }
    Ok(hashes)
}

/// Whether a name can be a file of a package: no folder, nothing that a terminal or a shell reads
/// another way.
pub(super) fn is_file_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
}
