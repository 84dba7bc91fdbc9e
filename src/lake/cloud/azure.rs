//! Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, AzureCredential, MicrosoftAzureBuilder};
use object_store::{ClientConfigKey, ObjectStore};
use url::Url;

use super::super::{Error, Result};
use super::ambient::{Ambient, NO_BUCKET, impatient};
use super::environment::{Environment, address};
use super::offset::KeepsOffset;
use super::open::unusable;

const EXPECTED: &str = "credentials from AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING, \
                        AZURE_STORAGE_TOKEN, or AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID, or a managed \
                        identity";
const REMEDY: &str = "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY (or AZURE_STORAGE_SAS_TOKEN), or \
                      AZURE_STORAGE_CONNECTION_STRING, or AZURE_USE_AZURE_CLI=true after `az login`, or \
                      AZURE_SKIP_SIGNATURE=true for a public container";
const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";

/// The names that the builder does not know: what `az`, `azcopy` and the platform call the same things. Later ones win.
const ALIASES: [(&str, AzureConfigKey); 8] = [
    ("AZCOPY_SPA_APPLICATION_ID", AzureConfigKey::ClientId),
    ("AZCOPY_SPA_CLIENT_SECRET", AzureConfigKey::ClientSecret),
    ("AZCOPY_TENANT_ID", AzureConfigKey::AuthorityId),
    ("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint),
    ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
    ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ("AZURE_STORAGE_SERVICE_ENDPOINT", AzureConfigKey::Endpoint),
    ("AZURE_STORAGE_BLOB_ENDPOINT", AzureConfigKey::Endpoint),
];

/// What is credentials by itself, so that nobody has to be asked for them.
const GIVEN: [AzureConfigKey; 3] = [AzureConfigKey::Token, AzureConfigKey::AccessKey, AzureConfigKey::SasKey];

/// What the environment says, in the builder's words; of two values for one key the later counts.
#[derive(Debug, PartialEq, Eq)]
struct Options(Vec<(AzureConfigKey, String)>);

pub(super) fn open(url: &Url, environment: &Environment) -> Result<Arc<dyn ObjectStore>> {
    let options = Options::of(environment)?;
    let mut builder = options.builder().with_url(url.as_str());
    // The builder knows the account and the key of an emulator.
    if !options.is_on(AzureConfigKey::UseEmulator) {
        if options.get(AzureConfigKey::AccountName).is_none() && !names_account(url) {
            return Err(Error::environment(
                "AZURE_STORAGE_ACCOUNT_NAME",
                "the name of the storage account",
                "nothing",
                "set it (or AZURE_STORAGE_CONNECTION_STRING), or write az://container@account.blob.core.windows.net/path",
            ));
        }
        let given = GIVEN.iter().any(|key| options.get(*key).is_some());
        if !given && !options.is_on(AzureConfigKey::SkipSignature) {
            builder = builder.with_credentials(Arc::new(options.asked_for(url)?));
        }
    }
    Ok(Arc::new(KeepsOffset(builder.build().map_err(|e| unusable(url, &e, REMEDY))?)))
}

/// Whether the account stands in the URL, as in `abfss://container@account.dfs.core.windows.net/`.
fn names_account(url: &Url) -> bool {
    url.scheme() == "https" || !url.username().is_empty()
}

impl Options {
    fn of(environment: &Environment) -> Result<Options> {
        let mut options = Vec::new();
        for (alias, key) in ALIASES {
            options.extend(environment.get(&[alias]).map(|value| (key, value.to_owned())));
        }
        if environment.get(&["AZCOPY_AUTO_LOGIN_TYPE"]).is_some_and(|t| t.eq_ignore_ascii_case("azcli")) {
            options.push((AzureConfigKey::UseAzureCli, "true".to_owned()));
        }
        if let Some(text) = environment.get(&[CONNECTION]) {
            options.extend(connection(text)?);
        }
        let own = environment.keys("azure_");
        options.extend(own.filter_map(|(name, value)| Some((name.parse().ok()?, value.to_owned()))));
        let mut options = Options(options);
        if let Some(endpoint) = options.get(AzureConfigKey::Endpoint) {
            let endpoint = address("AZURE_STORAGE_ENDPOINT", endpoint)?;
            // Whoever spells out `http://` means it.
            let plain = endpoint.starts_with("http://").to_string();
            options.0.push((AzureConfigKey::Client(ClientConfigKey::AllowHttp), plain));
            options.0.push((AzureConfigKey::Endpoint, endpoint));
        }
        Ok(options)
    }

    fn get(&self, wanted: AzureConfigKey) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| *key == wanted).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on; what is no switch at all, the builder refuses.
    fn is_on(&self, key: AzureConfigKey) -> bool {
        let value = self.get(key).unwrap_or_default().to_ascii_lowercase();
        matches!(value.as_str(), "true" | "1" | "yes" | "on" | "y")
    }

    fn builder(&self) -> MicrosoftAzureBuilder {
        let builder = MicrosoftAzureBuilder::new();
        self.0.iter().fold(builder, |builder, (key, value)| builder.with_config(*key, value))
    }

    fn asked_for(&self, url: &Url) -> Result<Ambient<AzureCredential>> {
        let builder = self.builder().with_container_name(NO_BUCKET).with_retry(impatient());
        let builder = match self.get(AzureConfigKey::AccountName) {
            Some(_) => builder,
            None => builder.with_account(NO_BUCKET),
        };
        let store = builder.build().map_err(|e| unusable(url, &e, REMEDY))?;
        Ok(Ambient { source: Some(store.credentials().clone()), expected: EXPECTED, remedy: REMEDY })
    }
}

/// The parts of a connection string: `AccountName=…;AccountKey=…;BlobEndpoint=…`.
fn connection(text: &str) -> Result<Vec<(AzureConfigKey, String)>> {
    let wrong = |got: &str| {
        Error::environment(
            CONNECTION,
            "NAME=VALUE;NAME=VALUE with AccountName, and AccountKey or SharedAccessSignature",
            got,
            "copy it from `az storage account show-connection-string`",
        )
    };
    let (mut account, mut endpoint, mut suffix, mut protocol) = (None, None, None, "https");
    let mut options = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        // Never the part itself: it may be a key.
        let (name, value) = part.split_once('=').ok_or_else(|| wrong("a part without `=`"))?;
        match name.trim().to_ascii_lowercase().as_str() {
            "accountname" => account = Some(value.to_owned()),
            "accountkey" => options.push((AzureConfigKey::AccessKey, value.to_owned())),
            "sharedaccesssignature" => options.push((AzureConfigKey::SasKey, value.to_owned())),
            "blobendpoint" => endpoint = Some(value.to_owned()),
            "endpointsuffix" => suffix = Some(value),
            "defaultendpointsprotocol" => protocol = value,
            "usedevelopmentstorage" => options.push((AzureConfigKey::UseEmulator, value.to_owned())),
            // Endpoints of other services.
            _ => {}
        }
    }
    if options.is_empty() {
        return Err(wrong("one with neither"));
    }
    let account = account.or_else(|| endpoint.as_deref().and_then(account_of));
    if let (None, Some(suffix), Some(account)) = (&endpoint, suffix, &account) {
        endpoint = Some(format!("{protocol}://{account}.blob.{suffix}"));
    }
    options.extend(account.map(|account| (AzureConfigKey::AccountName, account)));
    options.extend(endpoint.map(|endpoint| (AzureConfigKey::Endpoint, endpoint)));
    Ok(options)
}

/// The account of an endpoint: the first part of its host, or of the path behind an address or `localhost`.
fn account_of(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    let first = url.path_segments().and_then(|mut parts| parts.next()).filter(|part| !part.is_empty());
    match url.host()? {
        url::Host::Domain(name) if name.contains('.') => name.split('.').next().map(str::to_owned),
        _ => first.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], expected: &[(AzureConfigKey, &str)]) {
        let options = Options::of(&Environment::from_iter(pairs.iter().copied())).unwrap();
        for (key, value) in expected {
            assert_eq!(options.get(*key), Some(*value), "{} of {pairs:?}", key.as_ref());
        }
    }

    #[test]
    fn a_connection_string_is_taken_apart_as_the_tools_do() {
        use AzureConfigKey::{AccessKey, AccountName, Endpoint, SasKey, UseEmulator};
        let full =
            "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5==;EndpointSuffix=core.example";
        let expected =
            [(AccountName, "acc"), (AccessKey, "a2V5=="), (Endpoint, "https://acc.blob.core.example")];
        check(&[(CONNECTION, full)], &expected);
        let sas = "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D";
        check(&[(CONNECTION, sas)], &[(AccountName, "acc"), (SasKey, "sv=1&sig=x%3D")]);
        let local = "AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/devacc;";
        check(
            &[(CONNECTION, local)],
            &[(AccountName, "devacc"), (Endpoint, "http://127.0.0.1:10000/devacc")],
        );
        check(&[(CONNECTION, "UseDevelopmentStorage=true")], &[(UseEmulator, "true")]);
    }

    #[test]
    fn a_broken_connection_string_is_refused_without_being_shown() {
        for text in ["aSecretKey", "AccountName=acc", "AccountKey=hidden;oops"] {
            let error = connection(text).unwrap_err();
            let shown = format!("{error} {:?}", error.hint());
            assert!(shown.contains(CONNECTION), "{shown}");
            assert!(!shown.contains("aSecretKey") && !shown.contains("hidden"), "{shown}");
        }
    }

    #[test]
    fn the_names_of_other_tools_mean_the_same_and_the_builders_own_names_win() {
        use AzureConfigKey::{AccessKey, AccountName, AuthorityId, ClientId, ClientSecret, UseAzureCli};
        check(
            &[
                ("AZURE_STORAGE_ACCOUNT", "a"),
                ("AZURE_STORAGE_KEY", "k"),
                ("AZURE_STORAGE_ACCOUNT_KEY", "own"),
            ],
            &[(AccountName, "a"), (AccessKey, "own")],
        );
        check(
            &[
                ("AZCOPY_SPA_APPLICATION_ID", "i"),
                ("AZCOPY_SPA_CLIENT_SECRET", "s"),
                ("AZCOPY_TENANT_ID", "t"),
            ],
            &[(ClientId, "i"), (ClientSecret, "s"), (AuthorityId, "t")],
        );
        check(&[("AZCOPY_AUTO_LOGIN_TYPE", "AZCLI")], &[(UseAzureCli, "true")]);
    }

    #[test]
    fn without_an_account_the_variable_is_named_and_a_url_may_name_it() {
        let open = |url: &str| open(&Url::parse(url).unwrap(), &Environment::from_iter([("A", "b")]));
        let error = open("az://container/path").unwrap_err();
        assert!(error.to_string().contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
        assert!(error.hint().unwrap().contains("AZURE_STORAGE_CONNECTION_STRING"));
        open("abfss://container@acc.dfs.core.windows.net/path").unwrap();
        open("https://acc.blob.core.windows.net/container/path").unwrap();
    }
}
