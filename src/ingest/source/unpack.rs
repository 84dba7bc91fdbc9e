//! Bytes of a source as they were before packing: plain, gzip (of any number of members), zstd, told by
//! their first bytes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::Source;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A reader's buffer: large enough that a system call does not show.
const BUFFER: usize = 256 << 10;

/// A reader of unpacked bytes.
pub(crate) type Unpacked = Box<dyn Read + Send>;

struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens a source; `count` grows by the bytes taken from it, still packed.
pub(crate) fn open(source: &Source, count: Arc<AtomicU64>) -> io::Result<Unpacked> {
    match source {
        Source::File(path) => unpack(Counted { inner: File::open(path)?, count }),
        Source::Object(object) => unpack(Counted { inner: object.open()?, count }),
        Source::Stdin => unpack(Counted { inner: io::stdin(), count }),
    }
}

/// Opens a file as [`open`] does.
pub(crate) fn unpack_file(path: &Path) -> io::Result<Unpacked> {
    unpack(File::open(path)?)
}

/// Whether a file begins as packed ones do.
pub(crate) fn is_packed(path: &Path) -> bool {
    let mut head = Vec::with_capacity(4);
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut head));
    read.is_ok() && (head.starts_with(&GZIP_MAGIC) || head == ZSTD_MAGIC)
}

/// Unpacks what is packed, told by its first bytes.
pub(crate) fn unpack<R: Read + Send + 'static>(mut raw: R) -> io::Result<Unpacked> {
    let mut head = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut head)?;
    let gzip = head.starts_with(&GZIP_MAGIC);
    let zstd = head == ZSTD_MAGIC;
    let whole = io::Cursor::new(head).chain(raw);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))
    } else if zstd {
        Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER, whole))?)
    } else {
        Box::new(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        unpack(io::Cursor::new(bytes)).unwrap().read_to_end(&mut out).unwrap();
        out
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn packings_are_told_by_their_first_bytes() {
        assert_eq!(read(b"plain".to_vec()), b"plain");
        assert_eq!(read(Vec::new()), b"");
        assert_eq!(read(b"a".to_vec()), b"a");
        assert_eq!(read([gzip(b"one "), gzip(b"two")].concat()), b"one two");
        let zstd = |b: &[u8]| zstd::encode_all(b, 1).unwrap();
        assert_eq!(read([zstd(b"one "), zstd(b"two")].concat()), b"one two");
    }
}
