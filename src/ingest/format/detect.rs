//! What format a source is in, from the keys of its first document; and what table its name suggests.

use super::scan;
use crate::ingest::options::Format;
use crate::ingest::table::TableId;

/// Keys of the first document, level by level: its own, and those of the first object in each of its lists.
#[derive(Debug, Default)]
struct Keys {
    own: Vec<String>,
    /// Those of the objects in it.
    inner: Vec<String>,
    listed: Vec<String>,
}

/// Lines looked at when the first one is damaged.
const LINES: usize = 16;

/// The format of a source by its first bytes; `ndjson` when nothing speaks for another.
///
/// The sample may end anywhere, so this reads tokens, not documents.
pub(crate) fn format(sample: &[u8]) -> Format {
    let mut rest = sample;
    for _ in 0..LINES {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        if let Some(format) = of_keys(&keys(rest)) {
            return format;
        }
        match scan::find(rest, b'\n') {
            Some(end) => rest = &rest[end + 1..],
            None => break,
        }
    }
    Format::Ndjson
}

fn of_keys(keys: &Keys) -> Option<Format> {
    let own = |key: &str| keys.own.iter().any(|k| k == key);
    let listed = |key: &str| keys.listed.iter().any(|k| k == key);
    let either = |key: &str| own(key) || listed(key);
    if ["resourceLogs", "resourceSpans", "resourceMetrics"].iter().any(|k| either(k)) {
        return Some(Format::Otlp);
    }
    if either("logEvents") || either("awslogs") || (own("messageType") && own("logGroup")) {
        return Some(Format::Cloudwatch);
    }
    // A reply, or a saved list of its series.
    let reply = own("data") && keys.inner.iter().any(|k| k == "resultType");
    if reply || (own("metric") && own("values")) || (own("resultType") && own("result")) {
        return Some(Format::Prometheus);
    }
    let event = |has: &dyn Fn(&str) -> bool| {
        has("message") && has("timestamp") && (has("ingestionTime") || has("eventId") || has("logStreamName"))
    };
    if event(&own)
        || event(&listed)
        || (own("events") && (own("nextForwardToken") || own("searchedLogStreams")))
    {
        return Some(Format::Cloudwatch);
    }
    let entry = |has: &dyn Fn(&str) -> bool| {
        let payload = has("textPayload") || has("jsonPayload") || has("protoPayload") || has("httpRequest");
        (has("logName") && (has("resource") || has("insertId") || payload))
            || (has("insertId") && has("resource"))
    };
    if entry(&own) || entry(&listed) {
        return Some(Format::Gcp);
    }
    None
}

/// Collects keys: of the document (or of the first elements of a top-level array) and of the objects in its lists.
fn keys(bytes: &[u8]) -> Keys {
    let mut keys = Keys::default();
    // Open brackets, innermost last.
    let mut open: Vec<u8> = Vec::new();
    let base = usize::from(bytes.first() == Some(&b'['));
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = string_end(bytes, start);
                let end = at;
                at += 1;
                let mut after = at;
                while bytes.get(after).is_some_and(u8::is_ascii_whitespace) {
                    after += 1;
                }
                let is_key = bytes.get(after) == Some(&b':') && open.last() == Some(&b'{');
                if is_key {
                    let key = String::from_utf8_lossy(&bytes[start..end.min(bytes.len())]).into_owned();
                    if open.len() == base + 1 {
                        keys.own.push(key);
                    } else if open.len() == base + 2 {
                        keys.inner.push(key);
                    } else if open.len() == base + 3 && open[base + 1] == b'[' {
                        keys.listed.push(key);
                    }
                }
            }
            b @ (b'{' | b'[') => {
                open.push(b);
                at += 1;
            }
            b'}' | b']' => {
                open.pop();
                at += 1;
                if open.len() <= base && !keys.own.is_empty() {
                    break;
                }
            }
            _ => at += 1,
        }
    }
    keys
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1 + scan::string_end(&bytes[at + 1..]),
        }
    }
    bytes.len()
}

/// The table that a file name suggests: one of its words is the table's name.
pub(crate) fn table_of_name(path: &str) -> Option<TableId> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let named = |table: &TableId| {
        let singular = table.name().trim_end_matches('s');
        words.iter().any(|w| *w == table.name() || *w == singular)
    };
    TableId::ALL.into_iter().find(named).or_else(|| {
        let other = |word: &str| words.contains(&word);
        if other("traces") || other("trace") {
            Some(TableId::Spans)
        } else if other("labels") {
            Some(TableId::Incidents)
        } else if other("deployments") || other("deploys") {
            Some(TableId::Changes)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_document_tells_the_format() {
        for (sample, expected) in [
            (r#"{"resourceSpans":[{"resource":"#, Format::Otlp),
            ("{\n  \"resourceLogs\": [", Format::Otlp),
            (
                r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","logEvents":[]}"#,
                Format::Cloudwatch,
            ),
            (r#"{"awslogs":{"data":"H4s"}}"#, Format::Cloudwatch),
            (
                r#"{"events":[{"logStreamName":"s","timestamp":1,"message":"m","ingestionTime":2}]}"#,
                Format::Cloudwatch,
            ),
            (r#"{"timestamp":1,"message":"m","ingestionTime":2}"#, Format::Cloudwatch),
            (r#"{"events":[],"nextForwardToken":"f/1","nextBackwardToken":"b/1"}"#, Format::Cloudwatch),
            (r#"{"entries":[{"insertId":"a","logName":"projects/p/logs/l","resource":{}}]}"#, Format::Gcp),
            ("[\n {\"insertId\":\"a\",\n \"resource\":{\"type\":\"t\"}}]", Format::Gcp),
            (r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#, Format::Prometheus),
            (r#"[{"metric":{"__name__":"m"},"values":[[1,"1"]]}]"#, Format::Prometheus),
            (r#"{"status":200,"data":{"a":1},"timestamp":"2025-01-15T00:00:00Z"}"#, Format::Ndjson),
            (r#"{"timestamp":"2025-01-15T00:00:00Z","message":"m"}"#, Format::Ndjson),
            ("garbage\n{\"resourceMetrics\":[]}", Format::Otlp),
            ("", Format::Ndjson),
            ("[1,2]", Format::Ndjson),
        ] {
            assert_eq!(format(sample.as_bytes()), expected, "{sample}");
        }
    }

    #[test]
    fn a_file_name_may_suggest_a_table() {
        assert_eq!(table_of_name("/logs/metrics.ndjson.gz"), Some(TableId::Metrics));
        assert_eq!(table_of_name("span-2025.json"), Some(TableId::Spans));
        assert_eq!(table_of_name("traces.ndjson"), Some(TableId::Spans));
        assert_eq!(table_of_name("app.ndjson"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"{}[]\":,\\a \n\xff".to_vec()), 0..60)) {
            let _ = format(&bytes);
        }
    }
}
