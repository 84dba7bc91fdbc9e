//! Asking an API: at the agreed rate, with credentials, and again after a pause when that may help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tokio::runtime::Handle;

use super::answer::{Trouble, trouble};
use super::credentials::Credentials;
use crate::ingest::error::{Error, Result};
use crate::ingest::limit::{Clock, TokenBucket};

/// First pause before a request is repeated; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest such pause, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A wait is cut into pieces, so that it can be called off.
const GLANCE: Duration = Duration::from_millis(200);

/// How fast, and how stubbornly.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) requests_per_second: f64,
    /// Records that may be taken in per minute.
    pub(crate) records_per_minute: Option<f64>,
    /// How often a request is repeated.
    pub(crate) retries: u32,
    /// Seed of the jitter.
    pub(crate) seed: u64,
    /// Largest reply.
    pub(crate) reply_limit: usize,
    /// How long one request may take.
    pub(crate) timeout: Duration,
}

/// One request, without credentials.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// A client of an API.
#[derive(Debug)]
pub(crate) struct Api {
    client: HttpClient,
    handle: Handle,
    clock: Arc<dyn Clock>,
    cancel: Arc<AtomicBool>,
    limits: Limits,
    requests: TokenBucket,
    records: Option<TokenBucket>,
    random: Pcg64Mcg,
    secrets: Vec<String>,
}

impl Api {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>, cancel: Arc<AtomicBool>) -> Result<Api> {
        let options = ClientOptions::new().with_allow_http(true).with_timeout(limits.timeout);
        let failed = |e: String| Error::Worker { reason: format!("no HTTP client: {e}") };
        let client = ReqwestConnector::default().connect(&options).map_err(|e| failed(e.to_string()))?;
        let handle = Handle::try_current().map_err(|e| failed(e.to_string()))?;
        let now = clock.now();
        // A second's worth at once, but at least one request; a minute's worth of records.
        let requests = TokenBucket::new(limits.requests_per_second, limits.requests_per_second.max(1.0), now);
        let records = limits.records_per_minute.map(|n| TokenBucket::new(n / 60.0, n, now));
        let random = Pcg64Mcg::seed_from_u64(limits.seed);
        Ok(Api { client, handle, clock, cancel, limits, requests, records, random, secrets: Vec::new() })
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The runtime, for what else must be waited for.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn reply_limit(&self) -> usize {
        self.limits.reply_limit
    }

    /// Waits, unless the pull is called off.
    fn wait(&self, duration: Duration) -> std::result::Result<(), Trouble> {
        let mut left = duration;
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(Trouble::Cancelled);
            }
            if left.is_zero() {
                return Ok(());
            }
            let piece = left.min(GLANCE);
            self.clock.sleep(piece);
            left -= piece;
        }
    }

    /// Pays for records that were taken in: waits as long as the limit asks for.
    pub(crate) fn took(&mut self, records: usize) -> std::result::Result<(), Trouble> {
        let now = self.clock.now();
        let wait = self.records.as_mut().map(|bucket| bucket.take(records as f64, now));
        self.wait(wait.unwrap_or_default())
    }

    /// The reply to a request; repeats it as often as is allowed.
    pub(crate) fn ask(
        &mut self,
        ask: &Ask,
        credentials: &Credentials,
    ) -> std::result::Result<Bytes, Trouble> {
        let mut attempt = 0;
        loop {
            let wait = self.requests.take(1.0, self.clock.now());
            self.wait(wait)?;
            let (what, hint) = match self.once(ask, credentials) {
                Err(Trouble::Passing { what, hint }) => (what, hint),
                done => return done,
            };
            attempt += 1;
            if attempt > self.limits.retries {
                let what = format!("{what} (asked {attempt} times)");
                return Err(Trouble::Passing { what, hint });
            }
            let pause = self.pause(attempt, hint);
            self.wait(pause)?;
        }
    }

    /// Exponential, with equal jitter: half of the pause is certain, half is drawn, so that clients that were
    /// refused together do not come back together. What the server asks for is the least.
    fn pause(&mut self, attempt: u32, hint: Option<Duration>) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_PAUSE);
        let drawn = doubled.mul_f64(0.5 + 0.5 * self.random.random::<f64>());
        hint.map_or(drawn, |hint| hint + drawn.min(FIRST_PAUSE))
    }

    fn once(&mut self, ask: &Ask, credentials: &Credentials) -> std::result::Result<Bytes, Trouble> {
        let passing = |what: String| Trouble::Passing { what, hint: None };
        let refused = |what: String| Trouble::Refused { status: 0, code: String::new(), what, remedy: "" };
        let mut request = HttpRequest::new(HttpRequestBody::from(ask.body.clone()));
        let unusable = |what: &str| refused(format!("expected a request with {what}: check the address"));
        *request.uri_mut() = ask.url.parse().map_err(|_| unusable("a usable address"))?;
        if !ask.body.is_empty() {
            *request.method_mut() = "POST".parse().map_err(|_| unusable("a method"))?;
        }
        for (name, value) in &ask.headers {
            request.headers_mut().insert(*name, value.parse().map_err(|_| unusable("plain headers"))?);
        }
        let limit = self.limits.reply_limit;
        let client = self.client.clone();
        let mut secrets = Vec::new();
        let answer = self.handle.block_on(async {
            secrets = credentials.apply(&mut request).await.map_err(|e| Trouble::Refused {
                status: 0,
                code: String::new(),
                what: format!("no credentials: {e}"),
                remedy: "set them in the environment: docs/sources.md",
            })?;
            let response = client.execute(request).await.map_err(|e| passing(chain(&e)))?;
            let status = response.status().as_u16();
            let header = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
            let header = header.map(str::to_owned);
            let mut body = BytesMut::new();
            let mut stream = response.into_body().bytes_stream();
            while let Some(piece) = stream.next().await {
                body.extend_from_slice(&piece.map_err(|e| passing(chain(&e)))?);
                if body.len() > limit {
                    return Err(Trouble::TooLarge { limit });
                }
            }
            Ok((status, header, body.freeze()))
        });
        self.secrets = secrets;
        match answer {
            Ok((200..=299, _, body)) => Ok(body),
            Ok((status, header, body)) => {
                Err(self.redacted(trouble(status, header.as_deref(), self.clock.now(), &body)))
            }
            Err(trouble) => Err(self.redacted(trouble)),
        }
    }

    /// A server, or a library, may repeat what it was sent.
    fn redacted(&self, trouble: Trouble) -> Trouble {
        let clean = |text: String| {
            let secrets = self.secrets.iter().filter(|s| !s.is_empty());
            secrets.fold(text, |text, secret| text.replace(secret.as_str(), "***"))
        };
        match trouble {
            Trouble::Passing { what, hint } => Trouble::Passing { what: clean(what), hint },
            Trouble::Refused { status, code, what, remedy } => {
                Trouble::Refused { status, code, what: clean(what), remedy }
            }
            other => other,
        }
    }
}

/// An error with its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
