//! One store of each cloud, and how a command reaches it.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use super::bucket::Bucket;
use super::{azure, gcs, s3};
use crate::server::{Request, Response, Server};
use crate::support::{Outcome, command};

/// The secret that a command is given, in base64 because Azure wants it so; no message may show it.
pub const SECRET: &str = "c2VjcmV0LW9mLXRoZS10ZXN0";
const NAME: &str = "logs";

/// The clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cloud {
    S3,
    Google,
    Azure,
}

/// How a store misbehaves.
#[derive(Debug, Default, Clone, Copy)]
pub struct Manners {
    /// It is too busy for every so many-th request.
    pub busy_every: usize,
    /// It does every so many-th write, but fails to say so.
    pub forgets_every: usize,
}

#[derive(Default)]
struct State {
    bucket: Bucket,
    asked: Vec<String>,
    manners: Manners,
    requests: usize,
    writes: usize,
}

/// A store on this machine, with one bucket.
pub struct Store {
    cloud: Cloud,
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Store {
    fn start(cloud: Cloud) -> Store {
        let state = Arc::new(Mutex::new(State::default()));
        state.lock().unwrap().bucket.page = 2;
        let shared = state.clone();
        let server = Server::start(move |request| answer(cloud, request, &mut shared.lock().unwrap()));
        Store { cloud, server, state }
    }

    /// One of each cloud.
    pub fn all() -> [Store; 3] {
        [Cloud::S3, Cloud::Google, Cloud::Azure].map(Store::start)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The URL of a key.
    pub fn url(&self, key: &str) -> String {
        let scheme = match self.cloud {
            Cloud::S3 => "s3",
            Cloud::Google => "gs",
            Cloud::Azure => "az",
        };
        format!("{scheme}://{NAME}/{key}")
    }

    /// The same key in a bucket that is not there.
    pub fn elsewhere(&self, key: &str) -> String {
        self.url(key).replace(&format!("//{NAME}/"), "//elsewhere/")
    }

    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.state().bucket.put(key, bytes.into());
    }

    pub fn keys(&self) -> Vec<String> {
        self.state().bucket.objects.keys().cloned().collect()
    }

    pub fn behave(&self, manners: Manners, page: usize) {
        let mut state = self.state();
        state.manners = manners;
        state.bucket.page = page;
    }

    /// How often the content of a key was asked for since the last time this was called.
    pub fn fetched(&self, key: &str) -> usize {
        let asked = std::mem::take(&mut self.state().asked);
        asked.iter().filter(|a| a.starts_with("GET ") && a.ends_with(&format!("/{NAME}/{key}"))).count()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// The variables that lead there.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let url = self.server.url();
        match self.cloud {
            Cloud::S3 => vec![
                ("AWS_ENDPOINT_URL", url),
                ("AWS_ACCESS_KEY_ID", "key".into()),
                ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
                ("AWS_REGION", "us-east-1".into()),
            ],
            Cloud::Google => vec![
                ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", format!("{url}/storage/v1/")),
                ("GOOGLE_OAUTH_ACCESS_TOKEN", SECRET.into()),
            ],
            Cloud::Azure => vec![(
                "AZURE_STORAGE_CONNECTION_STRING",
                format!("AccountName={0};AccountKey={SECRET};BlobEndpoint={url}/{0};", azure::ACCOUNT),
            )],
        }
    }

    /// A command with the variables of this store and no others.
    pub fn command(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = without_credentials(folder, args);
        command.envs(self.variables());
        command
    }

    pub fn tars(&self, folder: &Path, args: &[&str]) -> Outcome {
        outcome(&mut self.command(folder, args))
    }

    /// Without credentials, and with nobody to ask for them; and the variables that a message has to name then.
    pub fn as_a_stranger(&self, folder: &Path, args: &[&str]) -> (Outcome, &'static str) {
        let mut command = without_credentials(folder, args);
        let expected = match self.cloud {
            Cloud::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            Cloud::Google => "GOOGLE_APPLICATION_CREDENTIALS",
            Cloud::Azure => "AZURE_STORAGE_ACCOUNT_NAME",
        };
        let nobody = [("AWS_EC2_METADATA_DISABLED", "true"), ("NO_GCE_CHECK", "true")];
        command.env("HOME", folder).envs(nobody);
        (outcome(&mut command), expected)
    }

    /// With credentials that the store does not know.
    pub fn as_another(&self, folder: &Path, args: &[&str]) -> Outcome {
        let mut command = self.command(folder, args);
        match self.cloud {
            Cloud::S3 => command.env("AWS_ACCESS_KEY_ID", "another"),
            Cloud::Google => command.env("GOOGLE_OAUTH_ACCESS_TOKEN", format!("{SECRET}-of-another")),
            Cloud::Azure => command.env("AZURE_STORAGE_ACCOUNT_NAME", "another"),
        };
        outcome(&mut command)
    }
}

fn without_credentials(folder: &Path, args: &[&str]) -> Command {
    let mut command = command(folder, args);
    let prefixes = [
        "AWS_",
        "GOOGLE_",
        "CLOUDSDK_",
        "STORAGE_EMULATOR",
        "SERVICE_ACCOUNT",
        "AZURE_",
        "AZCOPY_",
        "IDENTITY_",
    ];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| prefixes.iter().any(|p| name.starts_with(p))) {
            command.env_remove(name);
        }
    }
    command
}

pub fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn answer(cloud: Cloud, request: &Request, state: &mut State) -> Response {
    state.requests += 1;
    state.asked.push(format!("{} {}", request.method, request.path));
    let refusal = match cloud {
        Cloud::S3 => s3::refusal(request),
        Cloud::Google => gcs::refusal(request, SECRET),
        Cloud::Azure => azure::refusal(request),
    };
    if let Some(refusal) = refusal {
        return refusal;
    }
    let due = |every: usize, count: usize| every > 0 && count.is_multiple_of(every);
    if due(state.manners.busy_every, state.requests) {
        return match cloud {
            Cloud::S3 => s3::busy(),
            Cloud::Google => gcs::busy(),
            Cloud::Azure => azure::busy(),
        };
    }
    let bucket = &mut state.bucket;
    let response = match cloud {
        Cloud::S3 => s3::answer(request, bucket, NAME),
        Cloud::Google => gcs::answer(request, bucket, NAME),
        Cloud::Azure => azure::answer(request, bucket, NAME),
    };
    if request.method == "PUT" && response.status < 300 {
        state.writes += 1;
        if due(state.manners.forgets_every, state.writes) {
            return Response::new(500, "");
        }
    }
    response
}
