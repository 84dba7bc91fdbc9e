//! Azure Blob Storage with the account in the path, as behind a custom endpoint: `List Blobs`, `Get Blob` with a range,
//! `Put Blob` with `If-None-Match`, and batches of `Delete Blob`.

use super::bucket::{Bucket, escaped, object};
use crate::server::{Request, Response};

/// The storage account.
pub const ACCOUNT: &str = "account";

fn error(status: u16, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
    Response::new(status, body).with("x-ms-error-code", code)
}

/// Whether somebody unknown asks.
pub fn refusal(request: &Request) -> Option<Response> {
    let signed = request.header("authorization").starts_with(&format!("SharedKey {ACCOUNT}:"));
    let dated = ["date", "x-ms-date"].iter().any(|name| !request.header(name).is_empty())
        && !request.header("x-ms-version").is_empty();
    (!signed || !dated).then(|| error(403, "AuthenticationFailed"))
}

pub fn busy() -> Response {
    error(503, "ServerBusy")
}

pub fn answer(request: &Request, bucket: &mut Bucket, name: &str) -> Response {
    let container = format!("/{ACCOUNT}/{name}");
    let Some(key) = request.path.strip_prefix(&container).map(|k| k.trim_start_matches('/').to_owned())
    else {
        return error(404, "ContainerNotFound");
    };
    match (request.method.as_str(), key.as_str(), request.query.get("comp").map(String::as_str)) {
        ("GET", "", Some("list")) => list(request, bucket, name),
        ("POST", "", Some("batch")) => delete(request, bucket, &container),
        ("PUT", key, None) => {
            assert_eq!(request.header("x-ms-blob-type"), "BlockBlob");
            if request.header("if-none-match") == "*" && bucket.objects.contains_key(key) {
                return error(409, "BlobAlreadyExists");
            }
            Response::new(201, "").with("etag", bucket.put(key, request.body.clone()).etag())
        }
        ("GET" | "HEAD", key, None) => match bucket.objects.get(key) {
            Some(found) => object(request, &found.bytes, Some(&found.etag()), found.modified)
                .with("x-ms-blob-type", "BlockBlob"),
            None => error(404, "BlobNotFound"),
        },
        _ => error(400, "UnsupportedQueryParameter"),
    }
}

fn list(request: &Request, bucket: &Bucket, name: &str) -> Response {
    assert_eq!(request.query.get("restype").map(String::as_str), Some("container"));
    let query = |key: &str| request.query.get(key).map(String::as_str).filter(|v| !v.is_empty());
    // As services do that do not know `startFrom`, this one passes over it.
    let page = bucket.list(query("prefix").unwrap_or_default(), query("delimiter"), query("marker"));
    let mut text = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"{name}\"><Blobs>"
    );
    for (key, object) in &page.objects {
        text.push_str(&format!(
            "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
             <Content-Length>{}</Content-Length><Content-Type>application/octet-stream</Content-Type>\
             <BlobType>BlockBlob</BlobType></Properties></Blob>",
            escaped(key),
            object.modified.format("%a, %d %b %Y %H:%M:%S GMT"),
            escaped(&object.etag()),
            object.bytes.len()
        ));
    }
    for prefix in &page.prefixes {
        text.push_str(&format!("<BlobPrefix><Name>{}</Name></BlobPrefix>", escaped(prefix)));
    }
    let next = page.next.as_deref().map(escaped).unwrap_or_default();
    Response::new(200, format!("{text}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"))
}

/// A batch: one request for each blob, as parts of a body, and an answer for each of them.
fn delete(request: &Request, bucket: &mut Bucket, container: &str) -> Response {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let mut text = String::new();
    for part in body.split("Content-ID: ").skip(1) {
        let id = part.lines().next().unwrap_or_default();
        let target = part.split("DELETE /").nth(1).and_then(|t| t.split_whitespace().next());
        let path = crate::server::decoded(target.unwrap_or_default(), false);
        let key = path.strip_prefix(container.trim_start_matches('/')).map(|k| k.trim_start_matches('/'));
        let known = part.contains("SharedKey");
        let status = match (known, key.and_then(|key| bucket.objects.remove(key))) {
            (false, _) => "403 Forbidden",
            (true, Some(_)) => "202 Accepted",
            (true, None) => "404 The specified blob does not exist.",
        };
        text.push_str(&format!(
            "--batchresponse_1\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\n\
             HTTP/1.1 {status}\r\nx-ms-request-id: 1\r\nServer: test\r\n\r\n"
        ));
    }
    Response::new(202, text + "--batchresponse_1--\r\n")
        .with("content-type", "multipart/mixed; boundary=batchresponse_1")
}
