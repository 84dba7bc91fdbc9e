//! The XML API of Google Cloud Storage: listings, `HEAD`, `GET` with a range, `PUT` with a generation, `DELETE`.

use super::bucket::{Bucket, list_objects, object};
use crate::server::{Request, Response};

fn error(status: u16, code: &str) -> Response {
    Response::new(status, format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>"))
}

/// Whether somebody unknown asks.
pub fn refusal(request: &Request, token: &str) -> Option<Response> {
    (request.header("authorization") != format!("Bearer {token}"))
        .then(|| error(401, "AuthenticationRequired"))
}

pub fn busy() -> Response {
    error(429, "SlowDown")
}

pub fn answer(request: &Request, bucket: &mut Bucket, name: &str) -> Response {
    let path = request.path.trim_start_matches('/');
    let Some(key) = path.strip_prefix(name).map(|k| k.trim_start_matches('/')) else {
        return error(404, "NoSuchBucket");
    };
    match (request.method.as_str(), key) {
        ("GET", "") => list_objects(request, bucket, name),
        ("PUT", key) => {
            if request.header("x-goog-if-generation-match") == "0" && bucket.objects.contains_key(key) {
                return error(412, "PreconditionFailed");
            }
            let stored = bucket.put(key, request.body.clone());
            Response::new(200, "").with("etag", stored.etag()).with("x-goog-generation", stored.generation)
        }
        ("DELETE", key) => match bucket.objects.remove(key) {
            Some(_) => Response::new(204, ""),
            None => error(404, "NoSuchKey"),
        },
        (_, key) => match bucket.objects.get(key) {
            Some(found) => object(request, &found.bytes, Some(&found.etag()), found.modified)
                .with("x-goog-generation", found.generation),
            None => error(404, "NoSuchKey"),
        },
    }
}
