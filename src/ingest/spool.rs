//! Standard input that may repeat what has landed: its beginning is kept in a temporary file until it is
//! known whether it does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::source::{Unpacked, digests_at};

/// Tells spools of one process apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A reader that writes down what it reads.
struct Recording<'a> {
    from: &'a mut dyn Read,
    to: &'a mut File,
}

impl Read for Recording<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}

/// The temporary file; removed with it.
pub(crate) struct Spool {
    path: PathBuf,
    file: BufReader<File>,
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // It lies in the directory for temporary files: should this fail, the system cleans up.
        let _ = fs::remove_file(&self.path);
    }
}

impl Spool {
    /// The digests of a stream at some offsets, and a reader that gives the stream from its start.
    pub(crate) fn digests(mut stream: Unpacked, offsets: &[u64]) -> io::Result<(Vec<Option<u64>>, Unpacked)> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tars-stdin-{}-{number}", std::process::id()));
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let digests = digests_at(&mut Recording { from: &mut stream, to: &mut file }, offsets);
        file.rewind()?;
        let spool = Spool { path, file: BufReader::new(file) };
        Ok((digests?, Box::new(spool.chain(stream))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_stream_is_the_stream() {
        let text = "0123456789".repeat(1000);
        let stream: Unpacked = Box::new(io::Cursor::new(text.clone().into_bytes()));
        let (digests, mut again) = Spool::digests(stream, &[5, 9_000]).unwrap();
        assert_eq!(digests, digests_at(&mut text.as_bytes(), &[5, 9_000]).unwrap());
        let mut all = String::new();
        again.read_to_string(&mut all).unwrap();
        assert_eq!(all, text);
    }
}
