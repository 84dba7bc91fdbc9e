//! A file that grows: its end is not the end, and its name may come to mean another file.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes of a file's beginning by which a rewritten one is told.
const HEAD: usize = 256;

/// What tells one file from another, whatever they are called: device and inode.
pub(crate) type FileId = (u64, u64);

#[cfg(unix)]
pub(crate) fn file_id(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere the time of creation has to do.
#[cfg(not(unix))]
pub(crate) fn file_id(metadata: &Metadata) -> FileId {
    let created = metadata.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    (0, created.map_or(0, |d| d.as_nanos() as u64))
}

/// What the follower knows of a file that a [`Tail`] reads.
#[derive(Debug, Default)]
pub(crate) struct Grip {
    read: AtomicU64,
    closing: AtomicBool,
    cut: AtomicBool,
}

impl Grip {
    /// Bytes read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// What is in the file now is not what was read before: nothing more is read from it.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Whether that has been said.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// From now on the end of the file is the end.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

/// Reads a file; at its end it says that nothing more has come so far.
#[derive(Debug)]
pub(crate) struct Tail {
    file: File,
    grip: Arc<Grip>,
    count: Arc<AtomicU64>,
}

impl Tail {
    pub(crate) fn new(file: File, grip: Arc<Grip>, count: Arc<AtomicU64>) -> Tail {
        Tail { file, grip, count }
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.grip.cut.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let read = self.file.read(buffer)?;
        if read == 0 && !buffer.is_empty() && !self.grip.closing.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.grip.read.fetch_add(read as u64, Ordering::Relaxed);
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The beginning of a file that was just opened, which is then at its beginning again.
pub(crate) fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

/// Whether a file, known by its mark, was cut: what was read of it is not in it any more. All of it is asked of one
/// opened file, because the path may come to mean another one at any moment, which says nothing about this one.
pub(crate) fn was_cut(path: &Path, mark: FileId, read: u64, beginning: &[u8]) -> bool {
    let asked = File::open(path).and_then(|mut file| {
        let metadata = file.metadata()?;
        let is_same = file_id(&metadata) == mark;
        Ok(is_same && (metadata.len() < read || !head(&mut file)?.starts_with(beginning)))
    });
    asked.unwrap_or(false)
}

/// Under which names a file may have been read before it was rotated to this one: `app.log.2.gz` was `app.log.2`,
/// `app.log.1` and `app.log`; `app-20250115.log` and `app.log-20250115` were `app.log`.
pub(crate) fn earlier_names(name: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |earlier: String| {
        if earlier != name && !earlier.is_empty() && !names.contains(&earlier) {
            names.push(earlier);
        }
    };
    let plain = [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|p| name.strip_suffix(p)).unwrap_or(name);
    add(plain.to_owned());
    let is_stamp = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | ':' | 'T' | 'Z' | '.');
    if let Some((base, number)) = plain.rsplit_once('.')
        && let Ok(number) = number.parse::<u32>()
    {
        // A shift by one; the one before may have been packed already.
        if let Some(before) = number.checked_sub(1).filter(|n| *n < 10_000) {
            for packing in ["", ".gz", ".zst"] {
                add(format!("{base}.{before}{packing}"));
            }
        }
        add(base.to_owned());
    }
    let trimmed = plain.trim_end_matches(is_stamp);
    if trimmed.len() < plain.len() && plain[trimmed.len()..].contains(|c: char| c.is_ascii_digit()) {
        add(trimmed.to_owned());
    }
    if let Some((stem, end)) = plain.rsplit_once('.') {
        let trimmed = stem.trim_end_matches(is_stamp);
        if trimmed.len() < stem.len() && stem[trimmed.len()..].contains(|c: char| c.is_ascii_digit()) {
            add(format!("{trimmed}.{end}"));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_end_is_a_pause_until_the_file_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut file = File::create(&path).unwrap();
        write!(file, "one").unwrap();
        let grip = Arc::new(Grip::default());
        let mut tail = Tail::new(File::open(&path).unwrap(), grip.clone(), Arc::default());
        let mut text = String::new();
        assert_eq!(tail.read_to_string(&mut text).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        write!(file, " two").unwrap();
        grip.close();
        let mut rest = Vec::new();
        tail.read_to_end(&mut rest).unwrap();
        assert_eq!((grip.read(), rest.as_slice()), (7, &b" two"[..]));
    }

    #[test]
    fn a_path_that_came_to_mean_another_file_is_not_a_cut_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
        std::fs::write(&path, "one two").unwrap();
        let mark = file_id(&path.metadata().unwrap());
        let is_cut = |path: &Path| was_cut(path, mark, 7, b"one");
        assert!(!is_cut(&path));
        std::fs::write(&path, "one two three").unwrap();
        assert!(!is_cut(&path));
        std::fs::rename(&path, &moved).unwrap();
        assert!(!is_cut(&path));
        // Shorter, and beginning otherwise: both would be signs of a cut in the same file.
        std::fs::write(&path, "two").unwrap();
        assert!(!is_cut(&path) && !is_cut(&moved));
        std::fs::write(&moved, "one").unwrap();
        assert!(is_cut(&moved));
        std::fs::write(&moved, "six seven").unwrap();
        assert!(is_cut(&moved));
    }

    #[test]
    fn rotated_names_lead_back_to_the_first() {
        for (name, expected) in [
            ("app.log.1", vec!["app.log.0", "app.log.0.gz", "app.log.0.zst", "app.log"]),
            ("app.log.2.gz", vec!["app.log.2", "app.log.1", "app.log.1.gz", "app.log.1.zst", "app.log"]),
            ("app.log-20250115", vec!["app.log"]),
            ("app.log-2025-01-15T10:00:00", vec!["app.log"]),
            ("app-2025-01-15.log", vec!["app.log"]),
            ("app.log.gz", vec!["app.log"]),
            ("app.log", vec![]),
        ] {
            assert_eq!(earlier_names(name), expected, "{name}");
        }
    }
}
