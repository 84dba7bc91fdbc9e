//! Credentials, from the environment alone, and how each kind goes into a request. None is ever shown.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpRequest;
use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder};
use url::Url;

use crate::ingest::error::{Error, Result};

/// Who asks.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Nobody in particular.
    None,
    /// `Authorization: Bearer`.
    Bearer(String),
    /// `Authorization: Basic`, encoded.
    Basic(String),
    /// AWS Signature Version 4 for the service `logs`.
    Aws { provider: AwsCredentialProvider, region: String },
    /// They stand in the request already; this is what must not be shown of them.
    Within(Vec<String>),
    /// A token that its provider renews.
    Google(GcpCredentialProvider),
}

/// Where an API is.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint(String);

impl Endpoint {
    /// An address without a path's trailing slash; it must not carry credentials, which messages would show.
    pub(crate) fn new(option: &str, text: &str) -> Result<Endpoint> {
        let wrong = |got: &str| Error::Pull {
            expected: format!("{option} as an address such as https://host:9090"),
            got: got.to_owned(),
            remedy: Some("credentials come from the environment: docs/sources.md".into()),
        };
        let url = Url::parse(text).map_err(|_| wrong("a text that is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong(&format!("the scheme `{}`", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(wrong("one with a user, password or query in it"));
        }
        Ok(Endpoint(url.as_str().trim_end_matches('/').to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

fn unusable(what: &str, source: &object_store::Error, remedy: &str) -> Error {
    Error::Pull { expected: what.to_owned(), got: source.to_string(), remedy: Some(remedy.to_owned()) }
}

/// What to do comes first: what a metadata server that is not there had to say is long and rarely the point.
fn none_given(variables: &str, source: &object_store::Error) -> String {
    format!(
        "expected them from the environment ({variables}), a web identity, the container or the instance, found \
         none; the place asked last said: {source}"
    )
}

/// A machine without a metadata server must not be waited for.
fn impatient() -> RetryConfig {
    RetryConfig { max_retries: 2, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() }
}

impl Credentials {
    /// AWS: access key, web identity, container or instance, whichever the environment offers first.
    pub(crate) fn aws(region: &str) -> Result<Credentials> {
        // The store is never asked for anything; its builder knows the chain.
        let store = AmazonS3Builder::from_env()
            .with_bucket_name("none")
            .with_region(region)
            .with_retry(impatient())
            .build();
        let store = store.map_err(|e| {
            unusable("credentials for AWS", &e, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        })?;
        Ok(Credentials::Aws { provider: store.credentials().clone(), region: region.to_owned() })
    }

    /// Google Cloud: an access token, a service account, the application default, or the metadata server.
    pub(crate) fn google() -> Result<Credentials> {
        for name in ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"] {
            if let Some(token) = variable(name) {
                return Ok(Credentials::Bearer(token));
            }
        }
        let store =
            GoogleCloudStorageBuilder::from_env().with_bucket_name("none").with_retry(impatient()).build();
        let store = store.map_err(|e| {
            let remedy =
                "set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials, or GOOGLE_OAUTH_ACCESS_TOKEN";
            unusable("credentials for Google Cloud", &e, remedy)
        })?;
        Ok(Credentials::Google(store.credentials().clone()))
    }

    /// Prometheus: a bearer token, or user and password, or none.
    pub(crate) fn prometheus() -> Credentials {
        if let Some(token) = variable("PROMETHEUS_TOKEN") {
            return Credentials::Bearer(token);
        }
        match (variable("PROMETHEUS_USERNAME"), variable("PROMETHEUS_PASSWORD")) {
            (Some(user), password) => {
                let pair = format!("{user}:{}", password.unwrap_or_default());
                Credentials::Basic(STANDARD.encode(pair))
            }
            _ => Credentials::None,
        }
    }

    /// Puts them into a request, as the last thing before it goes out; gives what must not be shown.
    pub(crate) async fn apply(&self, request: &mut HttpRequest) -> std::result::Result<Vec<String>, String> {
        let header = match self {
            Credentials::None => return Ok(Vec::new()),
            Credentials::Within(secrets) => return Ok(secrets.clone()),
            Credentials::Aws { provider, region } => {
                let credential = provider
                    .get_credential()
                    .await
                    .map_err(|e| none_given("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", &e))?;
                let texts = [Some(&credential.key_id), credential.token.as_ref()];
                if texts.into_iter().flatten().any(|t| t.contains(|c: char| !c.is_ascii_graphic())) {
                    return Err("expected AWS credentials without spaces or line breaks".to_owned());
                }
                AwsAuthorizer::new(&credential, "logs", region).authorize(request, None);
                let mut secrets = vec![credential.secret_key.clone()];
                secrets.extend(credential.token.clone());
                return Ok(secrets);
            }
            Credentials::Bearer(token) => format!("Bearer {token}"),
            Credentials::Basic(pair) => format!("Basic {pair}"),
            Credentials::Google(provider) => {
                let credential = provider.get_credential().await.map_err(|e| {
                    none_given("GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_OAUTH_ACCESS_TOKEN", &e)
                })?;
                format!("Bearer {}", credential.bearer)
            }
        };
        let secret = header.split_once(' ').map(|(_, secret)| secret.to_owned()).unwrap_or_default();
        let value = header.parse().map_err(|_| "expected a token without line breaks".to_owned())?;
        request.headers_mut().insert("authorization", value);
        Ok(vec![secret])
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Credentials that do not change, for tests.
#[cfg(test)]
impl Credentials {
    pub(crate) fn fixed_aws(key: &str, secret: &str, token: Option<&str>, region: &str) -> Credentials {
        let credential = object_store::aws::AwsCredential {
            key_id: key.to_owned(),
            secret_key: secret.to_owned(),
            token: token.map(str::to_owned),
        };
        let provider = std::sync::Arc::new(object_store::StaticCredentialProvider::new(credential));
        Credentials::Aws { provider, region: region.to_owned() }
    }
}
