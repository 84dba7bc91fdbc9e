//! Where rows go: one file per table, complete or not there at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Error;

/// A file under another name until it is complete.
pub(super) struct Output {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    pub(super) bytes: u64,
    pub(super) rows: u64,
}

impl Output {
    pub(super) fn create(directory: &Path, table: &str) -> Result<Self, Error> {
        let path = directory.join(format!("{table}.ndjson"));
        let partial = directory.join(format!(".{table}.ndjson.partial"));
        let file = File::create(&partial).map_err(|source| Error::Write { path: partial.clone(), source })?;
        Ok(Output { file, partial, path, bytes: 0, rows: 0 })
    }

    pub(super) fn write(&mut self, bytes: &[u8], rows: u64) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| Error::Write { path: self.partial.clone(), source })?;
        self.bytes += bytes.len() as u64;
        self.rows += rows;
        Ok(())
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(PathBuf, u64, u64), Error> {
        drop(self.file);
        fs::rename(&self.partial, &self.path)
            .map_err(|source| Error::Write { path: self.path.clone(), source })?;
        Ok((self.path, self.rows, self.bytes))
    }
}

/// Makes the directory, and those above it.
pub(super) fn prepare(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| Error::Write { path: directory.to_owned(), source })
}
