//! The package as one file: a tar archive in gzip whose bytes depend on the files alone.

use std::io::{Read, Write};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header};

use super::Error;
use super::manifest::{Files, is_file_name};

/// The folder inside the archive.
pub const FOLDER: &str = "ga_certification_package";
/// The archive's name.
pub const ARCHIVE: &str = "ga_certification_package.tar.gz";

/// The time that every entry carries: 1980-01-01T00:00:00Z, which no tool takes for a mistake.
const ENTRY_TIME: u64 = 315_532_800;
/// Everybody reads, the owner writes.
const ENTRY_MODE: u32 = 0o644;
/// What an archive may unpack to. A package takes a few MiB; more than this is an attack on memory.
const LARGEST: u64 = 512 << 20;

/// Packs files: in the order of names, owned by nobody, without a time in the gzip header.
pub fn pack(files: &Files) -> Result<Vec<u8>, Error> {
    let wrong = |e: std::io::Error| Error::Archive { reason: format!("cannot be packed: {e}") };
    // The operating system byte stays 255, "unknown", on every machine.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    let mut tar = Builder::new(gzip);
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(ENTRY_MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(ENTRY_TIME);
        tar.append_data(&mut header, format!("{FOLDER}/{name}"), bytes.as_slice()).map_err(wrong)?;
    }
    let mut gzip = tar.into_inner().map_err(wrong)?;
    gzip.flush().map_err(wrong)?;
    gzip.finish().map_err(wrong)
}

/// Unpacks into memory. Only plain files of the package's own folder are taken: a path that leads
/// elsewhere, a link, a device or a second file of the same name makes the whole archive unusable.
pub fn unpack(bytes: &[u8]) -> Result<Files, Error> {
    let wrong = |reason: String| Error::Archive { reason };
    let damaged = |e: std::io::Error| wrong(format!("is damaged or no tar.gz: {e}"));
    let mut tar = Vec::new();
    let mut gzip = GzDecoder::new(bytes);
    (&mut gzip).take(LARGEST + 1).read_to_end(&mut tar).map_err(damaged)?;
    if tar.len() as u64 > LARGEST {
        return Err(wrong(format!("unpacks to more than {LARGEST} bytes")));
    }
    let rest = gzip.into_inner();
    if !rest.is_empty() {
        return Err(wrong(format!("expected its end, got {} bytes more", rest.len())));
    }
    let mut files = Files::new();
    for entry in Archive::new(tar.as_slice()).entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            return Err(wrong(format!(
                "expected plain files, got {path:?}, which is a link, a folder or a device"
            )));
        }
        let name = path.strip_prefix(FOLDER).and_then(|p| p.strip_prefix('/')).filter(|n| is_file_name(n));
        let Some(name) = name else {
            return Err(wrong(format!("expected files of the folder {FOLDER}, got {path:?}")));
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        if files.insert(name.to_owned(), content).is_some() {
            return Err(wrong(format!("expected every file once, got {path:?} again")));
        }
    }
    Ok(files)
}
