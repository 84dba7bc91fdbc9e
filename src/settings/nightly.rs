//! What the nightly job needs to know: who is told of what, how long its files are kept, which days were the GA
//! days, and what speaks for a rollback.

use serde::Serialize;

use crate::domain::{NotificationChannel, Severity, TimeRange, parse_timestamp};

use super::load::Entry;
use super::read::{Problems, Section};

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its name, by which it is chosen and logged.
    pub name: String,
    /// What kind of receiver it is.
    pub channel: NotificationChannel,
    /// The least severity that is sent there.
    pub severity: Severity,
    /// The environment variable that holds its secret: the webhook's address, the routing key, the token.
    pub secret_env: String,
    /// Another address than the service's own, such as a proxy or a test server.
    pub url: Option<String>,
    /// The page of a Statuspage.
    pub page: Option<String>,
    /// The component of it that is concerned.
    pub component: Option<String>,
}

/// How long the files of nightly runs are kept, in days; 0 keeps them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artifacts {
    /// Certification packages.
    pub packages_days: i64,
    /// KPI snapshots and drift checks.
    pub snapshots_days: i64,
    /// Reports and retrospectives.
    pub reports_days: i64,
}

/// The window of general availability that later days are compared with, and when a rollback is advised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ga {
    /// The window, if it is given.
    #[serde(serialize_with = "as_range")]
    pub window: Option<TimeRange>,
    /// From this confidence on a rollback is recommended.
    pub recommend_at: f64,
    /// From this confidence on it is worth considering.
    pub consider_at: f64,
}

/// One thing that speaks for a rollback.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RollbackSignal {
    /// Its name, one of [`ROLLBACK_SIGNALS`].
    pub signal: String,
    /// How much it says alone, at full strength: 0 to 1.
    pub weight: f64,
    /// The observed value from which on it is at full strength.
    pub full_at: f64,
}

/// The signals that the model `rollback_signals` measures.
pub const ROLLBACK_SIGNALS: [&str; 5] =
    ["performance_regression", "error_rate", "latency", "slo_violations", "configuration_drift"];

fn as_range<S: serde::Serializer>(range: &Option<TimeRange>, s: S) -> Result<S::Ok, S::Error> {
    range.map(|r| r.to_string()).serialize(s)
}

/// A name of letters, digits, `_` and `-`, as environment variables and log entries can carry.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

pub(super) fn notification(section: &mut Section<'_>) -> Option<Notification> {
    let name = section.text("name");
    let channel = section.word("channel", NotificationChannel::ALL);
    let severity = section.optional_word("severity", Severity::ALL).unwrap_or(Severity::Error);
    let secret_env = section.text("secret_env");
    for (key, value) in [("name", &name), ("secret_env", &secret_env)] {
        if !value.is_empty() && !is_plain(value) {
            // What stands there may be the secret itself, so it is not repeated.
            let remedy = (key == "secret_env").then(|| "put the secret into the environment".to_owned());
            section.wrong(
                key,
                "a text with other characters",
                "a name of letters, digits, `_` and `-`",
                remedy,
            );
        }
    }
    let url = section.optional_text("url");
    if let Some(url) = &url {
        let is_address = url::Url::parse(url).is_ok_and(|u| {
            matches!(u.scheme(), "http" | "https") && u.username().is_empty() && u.password().is_none()
        });
        if !is_address {
            let expected = "an address such as https://host/path without user and password";
            section.wrong("url", "another text", expected, None);
        }
    }
    let (page, component) = (section.optional_text("page"), section.optional_text("component"));
    for (key, id) in [("page", &page), ("component", &component)] {
        if id.as_ref().is_some_and(|id| !is_plain(id)) {
            section.wrong(key, "another text", "an identifier of letters, digits, `_` and `-`", None);
        }
    }
    let channel = channel?;
    if channel == NotificationChannel::Statuspage && page.is_none() {
        section.wrong("page", "nothing", "the identifier of the page", Some("add `page = \"...\"`".into()));
    }
    Some(Notification { name, channel, severity, secret_env, url, page, component })
}

pub(super) fn rollback_signal(section: &mut Section<'_>) -> Option<RollbackSignal> {
    let signal = section.text("signal");
    if !signal.is_empty() && !ROLLBACK_SIGNALS.contains(&signal.as_str()) {
        let expected = format!("one of {}", ROLLBACK_SIGNALS.join(", "));
        section.wrong("signal", format!("`{signal}`"), expected, None);
    }
    let (weight, full_at) = (section.number("weight")?, section.number("full_at")?);
    if !(0.0..1.0).contains(&weight) {
        section.wrong("weight", weight.to_string(), "a number from 0 to below 1", None);
    }
    if full_at <= 0.0 {
        section.wrong("full_at", full_at.to_string(), "a number above 0", None);
    }
    Some(RollbackSignal { signal, weight, full_at })
}

/// Days that a calendar can count back.
const MOST_DAYS: i64 = 36_500;

pub(super) fn artifacts(entry: Entry, problems: &mut Problems) -> Artifacts {
    let mut section = Section::new(entry.path, entry.table, problems);
    let mut days = |key: &'static str| {
        let days = section.integer(key).unwrap_or_default();
        if !(0..=MOST_DAYS).contains(&days) {
            section.wrong(key, days.to_string(), format!("days from 0 (for ever) to {MOST_DAYS}"), None);
        }
        days
    };
    let artifacts = Artifacts {
        packages_days: days("packages_days"),
        snapshots_days: days("snapshots_days"),
        reports_days: days("reports_days"),
    };
    section.finish();
    artifacts
}

pub(super) fn ga(entry: Entry, problems: &mut Problems) -> Ga {
    let mut section = Section::new(entry.path, entry.table, problems);
    let mut instant = |key: &'static str| {
        let text = section.optional_text(key)?;
        let micros = parse_timestamp(&text);
        if micros.is_none() {
            section.wrong(key, format!("{text:?}"), "a time such as \"2025-01-15T00:00:00Z\"", None);
        }
        micros
    };
    let window = match (instant("from"), instant("to")) {
        (Some(from), Some(to)) => {
            let range = TimeRange::new(from, to);
            if let Err(e) = &range {
                section.wrong("to", e.to_string(), "a time after `from`", None);
            }
            range.ok()
        }
        (None, None) => None,
        _ => {
            section.wrong("from", "one of `from` and `to`", "both of them, or neither", None);
            None
        }
    };
    let mut share = |key: &'static str| {
        let value = section.number(key).unwrap_or_default();
        if !(0.0..=1.0).contains(&value) {
            section.wrong(key, value.to_string(), "a confidence from 0 to 1", None);
        }
        value
    };
    let ga = Ga { window, recommend_at: share("recommend_at"), consider_at: share("consider_at") };
    section.finish();
    ga
}
