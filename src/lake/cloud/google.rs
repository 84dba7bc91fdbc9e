//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ObjectStore, StaticCredentialProvider};
use url::Url;

use super::super::Result;
use super::ambient::{Ambient, NO_BUCKET, impatient};
use super::environment::{Environment, address};
use super::offset::KeepsOffset;
use super::open::unusable;

const EXPECTED: &str = "credentials from GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_SERVICE_ACCOUNT, GOOGLE_OAUTH_ACCESS_TOKEN, \
                        the application default (gcloud auth application-default login) or a metadata server";
const REMEDY: &str = "set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials, or GOOGLE_OAUTH_ACCESS_TOKEN=\"$(gcloud \
                      auth print-access-token)\", or GOOGLE_SKIP_SIGNATURE=true for a public bucket";
/// What credentials are made of; with none of them, and no file of `gcloud`, the metadata server is asked.
const FILES: [&str; 6] = [
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "SERVICE_ACCOUNT",
    "SERVICE_ACCOUNT_KEY",
];

pub(super) fn open(url: &Url, environment: &Environment) -> Result<Arc<dyn ObjectStore>> {
    let token = match environment.get(&["STORAGE_EMULATOR_HOST"]) {
        // An emulator knows nobody.
        Some(_) => Some(""),
        // The builder's own way to leave signatures out asks for credentials all the same when it writes.
        None if environment.is_on("GOOGLE_SKIP_SIGNATURE")? => Some(""),
        None => environment.get(&["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"]),
    };
    let builder = match token {
        Some(token) => {
            let credential = GcpCredential { bearer: token.to_owned() };
            let fixed = Arc::new(StaticCredentialProvider::new(credential));
            GoogleCloudStorageBuilder::new().with_credentials(fixed)
        }
        None => builder(environment).with_credentials(Arc::new(asked_for(url, environment)?)),
    };
    let builder = match endpoint(environment)? {
        Some(address) => builder.with_base_url(&address),
        None => builder,
    };
    let built = builder.with_url(url.as_str()).build();
    Ok(Arc::new(KeepsOffset(built.map_err(|e| unusable(url, &e, REMEDY))?)))
}

/// Where the service is, when it is not Google's own place.
fn endpoint(environment: &Environment) -> Result<Option<String>> {
    let names = ["STORAGE_EMULATOR_HOST", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "GOOGLE_BASE_URL"];
    let Some((name, value)) = environment.first(&names) else { return Ok(None) };
    // The tools name the root of the JSON API; objects are asked for at the top of the same host.
    let value = value.trim_end_matches('/').trim_end_matches("/storage/v1");
    address(name, value).map(Some)
}

/// A builder with the credentials that the environment names.
fn builder(environment: &Environment) -> GoogleCloudStorageBuilder {
    let given = environment.keys("google_").chain(environment.keys("service_account"));
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in given {
        if let Ok(key) = name.parse::<GoogleConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder
}

fn asked_for(url: &Url, environment: &Environment) -> Result<Ambient<GcpCredential>> {
    let none = environment.get(&FILES).is_none() && !has_default(environment);
    let source = match none && environment.is_on("NO_GCE_CHECK")? {
        true => None,
        false => {
            let chain = builder(environment).with_bucket_name(NO_BUCKET).with_retry(impatient()).build();
            Some(chain.map_err(|e| unusable(url, &e, REMEDY))?.credentials().clone())
        }
    };
    Ok(Ambient { source, expected: EXPECTED, remedy: REMEDY })
}

/// Whether `gcloud auth application-default login` left its file.
fn has_default(environment: &Environment) -> bool {
    let place = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };
    let home = environment.get(&[if cfg!(windows) { "APPDATA" } else { "HOME" }]);
    home.is_some_and(|home| {
        std::path::Path::new(home).join(place).join("application_default_credentials.json").exists()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_named_by_the_variables_of_emulators_and_tools() {
        for (name, value, expected) in [
            ("STORAGE_EMULATOR_HOST", "localhost:4443", "http://localhost:4443"),
            ("STORAGE_EMULATOR_HOST", "http://localhost:4443/", "http://localhost:4443"),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "https://x.example/storage/v1/", "https://x.example"),
            ("GOOGLE_BASE_URL", "https://x.example/base", "https://x.example/base"),
        ] {
            let environment = Environment::from_iter([(name, value)]);
            assert_eq!(endpoint(&environment).unwrap().as_deref(), Some(expected));
        }
        assert_eq!(endpoint(&Environment::from_iter([("GOOGLE_BUCKET", "b")])).unwrap(), None);
    }
}
