//! Whatever comes, in whatever format: nothing panics, every record is accounted for, nothing lands twice.

use proptest::prelude::*;
use serde_json::json;

use super::super::options::{Format, Options};
use super::Bench;

/// A few good records of each format.
fn sample(format: Format) -> String {
    let clf = "192.0.2.1 - - [15/Jan/2025:09:00:00 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"x\"\n";
    let alb = "http 2025-01-15T09:00:00.1Z app/l/1 1.1.1.1:1 2.2.2.2:2 0.1 0.2 0.3 200 200 1 2 \"GET http://h:80/a HTTP/1.1\" \"ua\" - -\n";
    match format {
        Format::Ndjson => "{\"timestamp\":\"2025-01-15T09:00:00Z\",\"message\":\"{\\\"a\\\":1}\",\"duration\":5}\n".repeat(2),
        Format::Logfmt => {
            "ts=2025-01-15T09:00:00Z level=info msg=\"a \\\"b\\\"\" duration=1.5ms\n".repeat(2)
        }
        Format::Cloudwatch => {
            "{\"events\":[{\"timestamp\":1736931600000,\"message\":\"REPORT RequestId: r\\tDuration: 1 ms\\t\"}]}\n\
             {\"awslogs\":{\"data\":\"H4sIAAAAAAAC/6uuBQBDv6ajAgAAAA==\"}}\n\
             {\"records\":[{\"data\":\"aGVsbG8=\",\"approximateArrivalTimestamp\":1736931600000}]}\n"
                .to_owned()
        }
        Format::CloudwatchExport => "2025-01-15T09:00:00.000Z one\n two\n\n2025-01-15T09:00:01.000Z START RequestId: r Version: 1\n".to_owned(),
        Format::CloudwatchCsv => "timestamp,message\n1736931600000,\"a\n\"\"b\"\"\"\n1736931600001,c\n".to_owned(),
        Format::CloudwatchInsights => {
            "[[{\"field\":\"@timestamp\",\"value\":\"2025-01-15 09:00:00.000\"},{\"field\":\"@message\",\"value\":\"m\"}]]".to_owned()
        }
        Format::Gcp => "{\"insertId\":\"a\",\"logName\":\"l\",\"timestamp\":\"2025-01-15T09:00:00Z\",\"textPayload\":\"m\"}\n".to_owned(),
        Format::Otlp => {
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"5b\",\"startTimeUnixNano\":\"1736931600000000000\"}]}]}]}\n".to_owned()
        }
        Format::Docker => {
            let line = |log: &str| format!("{}\n", json!({"log": log, "stream": "stdout", "time": "2025-01-15T09:00:00Z"}));
            [line("a\n"), line("b"), line("c\n")].concat()
        }
        Format::Cri => "2025-01-15T09:00:00Z stdout P a\n2025-01-15T09:00:00Z stderr F b\n2025-01-15T09:00:00Z stdout F c\n".to_owned(),
        Format::K8sAudit => {
            "{\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\"stageTimestamp\":\"2025-01-15T09:00:00Z\",\"requestReceivedTimestamp\":\"2025-01-15T08:59:59Z\"}\n\
             {\"auditID\":\"a\",\"stage\":\"RequestReceived\"}\n"
                .to_owned()
        }
        Format::Nginx => clf.repeat(2),
        Format::Alb => alb.repeat(2),
        Format::Cloudfront => "#Version: 1.0\n#Fields: date time sc-status cs-uri-stem\n2025-01-15\t09:00:00\t200\t/a%20b\n".to_owned(),
        Format::VpcFlow => {
            "2 123456789012 eni-1 1.1.1.1 2.2.2.2 1 2 6 1 1 1736931600 1736931660 ACCEPT OK\nregion start end action\nr 1736931600 1736931660 OK\n".to_owned()
        }
        Format::Cloudtrail => {
            "{\"Records\":[{\"eventVersion\":\"1\",\"eventTime\":\"2025-01-15T09:00:00Z\",\"eventSource\":\"s\",\"eventName\":\"n\",\"requestParameters\":{\"a\":{}}}]}".to_owned()
        }
        Format::Jaeger => {
            "{\"data\":[{\"traceID\":\"1\",\"spans\":[{\"traceID\":\"1\",\"spanID\":\"2\",\"startTime\":1736931600000000,\"duration\":5,\"references\":[{\"refType\":\"CHILD_OF\",\"spanID\":\"3\"}],\"processID\":\"p\",\"tags\":[{\"key\":\"error\",\"value\":true}]}],\"processes\":{\"p\":{\"serviceName\":\"s\"}}}]}".to_owned()
        }
        Format::Zipkin => "[{\"traceId\":\"1\",\"id\":\"2\",\"timestamp\":1736931600000000,\"duration\":5,\"tags\":{\"error\":\"\"}}]".to_owned(),
        Format::Prometheus => {
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"up\"},\"values\":[[1736931600.5,\"1\"],[1736931601,\"NaN\"]]}]}}".to_owned()
        }
        Format::Csv => "timestamp,value,\"a b\"\n2025-01-15 09:00:00,1,\"x\n,\"\"y\"\n2025-01-15 09:00:01,2,\n".to_owned(),
    }
}

#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Drop(usize),
    Put(usize, u8),
    Double(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop::sample::select(b"{}[]\":,\\ \n\t-0aPF#\x00\xff\r".to_vec());
    prop_oneof![
        (0usize..600).prop_map(Change::Cut),
        (0usize..600).prop_map(Change::Drop),
        (0usize..600, bytes).prop_map(|(at, byte)| Change::Put(at, byte)),
        (0usize..600, 0usize..80).prop_map(|(at, length)| Change::Double(at, length)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        match change {
            Change::Cut(at) => bytes.truncate(at % length),
            Change::Drop(at) if !bytes.is_empty() => drop(bytes.remove(at % length)),
            Change::Put(at, byte) => bytes.insert(at % length, *byte),
            Change::Double(at, long) => {
                let from = at % length;
                let to = (from + long).min(bytes.len());
                let piece = bytes[from.min(to)..to].to_vec();
                bytes.splice(to..to, piece);
            }
            Change::Drop(_) => {}
        }
    }
    bytes
}

/// Lands bytes twice, the second time behind more of them: sums add up (the bench checks them), and what was read
/// before is all there again.
async fn account(format: Option<Format>, bytes: &[u8]) {
    let bench = Bench::new().await;
    let options = Options { format, threads: 1, ..Options::default() };
    let path = bench.write("input.csv", bytes);
    let first = bench.ingest(&[&path], &options).await;
    assert_eq!(first.already_landed, 0);
    let again = bench.ingest(&[&path], &options).await;
    assert_eq!(
        (again.landed, again.read),
        (0, first.read),
        "{format:?} {:?}",
        String::from_utf8_lossy(bytes)
    );
    assert_eq!(again.control_messages, first.control_messages);
}

#[tokio::test]
async fn good_records_of_every_format_land_and_are_told_by_their_content() {
    for format in Format::ALL {
        let bench = Bench::new().await;
        let summary = bench.land("input", sample(format)).await;
        assert!(summary.landed > 0, "{format}");
        assert_eq!(summary.sources[0].format, format.as_str());
        // One envelope of the CloudWatch sample is empty.
        assert_eq!(
            summary.rejected,
            u64::from(format == Format::Cloudwatch),
            "{format}: {:?}",
            summary.reasons
        );
    }
}

#[tokio::test]
async fn every_format_meets_every_other_without_loss() {
    for format in Format::ALL {
        for other in Format::ALL {
            account(Some(format), sample(other).as_bytes()).await;
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_cut_and_changed_are_accounted_for(
        format in prop::sample::select(Format::ALL.to_vec()),
        told in any::<bool>(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let bytes = changed(sample(format).into_bytes(), &changes);
        runtime().block_on(account(told.then_some(format), &bytes));
    }

    #[test]
    fn random_bytes_are_accounted_for(
        format in prop::sample::select(Format::ALL.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        runtime().block_on(account(Some(format), &bytes));
    }
}
