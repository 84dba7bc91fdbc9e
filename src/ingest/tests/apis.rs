//! The three APIs as they speak: pages, tokens, errors, signatures.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::server::{Request, Response, Server, form};
use crate::domain::parse_timestamp;
use crate::ingest::Clock;

pub(super) const KEY: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A clock that jumps instead of waiting, and remembers by how much.
#[derive(Debug)]
pub(super) struct JumpingClock(Mutex<(Duration, Vec<Duration>)>);

impl JumpingClock {
    pub(super) fn at(seconds: u64) -> Arc<JumpingClock> {
        Arc::new(JumpingClock(Mutex::new((Duration::from_secs(seconds), Vec::new()))))
    }

    pub(super) fn slept(&self) -> Duration {
        self.0.lock().unwrap().1.iter().sum()
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, duration: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 += duration;
        state.1.push(duration);
    }
}

/// HMAC as RFC 2104 defines it.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    match key.len() > 64 {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let pad = |byte: u8| block.map(|b| b ^ byte).to_vec();
    let inner = Sha256::digest([pad(0x36), text.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The key of Signature Version 4 for a day, region and service.
pub(super) fn signing_key(secret: &str, day: &str, region: &str, service: &str) -> Vec<u8> {
    let parts = [day, region, service, "aws4_request"];
    parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()))
}

pub(super) fn signature(key: &[u8], string_to_sign: &str) -> String {
    hex(&hmac(key, string_to_sign.as_bytes()))
}

/// Checks the signature of a request as AWS describes it, by a calculation of its own.
pub(super) fn check_signature(request: &Request, region: &str, token: Option<&str>) -> Result<(), String> {
    let authorization = request.header("authorization");
    let field = |name: &str| {
        let rest = authorization.split_once(&format!("{name}=")).map(|(_, rest)| rest)?;
        rest.split(", ").next().map(str::to_owned)
    };
    let (Some(credential), Some(signed), Some(given)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(format!("no signature in {authorization:?}"));
    };
    let date = request.header("x-amz-date");
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/logs/aws4_request");
    if credential != format!("{KEY}/{scope}") {
        return Err(format!("credential {credential}"));
    }
    if request.header("x-amz-security-token") != token.unwrap_or_default() {
        return Err("the session token is missing".to_owned());
    }
    let names: Vec<&str> = signed.split(';').collect();
    if !["host", "x-amz-date", "x-amz-target"].iter().all(|n| names.contains(n)) {
        return Err(format!("signed headers {signed}"));
    }
    let headers: String = names.iter().map(|n| format!("{n}:{}\n", request.header(n))).collect();
    let body = hex(&Sha256::digest(&request.body));
    let canonical = format!("{}\n{}\n\n{headers}\n{signed}\n{body}", request.method, request.path);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let expected = signature(&signing_key(SECRET, day, region, "logs"), &to_sign);
    if expected == given { Ok(()) } else { Err(format!("signature {given}, expected {expected}")) }
}

/// What a test may have an API do wrong: asked with the number of the request, counted from 0.
pub(super) type Mishap = Box<dyn Fn(usize) -> Option<Response> + Send + Sync>;

/// Log events by group or project.
pub(super) type Events = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

/// CloudWatch Logs. Pages hold `page` events at most, and every third of them is empty.
pub(super) fn cloudwatch(
    events: Events,
    page: usize,
    mishap: Mishap,
    token: Option<&'static str>,
) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = Server::start(move |request| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        if let Some(response) = mishap(number) {
            return response;
        }
        let refuse = |code: &str, message: &str| {
            Response::new(400, json!({"__type": code, "message": message}).to_string())
        };
        if request.header("x-amz-target") != "Logs_20140328.FilterLogEvents"
            || request.header("content-type") != "application/x-amz-json-1.1"
        {
            return refuse("UnknownOperationException", "");
        }
        let region = if request.header("authorization").contains("/eu-central-1/") {
            "eu-central-1"
        } else {
            "us-east-1"
        };
        if let Err(wrong) = check_signature(request, region, token) {
            return refuse("InvalidSignatureException", &wrong);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let group = format!("{region}{}", body["logGroupName"].as_str().unwrap());
        let all = events.lock().unwrap();
        let Some(all) = all.get(&group) else {
            return refuse("ResourceNotFoundException", "The specified log group does not exist.");
        };
        let (from, to) = (body["startTime"].as_i64().unwrap(), body["endTime"].as_i64().unwrap());
        let pattern = body["filterPattern"].as_str().unwrap_or_default();
        let time = |e: &Value| e["timestamp"].as_i64().or(e["at"].as_i64()).unwrap();
        let mut matching: Vec<&Value> = all
            .iter()
            .filter(|e| (from..=to).contains(&time(e)))
            .filter(|e| e["message"].as_str().unwrap().contains(pattern))
            .collect();
        matching.sort_by_key(|e| time(e));
        let start: usize = body["nextToken"].as_str().map_or(0, |t| t[2..].parse().unwrap());
        let empty = number % 3 == 2;
        let end = if empty { start } else { matching.len().min(start + page) };
        let mut reply = json!({"events": matching[start..end], "searchedLogStreams": []});
        if end < matching.len() {
            reply["nextToken"] = format!("t/{end}").into();
        }
        Response::new(200, reply.to_string())
    });
    (server, asked)
}

/// An event of CloudWatch Logs.
pub(super) fn log_event(id: usize, ms: i64, message: &str) -> Value {
    json!({
        "logStreamName": "s",
        "timestamp": ms,
        "message": message,
        "ingestionTime": ms + 10,
        "eventId": format!("{id:056}"),
    })
}

/// Cloud Logging. Replies are laid out over many lines, as the service's are.
pub(super) fn gcp(entries: Events, page: usize, mishap: Mishap) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = Server::start(move |request| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        if let Some(response) = mishap(number) {
            return response;
        }
        let refuse = |code: u16, status: &str, message: &str| {
            let error = json!({"error": {"code": code, "status": status, "message": message}});
            Response::new(code, error.to_string())
        };
        if request.header("authorization") != "Bearer ya29.token" {
            return refuse(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
        }
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v2/entries:list"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["orderBy"], "timestamp asc");
        let resource = body["resourceNames"][0].as_str().unwrap();
        let filter = body["filter"].as_str().unwrap();
        let bound = |operator: &str| {
            let rest = filter.split_once(&format!("timestamp {operator} \"")).unwrap().1;
            parse_timestamp(rest.split('"').next().unwrap()).unwrap()
        };
        let all = entries.lock().unwrap();
        let Some(all) = all.get(resource) else {
            return refuse(403, "PERMISSION_DENIED", "The caller does not have permission");
        };
        let time = |e: &Value| parse_timestamp(e["timestamp"].as_str().unwrap()).unwrap();
        let (from, to) = (bound(">="), bound("<"));
        let mut matching: Vec<&Value> = all.iter().filter(|e| (from..to).contains(&time(e))).collect();
        matching.sort_by_key(|e| time(e));
        let start: usize = body["pageToken"].as_str().map_or(0, |t| t.parse().unwrap());
        let end = matching.len().min(start + page);
        let mut reply = json!({});
        if end > start {
            reply["entries"] = json!(matching[start..end]);
        }
        if end < matching.len() {
            reply["nextPageToken"] = end.to_string().into();
        }
        Response::new(200, serde_json::to_string_pretty(&reply).unwrap())
    });
    (server, asked)
}

/// The forms that were sent.
pub(super) type Forms = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// Prometheus with two series for every query: the value is the time in seconds, and `NaN` once an hour. A query that
/// contains `broken` fails; more points than `most` are refused.
pub(super) fn prometheus(most: i64, mishap: Mishap) -> (Server, Forms) {
    let asked = Forms::default();
    let list = asked.clone();
    let server = Server::start(move |request| {
        let asked = form(std::str::from_utf8(&request.body).unwrap());
        let number = {
            let mut list = list.lock().unwrap();
            list.push(asked.clone());
            list.len() - 1
        };
        if let Some(response) = mishap(number) {
            return response;
        }
        if request.header("authorization") != "Basic dXNlcjpzZWNyZXQ=" {
            return Response::new(401, "Unauthorized");
        }
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v1/query_range"));
        let refuse = |status: u16, kind: &str, error: &str| {
            Response::new(status, json!({"status": "error", "errorType": kind, "error": error}).to_string())
        };
        if asked["query"].contains("broken") {
            return refuse(400, "bad_data", "invalid parameter \"query\": parse error");
        }
        let ms = |name: &str| (asked[name].parse::<f64>().unwrap() * 1000.0).round() as i64;
        let (start, end, step) = (ms("start"), ms("end"), ms("step"));
        if (end - start) / step + 1 > most {
            return refuse(
                400,
                "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution",
            );
        }
        let values = |factor: i64| -> Vec<Value> {
            let points = (0..=(end - start) / step).map(|i| start + i * step);
            let value = |t: i64| {
                if t % 3_600_000 == 0 { "NaN".to_owned() } else { (t / 1000 * factor).to_string() }
            };
            points.map(|t| json!([t as f64 / 1000.0, value(t)])).collect()
        };
        let result = json!([
            {"metric": {"region": "us-east-1", "instance": "a:80"}, "values": values(1)},
            {"metric": {"__name__": "raw", "instance": "b:80"}, "values": values(2)},
        ]);
        let data = json!({"resultType": "matrix", "result": result});
        Response::new(200, json!({"status": "success", "data": data}).to_string())
    });
    (server, asked)
}
