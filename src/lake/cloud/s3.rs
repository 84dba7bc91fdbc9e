//! S3, and what speaks like it.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use url::Url;

use super::super::Result;
use super::ambient::{Ambient, NO_BUCKET, impatient};
use super::environment::{Environment, address};
use super::offset::KeepsOffset;
use super::open::unusable;

const KEY: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

pub(super) fn open(url: &Url, environment: &Environment) -> Result<Arc<dyn ObjectStore>> {
    let builder = builder(environment)?.with_url(url.as_str());
    let builder = match environment.get(&KEY) {
        Some(_) => builder,
        None => builder.with_credentials(Arc::new(asked_for(environment)?)),
    };
    Ok(Arc::new(KeepsOffset(builder.build().map_err(|e| unusable(url, &e, REMEDY))?)))
}

const EXPECTED: &str = "credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web identity, a container's or an instance's role";
const REMEDY: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (of a profile: eval \"$(aws configure \
                      export-credentials --format env)\"), or AWS_SKIP_SIGNATURE=true for a public bucket";

/// A builder with everything that the environment says.
fn builder(environment: &Environment) -> Result<AmazonS3Builder> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in environment.keys("aws_") {
        if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some((name, value)) =
        environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
    {
        let address = address(name, value)?;
        // Whoever spells out `http://` means it.
        builder = builder.with_allow_http(address.starts_with("http://")).with_endpoint(address.clone());
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, address);
    }
    Ok(builder)
}

fn asked_for(environment: &Environment) -> Result<Ambient<AwsCredential>> {
    let source = match environment.is_on("AWS_EC2_METADATA_DISABLED")? && !has_role(environment) {
        true => None,
        false => {
            let chain = builder(environment)?.with_bucket_name(NO_BUCKET).with_retry(impatient()).build();
            chain.ok().map(|store| store.credentials().clone())
        }
    };
    Ok(Ambient { source, expected: EXPECTED, remedy: REMEDY })
}

/// Whether the environment names somebody else to ask than the instance's metadata server.
fn has_role(environment: &Environment) -> bool {
    let names = [
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    environment.get(&names).is_some()
}
