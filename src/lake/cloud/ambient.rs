//! Credentials that have to be asked for: of a metadata server, or of a token service.
//!
//! A machine that is no instance of a cloud has no metadata server. It must not be waited for as long as for a store that
//! is busy, and what it said last is rarely the point: the point is which variables were not set.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::{CredentialProvider, RetryConfig};

/// A bucket of a builder that is built for its credentials alone; nothing of it is ever asked for.
pub(super) const NO_BUCKET: &str = "none";

/// No credentials could be had.
#[derive(Debug, thiserror::Error)]
#[error("expected {expected}, got {got}")]
pub(crate) struct NoCredentials {
    /// What would have done.
    pub(crate) expected: &'static str,
    /// What was there instead.
    pub(crate) got: String,
    /// What to do.
    pub(crate) remedy: &'static str,
}

impl NoCredentials {
    /// The one in a chain of errors, if one is.
    pub(crate) fn within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a NoCredentials> {
        let mut link = Some(error);
        while let Some(e) = link {
            match e.downcast_ref() {
                Some(found) => return Some(found),
                None => link = e.source(),
            }
        }
        None
    }
}

/// How long credentials are asked for.
pub(super) fn impatient() -> RetryConfig {
    RetryConfig { max_retries: 2, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() }
}

/// Asks for credentials, and says what was missing when there are none.
#[derive(Debug)]
pub(super) struct Ambient<C> {
    /// Whom to ask; nobody, where the environment forbids it.
    pub(super) source: Option<Arc<dyn CredentialProvider<Credential = C>>>,
    pub(super) expected: &'static str,
    pub(super) remedy: &'static str,
}

#[async_trait]
impl<C: std::fmt::Debug + Send + Sync> CredentialProvider for Ambient<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        let got = match &self.source {
            None => "none, and a metadata server that is not to be asked".to_owned(),
            Some(source) => match source.get_credential().await {
                Ok(credential) => return Ok(credential),
                Err(error) => format!("none; the place asked last said: {error}"),
            },
        };
        let missing = NoCredentials { expected: self.expected, got, remedy: self.remedy };
        Err(object_store::Error::Unauthenticated { path: String::new(), source: Box::new(missing) })
    }
}
