//! Where things are inside a lake: `<table>/region=…/hour=…/part-….parquet`.
//!
//! A region is text from outside. Whatever it is, its folder is one plain path segment below the table: every
//! byte other than ASCII letters, digits, `.`, `_` and `-` is percent-encoded (as Hive does it, so that other
//! engines that read the folder names decode it), and a long name is cut and told apart by a hash. The true
//! value stands in the transaction log, so that nothing has to be read back from a path.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

use sha2::{Digest, Sha256};

use crate::domain::{Hour, UNKNOWN_REGION};

/// The folder of a table's transaction log; the format fixes its name.
pub(super) const LOG_FOLDER: &str = "_delta_log";

/// Longest folder value. File systems allow 255 bytes in a name; this leaves room for the key and for tools
/// that prefix names.
const MAX_VALUE: usize = 160;

/// Characters kept of a longer value; a dash and 16 hexadecimal digits of its hash follow.
const KEPT: usize = 120;

/// The region under which a row is stored: an empty one is `unknown`, because the table format reads an empty
/// partition value as NULL.
pub(super) fn stored_region(region: &str) -> &str {
    if region.is_empty() { UNKNOWN_REGION } else { region }
}

/// The folder of a partition, relative to its table, without a slash at the end.
pub(super) fn partition_folder(region: &str, hour: Hour) -> String {
    format!("region={}/hour={}", segment(region), segment(&hour.to_string()))
}

/// A path for a new data file, relative to its table. No two calls return the same one.
pub(super) fn new_file_path(region: &str, hour: Hour) -> String {
    // The keys of `RandomState` come from the operating system; two hashers make 128 bits.
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{}/part-{:016x}{:016x}.parquet", partition_folder(region, hour), random(), random())
}

/// One partition value as a part of a path segment.
fn segment(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    if out.len() > MAX_VALUE {
        let mut cut = KEPT;
        // Not through an escape.
        while out.as_bytes()[cut - 1] == b'%' || out.as_bytes()[cut - 2] == b'%' {
            cut -= 1;
        }
        out.truncate(cut);
        out.push('-');
        for byte in &Sha256::digest(value.as_bytes())[..8] {
            write!(out, "{byte:02x}").expect("writing to a String cannot fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hour() -> Hour {
        Hour::of_micros(1_736_946_000_000_000)
    }

    #[test]
    fn an_ordinary_region_is_its_own_folder() {
        // date -u -d @1736946000 => 2025-01-15 13:00:00
        assert_eq!(partition_folder("us-east-1", hour()), "region=us-east-1/hour=2025-01-15T13");
    }

    #[test]
    fn a_hostile_region_stays_one_segment() {
        for (region, folder) in [
            ("..", "region=.."),
            ("../../etc", "region=..%2F..%2Fetc"),
            ("a=b", "region=a%3Db"),
            ("a\\b\0\n", "region=a%5Cb%00%0A"),
            ("100%", "region=100%25"),
            ("münchen", "region=m%C3%BCnchen"),
        ] {
            assert_eq!(partition_folder(region, hour()), format!("{folder}/hour=2025-01-15T13"));
        }
        assert_eq!(stored_region(""), "unknown");
    }

    #[test]
    fn long_regions_that_differ_only_at_the_end_get_different_folders() {
        let (a, b) = ("é".repeat(400) + "a", "é".repeat(400) + "b");
        let (a, b) = (segment(&a), segment(&b));
        assert_ne!(a, b);
        assert!(a.len() <= MAX_VALUE && a.starts_with("%C3%A9"), "{a}");
    }

    #[test]
    fn file_names_do_not_repeat() {
        let names: std::collections::HashSet<_> = (0..1000).map(|_| new_file_path("r", hour())).collect();
        assert_eq!(names.len(), 1000);
    }

    proptest! {
        #[test]
        fn no_region_steers_out_of_its_folder(region in any::<String>()) {
            let folder = partition_folder(&region, hour());
            prop_assert_eq!(folder.matches('/').count(), 1);
            prop_assert!(folder.is_ascii() && folder.len() < 220);
            prop_assert!(object_store::path::Path::parse(&folder).is_ok());
        }
    }
}
