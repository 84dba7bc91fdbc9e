//! Which object store a path or URL means.
//!
//! A store is always rooted at the top of its storage (the file system, the bucket), and everything in a lake
//! is addressed by its full path in there, because a plan of the query engine names files that way too.

use std::path::{Component, Path as OsPath, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::{Position, Url};

use super::cloud::open_store;
use super::{Error, Result};

/// A place in an object store.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    url: Url,
    shown: String,
}

/// The same place without `..`, which is no step of an object's path: what is above a link is above what it points to.
fn without_parents(path: &OsPath) -> PathBuf {
    let mut plain = PathBuf::new();
    for step in path.components() {
        match step {
            Component::ParentDir => {
                plain = plain.canonicalize().unwrap_or(plain);
                plain.pop();
            }
            step => plain.push(step),
        }
    }
    plain
}

impl Storage {
    /// Understands a local path (relative or absolute; `~` is the shell's business) or a URL.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: &str, source: Option<Box<dyn std::error::Error + Send + Sync>>| Error::Url {
            got: text.to_owned(),
            reason: reason.to_owned(),
            source,
        };
        if text.is_empty() {
            return Err(wrong("an empty text", None));
        }
        let url = if text.contains("://") {
            Url::parse(text).map_err(|e| wrong("no URL", Some(Box::new(e))))?
        } else {
            let path = std::path::absolute(text).map_err(|e| wrong("no path", Some(Box::new(e))))?;
            Url::from_directory_path(without_parents(&path))
                .map_err(|()| wrong("a path that no URL can hold", None))?
        };
        let (store, prefix) = open_store(&url)?;
        Ok(Storage { store, prefix, url, shown: text.to_owned() })
    }

    /// The store, rooted at the top of its storage.
    pub(super) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The place, for people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The place, as a URL.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of the store itself, under which the query engine looks it up.
    pub(super) fn store_url(&self) -> String {
        self.url[..Position::BeforePath].to_owned()
    }

    /// The full path of something below this place. `relative` consists of segments that are plain already.
    pub(super) fn path(&self, relative: &str) -> Path {
        let mut path = self.prefix.clone();
        for part in relative.split('/').filter(|p| !p.is_empty()) {
            // `Path::from_iter` and `join` would encode the percent signs of an encoded segment again.
            path = Path::parse(format!("{path}/{part}")).unwrap_or_else(|_| path.clone().join(part));
        }
        path
    }

    /// The folder `name` below this place, with a URL whose path is exactly the path in the store.
    ///
    /// For most URLs that is so already; an HTTPS address of a cloud also has the bucket in its path.
    pub(super) fn below(&self, name: &str) -> Storage {
        let prefix = self.path(name);
        let mut url = self.url.clone();
        if url.scheme() == "file" {
            url.set_path(&format!("{}/{name}/", url.path().trim_end_matches('/')));
        } else {
            url.set_path(&format!("{prefix}/"));
        }
        let shown = format!("{}/{name}", self.shown.trim_end_matches('/'));
        Storage { store: self.store.clone(), prefix, url, shown }
    }

    /// The path of something below this place, relative to it.
    pub(super) fn relative(&self, path: &Path) -> Option<String> {
        let rest = path.as_ref().strip_prefix(self.prefix.as_ref())?;
        Some(rest.trim_start_matches('/').to_owned())
    }

    /// The path of this place in its store.
    pub(super) fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The local directory, when it is one.
    fn local(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok()).flatten()
    }

    /// Makes the directory, when it is local and absent. A store is asked once, so that one that refuses says so before
    /// anything is read for it.
    pub(super) async fn create(&self) -> Result<()> {
        let Some(path) = self.local() else { return self.has("").await.map(drop) };
        self.check_kind(&path)
            .await
            .or_else(|e| if matches!(e, Error::Missing { .. }) { Ok(()) } else { Err(e) })?;
        tokio::fs::create_dir_all(&path).await.map_err(|e| Error::store(&self.shown, "make the directory", e))
    }

    /// Checks that the place exists and names its folders.
    pub(super) async fn folders(&self) -> Result<Vec<String>> {
        if let Some(path) = self.local() {
            self.check_kind(&path).await?;
            // The store's own listing takes an unreadable directory for an empty one.
            let fail = |e| Error::store(&self.shown, "list the directory", e);
            let mut entries = tokio::fs::read_dir(&path).await.map_err(fail)?;
            let mut folders = Vec::new();
            while let Some(entry) = entries.next_entry().await.map_err(fail)? {
                if entry.path().is_dir() {
                    folders.extend(entry.file_name().into_string());
                }
            }
            folders.sort();
            return Ok(folders);
        }
        let listed = self
            .store
            .list_with_delimiter(Some(&self.prefix))
            .await
            .map_err(|e| Error::store(&self.shown, "list the folders", e))?;
        let names = listed.common_prefixes.iter().filter_map(|p| p.filename().map(str::to_owned));
        Ok(names.collect())
    }

    /// Whether anything lies below a path.
    pub(super) async fn has(&self, relative: &str) -> Result<bool> {
        let mut objects = self.store.list(Some(&self.path(relative)));
        match objects.try_next().await {
            Ok(found) => Ok(found.is_some()),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(Error::store(&self.shown, "list the folders", e)),
        }
    }

    /// Whether one object is there.
    pub(super) async fn exists(&self, relative: &str) -> Result<bool> {
        match self.store.head(&self.path(relative)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(Error::store(&self.shown, "look for a data file", e)),
        }
    }

    /// Whether this is a local place without that folder. Stores know no folders, so for them the answer is no.
    pub(super) async fn lacks(&self, folder: &str) -> Result<bool> {
        let Some(path) = self.local() else { return Ok(false) };
        match tokio::fs::try_exists(path.join(folder)).await {
            Ok(exists) => Ok(!exists),
            Err(e) => Err(Error::store(&self.shown, "look at it", e)),
        }
    }

    async fn check_kind(&self, path: &OsPath) -> Result<()> {
        match tokio::fs::metadata(path).await {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(_) => Err(Error::NotADirectory { place: self.shown.clone() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::Missing { place: self.shown.clone() })
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                Err(Error::NotADirectory { place: self.shown.clone() })
            }
            Err(e) => Err(Error::store(&self.shown, "look at it", e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, url: &str, path: &str) {
        let storage = Storage::parse(text).unwrap();
        assert_eq!((storage.url().as_str(), storage.prefix().as_ref()), (url, path));
    }

    #[test]
    fn paths_and_urls_lead_to_a_store_and_a_path_in_it() {
        check("/tmp/my lake", "file:///tmp/my%20lake/", "tmp/my lake");
        check("/no/such/../folder/./lake", "file:///no/folder/lake/", "no/folder/lake");
        check("file:///tmp/lake", "file:///tmp/lake", "tmp/lake");
        check("memory:///a", "memory:///a", "a");
        check("s3://bucket/deep/lake", "s3://bucket/deep/lake", "deep/lake");
        let here = Storage::parse("lake").unwrap();
        assert_eq!(here.local().unwrap(), std::env::current_dir().unwrap().join("lake"));
    }

    #[test]
    fn a_table_of_an_https_bucket_is_addressed_inside_the_bucket() {
        let storage = Storage::parse("https://s3.eu-west-1.amazonaws.com/bucket/lake").unwrap().below("logs");
        assert_eq!(storage.prefix().as_ref(), "lake/logs");
        assert_eq!(storage.url().path(), "/lake/logs/");
        assert_eq!(storage.store_url(), "https://s3.eu-west-1.amazonaws.com");
    }

    #[test]
    fn encoded_segments_are_not_encoded_again() {
        let storage = Storage::parse("/tmp/lake").unwrap();
        assert_eq!(storage.path("region=a%2Fb/hour=x").as_ref(), "tmp/lake/region=a%2Fb/hour=x");
    }

    #[test]
    fn nonsense_is_refused_with_what_would_do() {
        for text in ["", "nothing://here/x"] {
            let error = Storage::parse(text).unwrap_err();
            assert!(error.to_string().contains("expected a path or a URL"), "{error}");
            assert!(error.hint().unwrap().contains("s3://bucket/path"));
        }
    }
}
