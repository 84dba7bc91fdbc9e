//! What access logs have in common: the request line, its time, the identity of a trace.

use crate::domain::parse_timestamp;

/// Method, target and protocol of a request line such as `GET /a?b HTTP/1.1`; `None` for anything else.
pub(super) fn request_line(line: &str) -> Option<(&str, &str, Option<&str>)> {
    let (method, rest) = line.split_once(' ')?;
    let word = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-' || b == b'_');
    let (target, protocol) = match rest.trim_end().rsplit_once(' ') {
        Some((target, protocol)) if protocol.starts_with("HTTP/") => (target, Some(protocol)),
        _ => (rest.trim_end(), None),
    };
    (word && !target.is_empty()).then_some((method, target, protocol))
}

/// The time of the common log format (`26/Jan/2019:19:45:25 +0330`), or of ISO 8601, in microseconds.
pub(super) fn clock(text: &str) -> Option<i64> {
    crate::ingest::format::units::common_log_time(text).or_else(|| parse_timestamp(text))
}

/// The trace of an X-Ray header or id (`Root=1-58406520-a006649127e371903a2de979;…`) as the 32 hex digits of
/// W3C (AWS X-Ray: the id is the version, 8 digits of time and 24 of chance; without the version and the
/// dashes it is a W3C trace id).
pub(crate) fn xray_trace(text: &str) -> Option<String> {
    let root = text.split(';').find_map(|p| p.trim().strip_prefix("Root=")).unwrap_or(text);
    let (time, random) = root.trim().strip_prefix("1-")?.split_once('-')?;
    let hex = |t: &str, length: usize| t.len() == length && t.bytes().all(|b| b.is_ascii_hexdigit());
    (hex(time, 8) && hex(random, 24)).then(|| format!("{time}{random}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_split_where_they_are_some() {
        assert_eq!(request_line("GET /a b?c HTTP/1.1"), Some(("GET", "/a b?c", Some("HTTP/1.1"))));
        assert_eq!(request_line("GET /a"), Some(("GET", "/a", None)));
        for wrong in ["", "-", "\\x16\\x03 x", "get /a HTTP/1.1", "GET  "] {
            assert_eq!(request_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn xray_ids_become_w3c_ids() {
        let expected = Some("638f7ef81e68129e21ae504b7de0da3b".to_owned());
        assert_eq!(xray_trace("Root=1-638f7ef8-1e68129e21ae504b7de0da3b"), expected);
        assert_eq!(
            xray_trace("Self=1-67891234-12456789abcdef012345678;Root=1-638f7ef8-1E68129e21ae504b7de0da3b"),
            expected
        );
        assert_eq!(xray_trace("1-638f7ef8-1e68129e21ae504b7de0da3b"), expected);
        assert_eq!(xray_trace("Root=2-638f7ef8-1e68"), None);
    }
}
