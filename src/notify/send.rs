//! Bringing a message to its receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Error, Message, payload, secret};
use crate::ingest::{Api, Ask, AskLimits, Clock, Credentials, SystemClock};
use crate::settings::Notification;

/// Slack lets one message a second through; the others more.
const REQUESTS_PER_SECOND: f64 = 1.0;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The largest reply that is looked at.
const REPLY_LIMIT: usize = 1 << 20;

/// How stubbornly.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often a request is repeated after a failure that may pass.
    pub retries: u32,
    /// How long one request may take.
    pub timeout: Duration,
    /// What time it is, and how to wait.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Options { retries: 4, timeout: TIMEOUT, clock: Arc::new(SystemClock) }
    }
}

/// Calls the work off when nobody waits for it any more.
struct CallOff(Arc<AtomicBool>);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends a message; repeats it after 408, 429 and 5xx, timeouts and broken connections, with growing pauses, and waits as
/// long as the service asks for (`Retry-After`).
pub async fn send(to: &Notification, message: &Message, options: &Options) -> Result<(), Error> {
    send_with(to, message, &secret(to)?, options).await
}

/// The same, with a secret that is known.
pub(super) async fn send_with(
    to: &Notification,
    message: &Message,
    secret: &str,
    options: &Options,
) -> Result<(), Error> {
    let channel = to.channel.as_str();
    let fail = |got: String| Error::Refused { name: to.name.clone(), channel, got };
    let ready = payload(to, message, Some(secret));
    let body = ready.body.to_string().into_bytes();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(ready.headers);
    let ask = Ask { url: ready.url, headers, body };
    let credentials = Credentials::Within(ready.secrets);
    let limits = AskLimits {
        requests_per_second: REQUESTS_PER_SECOND,
        records_per_minute: None,
        retries: options.retries,
        // The jitter keeps clients apart, and is the same for the same message.
        seed: message.key.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into())),
        reply_limit: REPLY_LIMIT,
        timeout: options.timeout,
    };
    let cancel = Arc::new(AtomicBool::new(false));
    let call_off = CallOff(cancel.clone());
    let clock = options.clock.clone();
    let work = tokio::task::spawn_blocking(move || -> Result<(), String> {
        let mut api = Api::new(limits, clock, cancel).map_err(|e| e.to_string())?;
        api.ask(&ask, &credentials).map(|_| ()).map_err(|trouble| trouble.to_string())
    });
    let done = work.await.map_err(|e| fail(format!("no thread for it: {e}")))?;
    drop(call_off);
    done.map_err(fail)
}
