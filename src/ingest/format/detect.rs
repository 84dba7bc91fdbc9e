//! What format a source is in, from its first lines and its name; and what table its name suggests.

use std::collections::HashSet;

use memchr::memchr;

use super::aliases::{self, Form};
use super::lines::{cri, export, is_access_log, is_alb, is_flow, is_logfmt};
use super::scan;
use crate::ingest::options::Format;
use crate::ingest::source::{csv_fields, delimiter_of};
use crate::ingest::table::TableId;

/// A key and the first byte of its value.
type Key = (String, u8);

/// Keys of the first document, level by level: its own, those of objects in it, and those of the first object
/// in each of its lists.
#[derive(Debug, Default)]
struct Keys {
    /// Lists around the document.
    lists: usize,
    own: Vec<Key>,
    inner: Vec<Key>,
    listed: Vec<Key>,
}

impl Keys {
    fn own(&self, key: &str) -> bool {
        self.own.iter().any(|(k, _)| k == key)
    }

    fn listed(&self, key: &str) -> bool {
        self.listed.iter().any(|(k, _)| k == key)
    }

    fn inner(&self, key: &str) -> bool {
        self.inner.iter().any(|(k, _)| k == key)
    }

    /// Whether a value of its own begins so.
    fn begins(&self, key: &str, byte: u8) -> bool {
        self.own.iter().any(|(k, b)| k == key && *b == byte)
    }
}

/// Lines looked at when the first one is damaged.
const LINES: usize = 16;

/// The format of a source by its first bytes and its name; `ndjson` when nothing speaks for another.
///
/// The sample may end anywhere, so this reads tokens, not documents.
pub(crate) fn format(sample: &[u8], name: &str) -> Format {
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let mut rest = sample;
    for _ in 0..LINES {
        rest = rest.trim_ascii_start();
        if matches!(rest.first(), Some(b'{' | b'['))
            && let Some(format) = of_keys(&keys(rest))
        {
            return format;
        }
        match memchr(b'\n', rest) {
            Some(end) => rest = &rest[end + 1..],
            None => break,
        }
    }
    of_lines(sample, name).unwrap_or(Format::Ndjson)
}

/// The format of text that is not JSON.
fn of_lines(sample: &[u8], name: &str) -> Option<Format> {
    let sample = &sample[..sample.len().min(1 << 16)];
    let text = String::from_utf8_lossy(sample);
    let mut lines = text.lines().filter(|l| !l.trim().is_empty()).take(LINES).peekable();
    let first = *lines.peek()?;
    if first.trim_start().starts_with('{') {
        return None;
    }
    if first.starts_with("#Version:") || first.starts_with("#Fields:") {
        return Some(Format::Cloudfront);
    }
    // Any log may hold a line of pairs now and then: only the first one tells.
    let pairs = is_logfmt(first.trim_end());
    for line in lines {
        if line.trim_start().starts_with('{') {
            return None;
        }
        let line = line.trim_end();
        if is_alb(line) {
            return Some(Format::Alb);
        } else if is_flow(line) {
            return Some(Format::VpcFlow);
        } else if is_access_log(line) {
            return Some(Format::Nginx);
        } else if cri::split(line).is_some() {
            return Some(Format::Cri);
        } else if export::begins(line.as_bytes()) {
            return Some(Format::CloudwatchExport);
        } else if pairs {
            return Some(Format::Logfmt);
        }
    }
    of_header(&text, name)
}

/// CSV by its header: that of the CloudWatch console, or any if the file is called so or its first column of
/// records is a time.
fn of_header(text: &str, name: &str) -> Option<Format> {
    let mut lines = text.lines();
    let header = lines.next()?;
    let delimiter = delimiter_of(header.as_bytes());
    let fields = |line: &str| -> Vec<String> {
        let fields = csv_fields(line.as_bytes(), delimiter);
        fields.iter().map(|f| String::from_utf8_lossy(f).trim().to_owned()).collect()
    };
    let columns = fields(header);
    let has = |name: &str| columns.iter().any(|c| c == name);
    let console = columns == ["timestamp", "message"]
        || (has("Event Time") && has("Message"))
        || has("@message")
        || (has("@timestamp") && columns.iter().all(|c| c.starts_with('@')));
    if console {
        return Some(Format::CloudwatchCsv);
    }
    if is_csv_name(name) {
        return Some(Format::Csv);
    }
    let distinct: HashSet<&String> = columns.iter().collect();
    let words = columns.iter().all(|c| {
        !c.is_empty() && c.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ' | '@'))
    });
    let timed = columns.iter().any(|c| {
        aliases::target(TableId::Logs, c).is_some_and(|target| matches!(target.form, Form::Time(_)))
    });
    let second = fields(lines.next()?);
    let fits = columns.len() >= 2 && distinct.len() == columns.len() && words && timed;
    (fits && second.len() == columns.len()).then_some(Format::Csv)
}

fn is_csv_name(name: &str) -> bool {
    unpacked(name).rsplit_once('.').is_some_and(|(_, end)| matches!(end, "csv" | "tsv"))
}

/// A file's name in lower case, without the ends that say how it is packed.
fn unpacked(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let packed = [".gz", ".gzip", ".zst", ".zstd"].into_iter().find_map(|end| name.strip_suffix(end));
    packed.unwrap_or(&name).to_owned()
}

/// A file's name without its ends: what its content is called. Standard input has none.
pub(crate) fn stem(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let stem = name.split('.').next()?;
    (!stem.is_empty() && stem != "-").then_some(stem)
}

fn of_keys(keys: &Keys) -> Option<Format> {
    let own = |key: &str| keys.own(key);
    let listed = |key: &str| keys.listed(key);
    let either = |key: &str| own(key) || listed(key);
    let all = |list: &[&str]| list.iter().all(|k| own(k));
    if ["resourceLogs", "resourceSpans", "resourceMetrics"].iter().any(|k| either(k)) {
        return Some(Format::Otlp);
    }
    if (keys.lists == 2 && all(&["field", "value"]) && keys.own.len() <= 2)
        || (keys.begins("results", b'[') && (own("statistics") || own("queryLanguage")))
    {
        return Some(Format::CloudwatchInsights);
    }
    if either("logEvents") || either("awslogs") || (own("messageType") && own("logGroup")) {
        return Some(Format::Cloudwatch);
    }
    // Streams: Firehose, and Kinesis as Lambda gets it.
    if own("deliveryStreamArn")
        || (own("records") && listed("data"))
        || (own("Records") && (listed("kinesis") || (listed("data") && listed("eventSourceARN"))))
    {
        return Some(Format::Cloudwatch);
    }
    if all(&["eventVersion", "eventTime", "eventSource", "eventName"])
        || (own("Records") && listed("eventVersion") && listed("eventTime") && listed("eventName"))
    {
        return Some(Format::Cloudtrail);
    }
    if all(&["auditID", "stage"]) || (listed("auditID") && listed("stage")) {
        return Some(Format::K8sAudit);
    }
    if (own("data") && listed("spans") && listed("traceID"))
        || (keys.begins("spans", b'[') && (keys.begins("processes", b'{') || own("process")))
        || all(&["traceID", "spanID", "operationName"])
    {
        return Some(Format::Jaeger);
    }
    if all(&["traceId", "id"])
        && (keys.begins("localEndpoint", b'{')
            || all(&["timestamp", "duration"]) && (own("name") || own("tags")))
    {
        return Some(Format::Zipkin);
    }
    if (keys.begins("data", b'{') && keys.inner("resultType") && keys.inner("result"))
        || all(&["resultType", "result"])
        || (keys.begins("metric", b'{') && (keys.begins("values", b'[') || keys.begins("value", b'[')))
    {
        return Some(Format::Prometheus);
    }
    let docker = ["log", "stream", "time", "attrs"];
    if keys.lists == 0
        && all(&docker[..3])
        && keys.begins("log", b'"')
        && keys.own.iter().all(|(k, _)| docker.contains(&k.as_str()))
    {
        return Some(Format::Docker);
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

/// Collects keys: of the document (or of the first elements of lists around it) and of what is in it.
fn keys(bytes: &[u8]) -> Keys {
    let mut keys = Keys::default();
    // Open brackets, innermost last.
    let mut open: Vec<u8> = Vec::new();
    let around = bytes.iter().filter(|b| !b.is_ascii_whitespace()).take(2);
    let base = around.take_while(|b| **b == b'[').count();
    keys.lists = base;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = string_end(bytes, start);
                let end = at;
                at += 1;
                let skip = |mut from: usize| {
                    while bytes.get(from).is_some_and(u8::is_ascii_whitespace) {
                        from += 1;
                    }
                    from
                };
                let after = skip(at);
                if bytes.get(after) == Some(&b':') && open.last() == Some(&b'{') {
                    let key = String::from_utf8_lossy(&bytes[start..end.min(bytes.len())]).into_owned();
                    let value = bytes.get(skip(after + 1)).copied().unwrap_or(0);
                    if open.len() == base + 1 {
                        keys.own.push((key, value));
                    } else if open.len() == base + 2 {
                        keys.inner.push((key, value));
                    } else if open.len() == base + 3 && open[base + 1] == b'[' {
                        keys.listed.push((key, value));
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
            (r#"{"timestamp":"2025-01-15T00:00:00Z","message":"m"}"#, Format::Ndjson),
            (r#"[[{"field":"@timestamp","value":"x"}]]"#, Format::CloudwatchInsights),
            (r#"{"results":[[{"field":"a","value":"x"}]],"statistics":{}}"#, Format::CloudwatchInsights),
            (r#"{"records":[{"recordId":"1","data":"aGk="}]}"#, Format::Cloudwatch),
            (r#"{"Records":[{"kinesis":{"data":"aGk="}}]}"#, Format::Cloudwatch),
            (
                r#"{"Records":[{"eventVersion":"1.08","eventTime":"t","eventSource":"s","eventName":"n"}]}"#,
                Format::Cloudtrail,
            ),
            (r#"{"kind":"Event","auditID":"a","stage":"ResponseComplete"}"#, Format::K8sAudit),
            (r#"{"kind":"EventList","items":[{"auditID":"a","stage":"Panic"}]}"#, Format::K8sAudit),
            (r#"{"data":[{"traceID":"1","spans":[{}],"processes":{}}]}"#, Format::Jaeger),
            (r#"{"traceID":"1","spanID":"2","operationName":"x"}"#, Format::Jaeger),
            (r#"[{"traceId":"1","id":"2","name":"n","timestamp":1,"duration":2}]"#, Format::Zipkin),
            (r#"[[{"traceId":"1","id":"2","localEndpoint":{}}]]"#, Format::Zipkin),
            (r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#, Format::Prometheus),
            (r#"[{"metric":{"__name__":"up"},"values":[]}]"#, Format::Prometheus),
            (r#"{"timestamp":"t","metric":"up","value":1}"#, Format::Ndjson),
            (r#"{"traceId":"1","id":"2","message":"m"}"#, Format::Ndjson),
            (r#"{"log":"m\n","stream":"stdout","time":"t"}"#, Format::Docker),
            (r#"{"log":"m\n","stream":"stdout","time":"t","kubernetes":{}}"#, Format::Ndjson),
            ("2025-01-15T09:00:00.123456789Z stdout F x", Format::Cri),
            ("2025-01-15T09:00:00.123Z REPORT x", Format::CloudwatchExport),
            ("#Version: 1.0\n#Fields: date time", Format::Cloudfront),
            ("ts=2025-01-15T09:00:00Z level=info msg=\"a b\"", Format::Logfmt),
            ("version account-id interface-id srcaddr\n", Format::VpcFlow),
            ("2 123456789012 eni-1 1.1.1.1 2.2.2.2 1 2 6 1 1 1 2 ACCEPT OK", Format::VpcFlow),
            ("1.1.1.1 - - [26/Jan/2019:19:45:25 +0330] \"GET / HTTP/1.1\" 200 5", Format::Nginx),
            ("timestamp,message\n1,a\n", Format::CloudwatchCsv),
            ("Event Time,Message,Log group,Log stream\n", Format::CloudwatchCsv),
            ("@timestamp,@message\n", Format::CloudwatchCsv),
            ("timestamp;value\n2025-01-15 09:00:00;1\n", Format::Csv),
            ("a,b\n1,2\n", Format::Ndjson),
            ("plain text, with a comma", Format::Ndjson),
            ("garbage\n{\"resourceMetrics\":[]}", Format::Otlp),
            ("", Format::Ndjson),
            ("[1,2]", Format::Ndjson),
        ] {
            assert_eq!(format(sample.as_bytes(), "-"), expected, "{sample}");
        }
    }

    #[test]
    fn a_file_may_be_called_csv() {
        assert_eq!(format(b"a,b\n1,2\n", "/x/y.CSV.gz"), Format::Csv);
        assert_eq!(format(b"{\"a\":1}\n", "y.csv"), Format::Ndjson);
        assert_eq!((stem("/x/cpu.usage.csv"), stem("-"), stem(".csv")), (Some("cpu"), None, None));
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
            let _ = (format(&bytes, "a.csv"), format(&bytes, "-"));
        }
    }
}
