//! Objects of a store as sources: one object, everything below a prefix, or a glob in the key.
//!
//! An object is known by its URL. The store's name for its content (the ETag, else size and time of change) is
//! recorded when all of it has landed, so an unchanged object is not fetched again. An object that has a new
//! version is read from its start: if it begins with what landed, its rest lands, as with a file that grew.
//! Nothing is passed over by range: the digest that tells a grown object from a rewritten one needs the bytes.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use url::{Position, Url};

use super::resolve::is_telemetry;
use crate::ingest::error::{Error, Result};
use crate::lake::{self, open_store};

/// Bytes of one request: large enough that its latency does not show, small enough to hold two of them.
const PART: u64 = 4 << 20;
/// Characters that make a key a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    url: String,
}

impl Object {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn size(&self) -> u64 {
        self.meta.size
    }

    /// What the store calls this content, as a number; `None` when it says neither ETag nor version.
    pub(crate) fn version(&self) -> Option<u64> {
        let named = match (&self.meta.e_tag, &self.meta.version) {
            (None, None) => return None,
            (tag, version) => format!("{tag:?} {version:?} {}", self.meta.size),
        };
        let hash = Sha256::digest(named.as_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&hash[..8]);
        // What fits beside an ordinal in an application transaction.
        Some(u64::from_be_bytes(head) >> 24)
    }

    /// A reader of its bytes as they are stored. Only for a thread that may block.
    pub(crate) fn open(self: &Arc<Self>) -> io::Result<ObjectReader> {
        let handle = Handle::try_current().map_err(io::Error::other)?;
        Ok(ObjectReader { handle, object: self.clone(), at: 0, part: Bytes::new(), ahead: None, whole: None })
    }
}

/// Whether an input names an object store.
pub(crate) fn is_url(input: &str) -> bool {
    input.contains("://")
}

/// Whether a URL can be understood at all, without asking its store.
pub(crate) fn check_url(input: &str) -> Result<()> {
    place(input).map(drop)
}

/// A store, the part of the key before any wildcard, and the whole pattern if there is one.
struct Place {
    store: Arc<dyn ObjectStore>,
    root: String,
    key: String,
    pattern: Option<glob::Pattern>,
    listable: bool,
}

fn wrong(input: &str, reason: impl std::fmt::Display) -> Error {
    Error::Url { url: redacted(input), reason: reason.to_string() }
}

/// A URL without a password or query, which may hold a signature.
fn redacted(input: &str) -> String {
    let Ok(mut url) = Url::parse(input) else { return input.split('?').next().unwrap_or(input).to_owned() };
    if url.password().is_some() {
        let _ = url.set_password(Some("***"));
    }
    let shown = url.to_string();
    match url.query() {
        Some(query) if url.scheme().starts_with("http") => shown.replace(query, "***"),
        _ => shown,
    }
}

fn place(input: &str) -> Result<Place> {
    // A `?` in a key is a wildcard, in an HTTP address the start of a query.
    let http = input.starts_with("http://") || input.starts_with("https://");
    if http && input.contains('?') {
        return Err(wrong(
            input,
            "an address with a query; use s3://, gs:// or az:// with credentials from the environment",
        ));
    }
    let escaped = if http { input.to_owned() } else { input.replace('?', "%3F") };
    let url = Url::parse(&escaped).map_err(|e| wrong(input, e))?;
    let (store, path) = open_store(&url).map_err(|e| match e {
        lake::Error::Url { reason, .. } => wrong(input, reason),
        e => Error::Environment(Box::new(e)),
    })?;
    let mut key = path.to_string();
    let trailing = input.ends_with('/') && !key.is_empty();
    if trailing {
        key.push('/');
    }
    let pattern = match key.contains(WILDCARDS) {
        true => Some(glob::Pattern::new(&key).map_err(|e| wrong(input, e))?),
        false => None,
    };
    // Some addresses of clouds name the bucket in their path, and the key is what comes after it.
    let top = &url[..Position::BeforePath];
    let root = match Path::from_url_path(url.path()) {
        Ok(whole) if whole == path => format!("{top}/"),
        _ => format!("{top}/{}/", url.path_segments().and_then(|mut p| p.next()).unwrap_or_default()),
    };
    let listable = !is_plain_http(&url);
    Ok(Place { store, root, key, pattern, listable })
}

/// Whether no cloud stands behind an HTTP address.
fn is_plain_http(url: &Url) -> bool {
    object_store::ObjectStoreScheme::parse(url)
        .is_ok_and(|(scheme, _)| scheme == object_store::ObjectStoreScheme::Http)
}

/// The objects behind a URL, by key.
pub(crate) async fn objects(input: &str) -> Result<Vec<Arc<Object>>> {
    let place = place(input)?;
    let object = |meta: ObjectMeta| {
        let url = format!("{}{}", place.root, meta.location);
        Arc::new(Object { store: place.store.clone(), meta, url })
    };
    let failed = |source: object_store::Error| {
        let url = redacted(input);
        match lake::Error::credentials(&url, &source) {
            Some(missing) => Error::Environment(Box::new(missing)),
            None => Error::Store { url, source: Box::new(source) },
        }
    };
    if place.pattern.is_none() && !place.key.is_empty() && !place.key.ends_with('/') {
        let path = Path::parse(&place.key).map_err(|e| wrong(input, e))?;
        match place.store.head(&path).await {
            Ok(meta) => return Ok(vec![object(meta)]),
            // It may be a prefix.
            Err(object_store::Error::NotFound { .. }) if place.listable => {}
            Err(e) => return Err(failed(e)),
        }
    }
    if !place.listable {
        return Err(wrong(input, "a folder or pattern on a web server, which lists nothing; name each file"));
    }
    let fixed = match &place.pattern {
        Some(_) => place.key.split(WILDCARDS).next().and_then(|k| k.rsplit_once('/')).map_or("", |(f, _)| f),
        None => place.key.trim_end_matches('/'),
    };
    let prefix = Path::parse(fixed).map_err(|e| wrong(input, e))?;
    let listed: Vec<ObjectMeta> = place.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let mut found: Vec<ObjectMeta> = listed
        .into_iter()
        .filter(|meta| match &place.pattern {
            Some(pattern) => pattern.matches_with(meta.location.as_ref(), options),
            None => meta.size > 0 && meta.location.filename().is_some_and(is_telemetry),
        })
        .collect();
    found.sort_by(|a, b| a.location.cmp(&b.location));
    if found.is_empty() {
        let expected = match place.pattern {
            Some(_) => "at least one object that matches",
            None => "an object, or telemetry files below that prefix",
        };
        return Err(Error::Empty { path: redacted(input), expected });
    }
    Ok(found.into_iter().map(object).collect())
}

/// Reads an object part by part; the next part is on its way while one is in use.
pub(crate) struct ObjectReader {
    handle: Handle,
    object: Arc<Object>,
    at: u64,
    part: Bytes,
    ahead: Option<JoinHandle<object_store::Result<Bytes>>>,
    /// The whole object as a stream, from a server that knows no ranges.
    whole: Option<futures::stream::BoxStream<'static, object_store::Result<Bytes>>>,
}

impl ObjectReader {
    fn fetch(&self, range: Range<u64>) -> JoinHandle<object_store::Result<Bytes>> {
        let object = self.object.clone();
        self.handle.spawn(async move {
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                // Two versions must not be mixed.
                if_match: object.meta.e_tag.clone(),
                ..GetOptions::default()
            };
            object.store.get_opts(&object.meta.location, options).await?.bytes().await
        })
    }

    fn next_range(&self, from: u64) -> Option<Range<u64>> {
        (from < self.object.meta.size).then(|| from..self.object.meta.size.min(from + PART))
    }

    fn next(&mut self) -> io::Result<Bytes> {
        if let Some(whole) = &mut self.whole {
            let next = self.handle.block_on(whole.next());
            return next.transpose().map(Option::unwrap_or_default).map_err(io::Error::other);
        }
        let Some(range) = self.next_range(self.at) else { return Ok(Bytes::new()) };
        let fetching = self.ahead.take().unwrap_or_else(|| self.fetch(range.clone()));
        match self.handle.block_on(fetching).map_err(io::Error::other)? {
            Ok(part) if part.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(part) => {
                self.at += part.len() as u64;
                self.ahead = self.next_range(self.at).map(|range| self.fetch(range));
                Ok(part)
            }
            Err(object_store::Error::NotSupported { .. }) if self.at == 0 => {
                let (store, path) = (self.object.store.clone(), self.object.meta.location.clone());
                let got = self.handle.block_on(async move { store.get(&path).await });
                self.whole = Some(got.map_err(io::Error::other)?.into_stream());
                self.next()
            }
            Err(object_store::Error::Precondition { .. }) => {
                Err(io::Error::other("the object changed while it was read; repeat the command"))
            }
            Err(e) => Err(io::Error::other(e)),
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.is_empty() {
            self.part = self.next()?;
        }
        let length = self.part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.part.split_to(length));
        Ok(length)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_one_name_however_it_was_found() {
        for (input, root, key) in [
            ("s3://bucket/a/b.log", "s3://bucket/", "a/b.log"),
            ("s3://bucket/*/lo?.log", "s3://bucket/", "*/lo?.log"),
            ("s3://bucket/a b/*.log", "s3://bucket/", "a b/*.log"),
            ("http://host/a/b.log", "http://host/", "a/b.log"),
            (
                "https://s3.eu-west-1.amazonaws.com/bucket/a b/*",
                "https://s3.eu-west-1.amazonaws.com/bucket/",
                "a b/*",
            ),
            (
                "https://bucket.s3.eu-west-1.amazonaws.com/a/b",
                "https://bucket.s3.eu-west-1.amazonaws.com/",
                "a/b",
            ),
        ] {
            let place = place(input).unwrap();
            assert_eq!((place.root.as_str(), place.key.as_str()), (root, key), "{input}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(redacted("https://u:secret@host/a"), "https://u:***@host/a");
        assert_eq!(redacted("https://host/a?sig=secret"), "https://host/a?***");
    }

    #[test]
    fn what_cannot_be_understood_is_told_before_anything_is_asked() {
        for (input, expected) in [
            ("https://host/a.json?sig=secret", "an address with a query"),
            ("nothing://host/a", "nothing://host/a"),
        ] {
            let error = check_url(input).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        }
        assert!(is_url("s3://bucket/key") && !is_url("/var/log/a.log"));
    }
}
