//! What each service takes.
//!
//! Slack: incoming webhooks and Block Kit (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). PagerDuty:
//! Events API v2 (developer.pagerduty.com/docs/events-api-v2-overview). Statuspage: create an incident
//! (developer.statuspage.io, POST /pages/{page_id}/incidents).

use serde_json::{Value, json};

use super::Message;
use crate::domain::{NotificationChannel, Severity, format_timestamp};
use crate::settings::Notification;

/// What stands for a secret where people look.
const HIDDEN: &str = "***";
/// Longest header of a Slack message.
const SLACK_HEADER: usize = 150;
/// Longest text of a section of a Slack message.
const SLACK_SECTION: usize = 3000;
/// Longest summary of a PagerDuty event.
const PAGERDUTY_SUMMARY: usize = 1024;
/// Longest name of an incident on a Statuspage that is still readable in a list.
const STATUSPAGE_NAME: usize = 200;
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
const STATUSPAGE_URL: &str = "https://api.statuspage.io/v1";

/// A request that is ready to go out.
#[derive(Clone, PartialEq)]
pub struct Payload {
    /// The address.
    pub url: String,
    /// The body.
    pub body: Value,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// What must not be shown.
    pub(super) secrets: Vec<String>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Holds secrets.
        f.write_str("Payload")
    }
}

/// The message in the form of the receiver. Without a secret, `***` stands in its place.
pub fn payload(to: &Notification, message: &Message, secret: Option<&str>) -> Payload {
    let secret_text = secret.unwrap_or(HIDDEN);
    let mut secrets: Vec<String> = secret.map(str::to_owned).into_iter().collect();
    match to.channel {
        NotificationChannel::Slack => {
            // The address is the secret; in messages of an HTTP client it may stand in its normal form, or in part.
            if let Some(url) = secret.and_then(|s| url::Url::parse(s).ok()) {
                secrets.push(url.to_string());
                secrets.push(url.path().to_owned());
            }
            secrets.retain(|s| s.len() > 1);
            let url = match &to.url {
                // Behind a proxy the secret is the path.
                Some(base) if secret.is_some() => {
                    let path =
                        url::Url::parse(secret_text).map_or(secret_text.to_owned(), |u| u.path().to_owned());
                    format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
                }
                Some(base) => format!("{}/{HIDDEN}", base.trim_end_matches('/')),
                None => secret_text.to_owned(),
            };
            Payload { url, body: slack(message), headers: Vec::new(), secrets }
        }
        NotificationChannel::PagerDuty => {
            let url = to.url.clone().unwrap_or_else(|| PAGERDUTY_URL.to_owned());
            Payload { url, body: pagerduty(message, secret_text), headers: Vec::new(), secrets }
        }
        NotificationChannel::Statuspage => {
            let base = to.url.as_deref().unwrap_or(STATUSPAGE_URL).trim_end_matches('/');
            let url = format!("{base}/pages/{}/incidents", to.page.as_deref().unwrap_or_default());
            let headers = vec![("authorization", format!("OAuth {secret_text}"))];
            Payload { url, body: statuspage(to, message), headers, secrets }
        }
    }
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(longest - 3).collect();
    short.push_str("...");
    short
}

/// Slack reads `&`, `<` and `>` as its own markup: links, mentions.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn slack(message: &Message) -> Value {
    let title = format!("[{}] {}", message.severity, message.title);
    let context = format!("{} - {}", message.window, message.key);
    json!({
        "text": cut(&slack_text(&title), SLACK_SECTION),
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": cut(&title, SLACK_HEADER), "emoji": false } },
            // Plain text: what telemetry is called must not become a mention or a link.
            { "type": "section", "text": { "type": "plain_text", "text": cut(&message.text, SLACK_SECTION), "emoji": false } },
            { "type": "context", "elements": [{ "type": "plain_text", "text": context, "emoji": false }] },
        ],
    })
}

fn pagerduty(message: &Message, routing_key: &str) -> Value {
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": message.key,
        "client": "tars",
        "payload": {
            "summary": cut(&message.title, PAGERDUTY_SUMMARY),
            "source": message.source,
            "severity": message.severity.as_str(),
            "timestamp": format_timestamp(message.window.to()),
            "class": "nightly",
            "custom_details": {
                "text": message.text,
                "from": format_timestamp(message.window.from()),
                "to": format_timestamp(message.window.to()),
            },
        },
    })
}

fn statuspage(to: &Notification, message: &Message) -> Value {
    let (impact, component_status) = match message.severity {
        Severity::Critical => ("critical", "major_outage"),
        Severity::Error => ("major", "partial_outage"),
        Severity::Warning => ("minor", "degraded_performance"),
        Severity::Info => ("none", "operational"),
    };
    let mut incident = json!({
        "name": cut(&message.title, STATUSPAGE_NAME),
        "status": "investigating",
        "impact_override": impact,
        "body": message.text,
        "metadata": { "tars": { "key": message.key } },
    });
    if let Some(component) = &to.component {
        incident["component_ids"] = json!([component]);
        incident["components"] = json!({ component: component_status });
    }
    json!({ "incident": incident })
}
