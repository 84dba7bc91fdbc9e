//! What the stores have in common: objects by key, ranges, conditions, listings in pages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use chrono::{DateTime, Utc};

use crate::server::{Request, Response};

/// One object.
pub struct Object {
    pub bytes: Vec<u8>,
    /// Counts the writes of the bucket; no two contents share one.
    pub generation: u64,
    pub modified: DateTime<Utc>,
}

impl Object {
    pub fn etag(&self) -> String {
        format!("\"{:x}\"", self.generation)
    }
}

/// The objects of one bucket.
#[derive(Default)]
pub struct Bucket {
    pub objects: BTreeMap<String, Object>,
    /// Keys and prefixes in one page of a listing.
    pub page: usize,
    written: u64,
}

/// A page of a listing.
pub struct Page<'a> {
    pub objects: Vec<(&'a str, &'a Object)>,
    pub prefixes: Vec<String>,
    /// The last name of this page, when there are more.
    pub next: Option<String>,
}

impl Bucket {
    pub fn put(&mut self, key: &str, bytes: Vec<u8>) -> &Object {
        self.written += 1;
        let object = Object { bytes, generation: self.written, modified: Utc::now() };
        self.objects.insert(key.to_owned(), object);
        &self.objects[key]
    }

    /// What comes behind a name, one entry for everything that a delimiter joins.
    pub fn list(&self, prefix: &str, delimiter: Option<&str>, after: Option<&str>) -> Page<'_> {
        let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
        let mut seen = BTreeSet::new();
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        for (key, object) in self.objects.range::<str, _>((from, Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(prefix) else { continue };
            let joined =
                delimiter.and_then(|d| rest.split_once(d).map(|(first, _)| format!("{prefix}{first}{d}")));
            let name = joined.clone().unwrap_or_else(|| key.clone());
            // A joined name sorts before its keys, so a page that ended with it is followed by keys that it stands for.
            if after.is_some_and(|a| name.as_str() <= a) || !seen.insert(name.clone()) {
                continue;
            }
            if seen.len() > self.page {
                seen.remove(&name);
                page.next = seen.into_iter().next_back();
                return page;
            }
            match joined {
                Some(name) => page.prefixes.push(name),
                None => page.objects.push((key.as_str(), object)),
            }
        }
        page
    }
}

/// The bytes that a `Range` header names: `bytes=FIRST-LAST`.
fn range(request: &Request, size: usize) -> Option<(usize, usize)> {
    let (first, last) = request.header("range").strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse::<usize>().ok()?.min(size - 1)))
}

/// An object, or the part of it that was asked for, if it still is the one that was meant.
pub fn object(request: &Request, bytes: &[u8], etag: Option<&str>, modified: DateTime<Utc>) -> Response {
    let part = range(request, bytes.len());
    let response = match part {
        Some((first, last)) => Response::new(206, &bytes[first..=last])
            .with("content-range", format!("bytes {first}-{last}/{}", bytes.len())),
        None => Response::new(200, bytes).with("content-length", bytes.len()),
    };
    let wanted = request.header("if-match");
    if !wanted.is_empty() && etag.is_some_and(|etag| etag != wanted) {
        return Response::new(412, "");
    }
    let response = response.with("last-modified", modified.format("%a, %d %b %Y %H:%M:%S GMT"));
    match etag {
        Some(etag) => response.with("etag", etag),
        None => response,
    }
}

/// Text inside XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `ListObjectsV2`, which S3 and the XML API of Google Cloud Storage share.
pub fn list_objects(request: &Request, bucket: &Bucket, name: &str) -> Response {
    let query = |key: &str| request.query.get(key).map(String::as_str);
    assert_eq!(query("list-type"), Some("2"));
    let after = query("continuation-token").or(query("start-after"));
    let page = bucket.list(query("prefix").unwrap_or_default(), query("delimiter"), after);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{name}</Name><IsTruncated>{}</IsTruncated>",
        page.next.is_some()
    );
    for (key, object) in &page.objects {
        text.push_str(&format!(
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
            escaped(key),
            object.modified.format("%Y-%m-%dT%H:%M:%S%.3fZ"),
            escaped(&object.etag()),
            object.bytes.len()
        ));
    }
    for prefix in &page.prefixes {
        text.push_str(&format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(prefix)));
    }
    if let Some(next) = &page.next {
        text.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(next)));
    }
    Response::new(200, text + "</ListBucketResult>")
}
