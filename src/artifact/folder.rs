//! A folder that appears whole or not at all.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Artifact;

/// A folder in the making: written beside its place, and moved there when it is finished, so that a reader, or a run that
/// is killed, never sees half a folder under its name. Dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    fresh: PathBuf,
    names: Vec<String>,
    is_finished: bool,
}

impl Folder {
    /// Begins a folder that will replace `path`. A file of the old folder that is not written again goes with it, so an error
    /// when the old folder cannot be one of ours: with a folder in it here, with none of the new folder's files at the end.
    pub fn begin(path: &Path) -> io::Result<Folder> {
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if std::env::current_dir().is_ok_and(|here| here == *path) {
            // Whoever stands in it would be left in one that is gone.
            return Err(not_ours("the current one"));
        }
        old_files(path)?;
        let fresh = beside(path, "partial");
        fs::create_dir_all(&fresh)?;
        Ok(Folder { path: path.to_owned(), fresh, names: Vec::new(), is_finished: false })
    }

    /// Writes one document.
    pub fn write(&mut self, document: &Artifact) -> io::Result<()> {
        fs::write(self.fresh.join(&document.name), &document.bytes)?;
        self.names.push(document.name.clone());
        Ok(())
    }

    /// Moves the folder to its place; the names of its files.
    pub fn finish(mut self) -> io::Result<Vec<String>> {
        // All of them at the end: by then most have been written, and thousands one after the other would each wait for the disk.
        for name in &self.names {
            fs::File::open(self.fresh.join(name))?.sync_all()?;
        }
        let old = old_files(&self.path)?;
        if !old.is_empty() && !self.names.iter().any(|name| old.contains(OsStr::new(name))) {
            return Err(not_ours("one with other files"));
        }
        swap(&self.path, &self.fresh, &beside(&self.path, "replaced"))?;
        self.is_finished = true;
        Ok(std::mem::take(&mut self.names))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_finished {
            // What went wrong is told; that it cannot be tidied as well would hide it.
            let _ = fs::remove_dir_all(&self.fresh);
        }
    }
}

/// Writes the documents as the folder `path`, replacing the folder that is there, whole or not at all.
pub fn write_folder(path: &Path, documents: &[Artifact]) -> io::Result<()> {
    let mut folder = Folder::begin(path)?;
    documents.iter().try_for_each(|document| folder.write(document))?;
    folder.finish()?;
    Ok(())
}

/// The names of the files in a folder that is to be replaced; none where there is no folder yet.
fn old_files(path: &Path) -> io::Result<BTreeSet<OsString>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(not_ours("a file")),
        entries => entries?,
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let (entry, name) = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name())))?;
        if entry.is_dir() {
            let got = format!("one that holds the folder `{}`", name.display());
            return Err(not_ours(&got));
        }
        names.insert(name);
    }
    Ok(names)
}

fn not_ours(got: &str) -> io::Error {
    let text = format!(
        "it is replaced whole: expected no folder yet, an empty one or that of an earlier run; got {got}"
    );
    io::Error::new(io::ErrorKind::AlreadyExists, text)
}

/// A name beside `path` that no other process uses.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{what}", std::process::id()));
    path.with_file_name(name)
}

fn swap(path: &Path, fresh: &Path, old: &Path) -> io::Result<()> {
    match fs::rename(path, old) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::rename(fresh, path),
        Err(error) => return Err(error),
    }
    match fs::rename(fresh, path) {
        Ok(()) => fs::remove_dir_all(old),
        Err(error) => {
            fs::rename(old, path)?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_replaced_whole_and_leaves_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("package");
        write_folder(&folder, &[Artifact::text("a", "1"), Artifact::text("b", "2")]).unwrap();
        write_folder(&folder, &[Artifact::text("b", "3")]).unwrap();
        assert_eq!(names(&folder), ["b"]);
        assert_eq!(fs::read(folder.join("b")).unwrap(), b"3");
        assert_eq!(names(root.path()), ["package"]);
    }

    #[test]
    fn a_folder_that_cannot_be_finished_leaves_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("package");
        write_folder(&folder, &[Artifact::text("a", "1")]).unwrap();
        assert!(write_folder(&folder, &[Artifact::text("no/such/folder", "2")]).is_err());
        assert_eq!(names(&folder), ["a"]);
        assert_eq!(names(root.path()), ["package"]);
    }

    #[test]
    fn what_is_no_folder_of_an_earlier_run_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        fs::create_dir_all(home.join("photos")).unwrap();
        fs::write(home.join("a"), "old").unwrap();
        let error = write_folder(&home, &[Artifact::text("a", "1")]).unwrap_err();
        assert!(error.to_string().ends_with("got one that holds the folder `photos`"), "{error}");
        fs::remove_dir(home.join("photos")).unwrap();
        let error = write_folder(&home, &[Artifact::text("b", "1")]).unwrap_err();
        assert!(error.to_string().ends_with("got one with other files"), "{error}");
        let error = write_folder(&home.join("a"), &[Artifact::text("b", "1")]).unwrap_err();
        assert!(error.to_string().ends_with("got a file"), "{error}");
        let error = write_folder(&std::env::current_dir().unwrap(), &[Artifact::text("b", "1")]).unwrap_err();
        assert!(error.to_string().ends_with("got the current one"), "{error}");
        assert_eq!((names(root.path()), names(&home)), (vec!["home".to_owned()], vec!["a".to_owned()]));
        write_folder(&home, &[Artifact::text("a", "new")]).unwrap();
        assert_eq!(fs::read(home.join("a")).unwrap(), b"new");
    }
}
