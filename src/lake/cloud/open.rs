//! From a URL to a store.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreScheme};
use url::Url;

use super::super::{Error, Result};
use super::environment::Environment;
use super::{azure, google, s3};

/// The store that a URL means, configured by the environment, and the path in it. Nothing is asked yet.
pub(crate) fn open_store(url: &Url) -> Result<(Arc<dyn ObjectStore>, Path)> {
    let unknown = |e: object_store::Error| Error::Url {
        got: shown(url),
        reason: "a URL that no object store takes".to_owned(),
        source: Some(Box::new(e)),
    };
    let (scheme, path) = ObjectStoreScheme::parse(url).map_err(|e| unknown(e.into()))?;
    let clouds = [
        ObjectStoreScheme::AmazonS3,
        ObjectStoreScheme::GoogleCloudStorage,
        ObjectStoreScheme::MicrosoftAzure,
    ];
    if clouds.contains(&scheme) && (url.password().is_some() || url.query().is_some()) {
        return Err(Error::Url {
            got: shown(url),
            reason: "one with a password or a query, which messages would show".to_owned(),
            source: None,
        });
    }
    let environment = Environment::of_process();
    let store = match scheme {
        ObjectStoreScheme::AmazonS3 => s3::open(url, &environment)?,
        ObjectStoreScheme::GoogleCloudStorage => google::open(url, &environment)?,
        ObjectStoreScheme::MicrosoftAzure => azure::open(url, &environment)?,
        _ => {
            let plain = (url.scheme() == "http").then_some(("allow_http", "true"));
            Arc::from(object_store::parse_url_opts(url, plain).map_err(unknown)?.0)
        }
    };
    Ok((store, path))
}

/// A URL without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // Only a URL without a host refuses, and that has no password either.
        let _ = url.set_password(Some("***"));
    }
    if url.query().is_some() {
        url.set_query(Some("***"));
    }
    url.to_string()
}

/// What a builder says of variables that it cannot use.
pub(super) fn unusable(url: &Url, source: &object_store::Error, remedy: &'static str) -> Error {
    Error::environment(&shown(url), "usable variables for its store", source.to_string(), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_url_is_refused_and_not_shown() {
        for text in [
            "s3://user:hidden@bucket/lake",
            "https://acc.blob.core.windows.net/c/lake?sig=hidden",
            "gs://bucket/lake?token=hidden",
        ] {
            let error = open_store(&Url::parse(text).unwrap()).unwrap_err();
            let shown = format!("{error} {:?}", error.hint());
            assert!(shown.contains("***") && !shown.contains("hidden"), "{shown}");
        }
    }
}
