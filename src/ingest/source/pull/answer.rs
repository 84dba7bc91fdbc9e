//! What an answer of an API means: a page, a wait, or a refusal for good.

use std::time::Duration;

use serde_json::Value;

/// Longest pause that a server may ask for and get.
const LONGEST_HINT: Duration = Duration::from_secs(15 * 60);
/// Most of a server's words that a message repeats.
const LONGEST_TEXT: usize = 400;

/// Error codes that pass. AWS: common errors and those of CloudWatch Logs; Google: `google.rpc.Code`.
const PASSING: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "LimitExceededException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalFailure",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
    "INTERNAL",
    "ABORTED",
    "DEADLINE_EXCEEDED",
];
/// Statuses that pass: time-out, too many requests, and the server's own troubles.
const PASSING_STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It was called off.
    Cancelled,
    /// Nobody lands any more; the lander says why.
    Closed,
    /// The same request may work later.
    Passing { what: String, hint: Option<Duration> },
    /// It will not.
    Refused { status: u16, code: String, what: String, remedy: &'static str },
    /// The reply is larger than memory allows.
    TooLarge { limit: usize },
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Cancelled => f.write_str("stopped"),
            Trouble::Closed => f.write_str("the lake takes no more rows"),
            Trouble::Passing { what, .. } => f.write_str(what),
            Trouble::Refused { what, remedy: "", .. } => f.write_str(what),
            Trouble::Refused { what, remedy, .. } => write!(f, "{what}; {remedy}"),
            Trouble::TooLarge { limit } => {
                write!(f, "expected a reply of at most {limit} bytes, got a larger one; raise --memory-limit")
            }
        }
    }
}

/// An answer that is no success.
pub(crate) fn trouble(status: u16, retry_after: Option<&str>, now: Duration, body: &[u8]) -> Trouble {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = code(&said);
    let text = text(&said).unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    let mut text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
    if text.is_empty() {
        text = "no explanation".to_owned();
    }
    let what = match code.as_str() {
        "" => format!("the server answers {status}: {text}"),
        code => format!("the server answers {status} {code}: {text}"),
    };
    if PASSING_STATUSES.contains(&status) || PASSING.contains(&code.as_str()) {
        let hint = retry_after.and_then(|h| pause(h, now)).or_else(|| google_pause(&said));
        return Trouble::Passing { what, hint: hint.map(|h| h.min(LONGEST_HINT)) };
    }
    let remedy = remedy(status, &code);
    Trouble::Refused { status, code, what, remedy }
}

/// The word for the error: `__type` of AWS, `error.status` of Google, `errorType` of Prometheus.
fn code(said: &Value) -> String {
    let found = said["__type"].as_str().or(said["error"]["status"].as_str()).or(said["errorType"].as_str());
    // AWS may put the service's namespace in front, and an address behind.
    let found = found.unwrap_or_default();
    found.rsplit('#').next().and_then(|c| c.split(':').next()).unwrap_or_default().to_owned()
}

fn text(said: &Value) -> Option<String> {
    let found = said["message"]
        .as_str()
        .or(said["Message"].as_str())
        .or(said["error"]["message"].as_str())
        .or(said["error"].as_str());
    found.map(str::to_owned)
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn pause(header: &str, now: Duration) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(header.trim()).ok()?;
    Some(Duration::from_secs(u64::try_from(date.timestamp()).ok()?).saturating_sub(now))
}

/// `google.rpc.RetryInfo` among the details of an error: a duration such as `3.5s`.
fn google_pause(said: &Value) -> Option<Duration> {
    let details = said["error"]["details"].as_array()?;
    let delay = details.iter().find_map(|d| d["retryDelay"].as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

fn remedy(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, "ExpiredTokenException" | "ExpiredToken") => {
            "the session's credentials have expired: get new ones"
        }
        (_, "UnrecognizedClientException" | "InvalidSignatureException" | "IncompleteSignature") => {
            "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and the machine's clock"
        }
        (_, "AccessDeniedException") => {
            "the credentials need the permission logs:FilterLogEvents on that log group"
        }
        (_, "ResourceNotFoundException") => "check --group and --region",
        (_, "PERMISSION_DENIED") => {
            "the account needs the role roles/logging.viewer (roles/logging.privateLogViewer for audit logs)"
        }
        (401 | 403, _) => "check the credentials in the environment: docs/sources.md",
        (404, _) => "check the address given by --endpoint or --url",
        (400 | 422, _) => "check the filter or query",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn passing(status: u16, header: Option<&str>, body: &str) -> Option<u64> {
        match trouble(status, header, NOW, body.as_bytes()) {
            Trouble::Passing { hint, .. } => Some(hint.map_or(0, |h| h.as_millis() as u64)),
            _ => None,
        }
    }

    #[test]
    fn throttling_passes_in_every_dialect_and_hints_are_read() {
        let aws = r#"{"__type":"com.amazonaws.logs#ThrottlingException","message":"Rate exceeded"}"#;
        assert_eq!(passing(400, None, aws), Some(0));
        let google = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota","details":[
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}]}}"#;
        assert_eq!(passing(429, None, google), Some(3500));
        assert_eq!(passing(503, Some("7"), "Service Unavailable"), Some(7000));
        // date -u -d @1700000060 -R
        assert_eq!(passing(429, Some("Tue, 14 Nov 2023 22:14:20 +0000"), ""), Some(60_000));
        assert_eq!(passing(429, Some("Tue, 14 Nov 2023 22:14:20 GMT"), ""), Some(60_000));
        assert_eq!(passing(503, Some("999999999"), ""), Some(900_000));
        assert_eq!(passing(429, Some("soon"), ""), Some(0));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (status, body, expected) in [
            (400, r#"{"__type":"AccessDeniedException","Message":"not allowed"}"#, "logs:FilterLogEvents"),
            (400, r#"{"__type":"ResourceNotFoundException","message":"no group"}"#, "check --group"),
            (403, r#"{"error":{"status":"PERMISSION_DENIED","message":"no"}}"#, "roles/logging.viewer"),
            (
                422,
                r#"{"status":"error","errorType":"execution","error":"bad thing"}"#,
                "execution: bad thing",
            ),
            (401, "", "no explanation; check the credentials"),
        ] {
            let trouble = trouble(status, None, NOW, body.as_bytes());
            assert!(matches!(trouble, Trouble::Refused { .. }), "{body}");
            assert!(trouble.to_string().contains(expected), "{trouble}");
        }
    }
}
