//! S3 with the bucket in the path: `ListObjectsV2`, `HEAD`, `GET` with a range, `PUT` with `If-None-Match`, `DeleteObjects`.

use super::bucket::{Bucket, escaped, list_objects, object};
use crate::server::{Request, Response};

fn error(status: u16, code: &str) -> Response {
    Response::new(status, format!("<Error><Code>{code}</Code></Error>"))
}

/// Whether somebody unknown asks.
pub fn refusal(request: &Request) -> Option<Response> {
    let date = request.header("x-amz-date").get(..8).unwrap_or_default();
    let known = format!("AWS4-HMAC-SHA256 Credential=key/{date}/us-east-1/s3/aws4_request");
    (!request.header("authorization").starts_with(&known)).then(|| error(403, "AccessDenied"))
}

pub fn busy() -> Response {
    error(503, "SlowDown")
}

pub fn answer(request: &Request, bucket: &mut Bucket, name: &str) -> Response {
    let path = request.path.trim_start_matches('/');
    let Some(key) = path.strip_prefix(name).map(|k| k.trim_start_matches('/')) else {
        return error(404, "NoSuchBucket");
    };
    match (request.method.as_str(), key) {
        ("GET", "") => list_objects(request, bucket, name),
        ("POST", "") if request.query.contains_key("delete") => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let keys = body.split("<Key>").skip(1).filter_map(|part| part.split("</Key>").next());
            let mut text = String::from("<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
            for key in keys {
                // Of a key that is not there S3 says too that it was deleted.
                bucket.objects.remove(&key.replace("&amp;", "&"));
                text.push_str(&format!(
                    "<Deleted><Key>{}</Key></Deleted>",
                    escaped(&key.replace("&amp;", "&"))
                ));
            }
            Response::new(200, text + "</DeleteResult>")
        }
        ("PUT", key) => {
            if request.header("if-none-match") == "*" && bucket.objects.contains_key(key) {
                return error(412, "PreconditionFailed");
            }
            Response::new(200, "").with("etag", bucket.put(key, request.body.clone()).etag())
        }
        (_, key) => match bucket.objects.get(key) {
            Some(found) => object(request, &found.bytes, Some(&found.etag()), found.modified),
            None => error(404, "NoSuchKey"),
        },
    }
}
