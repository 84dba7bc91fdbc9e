//! Each format by samples of our own.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::options::{FieldMapping, Format, Options};
use super::{Bench, check};

const NULL: Value = Value::Null;

fn datasets() -> String {
    format!("{}/datasets", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_datasets_are_the_ones_their_readme_lists() {
    let readme = fs::read_to_string(format!("{}/README.md", datasets())).unwrap();
    let mut files = 0;
    for folder in fs::read_dir(datasets()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        for file in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            let digest = Sha256::digest(fs::read(&file).unwrap());
            let hash: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            let name = file.strip_prefix(datasets()).unwrap_or(Path::new("?")).display().to_string();
            assert!(readme.contains(&format!("| {name} |")) && readme.contains(&hash), "{name} {hash}");
            files += 1;
        }
    }
    assert_eq!(files, 14);
}

#[tokio::test]
async fn the_datasets_land_by_themselves() {
    let bench = Bench::new().await;
    let summary = bench.ingest(&[&datasets()], &Options::default()).await;
    // Counted by hand: 7 + 3 + 1 ndjson; 2 + 2 + 2 cloudwatch; 2 + 2 gcp; 2 + 2 + 5 otlp.
    assert_eq!((summary.read, summary.landed, summary.rejected), (30, 28, 2));
    assert_eq!(summary.control_messages, 1);
    let formats: Vec<_> = summary.sources.iter().map(|s| s.format).collect();
    assert_eq!(formats[..4], ["cloudwatch", "cloudwatch", "gcp", "gcp"]);
    assert_eq!(formats[4..], ["ndjson", "ndjson", "ndjson", "otlp", "otlp", "otlp"]);
    assert_eq!(summary.tables["logs"].rows, 5 + 6 + 4 + 2);
    assert_eq!(summary.tables["metrics"].rows, 3 + 5);
    let rejects = bench.rows("rejects").await;
    assert_eq!(rejects.iter().map(|r| r["code"].as_str().unwrap()).collect::<Vec<_>>().len(), 2);
    let again = bench.ingest(&[&datasets()], &Options::default()).await;
    assert_eq!((again.already_landed, again.control_messages), (30, 1));
}

#[tokio::test]
async fn ndjson_aliases_nesting_and_units_reach_their_columns() {
    let bench = Bench::new().await;
    let line = json!({
        "@timestamp": "2025-01-15T09:00:01Z", "cloud": {"region": "eu-1"}, "service": {"name": "api"},
        "log.level": "warning", "msg": "slow", "latency": "1.25s", "queue_wait_s": 0.5,
        "http": {"request": {"method": "GET"}, "response": {"status_code": "200"}},
        "url.path": "/a/b?x=1", "traceId": "0AF7651916CD43DD8448EB211C80319C", "user_id": 1007,
        "error": {"type": "Timeout", "message": "gone"}, "tags": ["a", {"b": 1}], "deep": {"er": {"n": 1.10}},
        "nothing": null, "timed_out": "true", "bytes_sent": "12", "empty": {},
    });
    bench.land("app.json", format!("{line}\n")).await;
    check(
        &bench.row("logs").await,
        &[
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("region", json!("eu-1")),
            ("hour", json!("2025-01-15T09")),
            ("service", json!("api")),
            ("level", json!("WARN")),
            ("message", json!("slow")),
            ("duration_ms", json!(1250.0)),
            ("queue_wait_ms", json!(500.0)),
            ("method", json!("GET")),
            ("status_code", json!(200)),
            ("route", json!("/a/b")),
            ("attributes/url.path", json!("/a/b?x=1")),
            ("trace_id", json!("0af7651916cd43dd8448eb211c80319c")),
            ("user_id", json!("1007")),
            ("error", json!("gone")),
            ("error_type", json!("Timeout")),
            ("timeout", json!(true)),
            ("bytes_sent", json!(12)),
            ("attributes/tags", json!("[\"a\",{\"b\":1}]")),
            ("attributes/deep.er.n", json!("1.1")),
            ("attributes/empty", json!("{}")),
        ],
    );
}

#[tokio::test]
async fn values_that_do_not_fit_stay_in_the_attributes_and_are_counted() {
    let bench = Bench::new().await;
    let line = r#"{"timestamp":"2025-01-15T09:00:01Z","duration_ms":"abc","latency":12,"status_code":"oops","status":"ready","level":"loud","severity":"NOTICE","bytes_sent":1.5,"message":"a","msg":"b","attributes":{"host":"inner"},"a":{"b":1},"a.b":2}"#;
    let summary = bench.land("app.json", line).await;
    assert_eq!((summary.unfit_values, summary.unitless_values, summary.unknown_region), (2, 1, 1));
    check(
        &bench.row("logs").await,
        &[
            ("region", json!("unknown")),
            ("duration_ms", NULL),
            ("attributes/duration_ms", json!("abc")),
            ("attributes/latency", json!("12")),
            ("attributes/status_code", json!("oops")),
            ("attributes/status", json!("ready")),
            ("level", json!("loud")),
            ("attributes/severity", json!("NOTICE")),
            ("attributes/bytes_sent", json!("1.5")),
            ("message", json!("a")),
            ("attributes/msg", json!("b")),
            ("host", NULL),
            ("attributes/host", json!("inner")),
            ("attributes/a.b", json!("1")),
            ("attributes/a.b#2", json!("2")),
        ],
    );
}

#[tokio::test]
async fn what_cannot_land_is_kept_with_its_reason() {
    let bench = Bench::new().await;
    let lines: Vec<(&[u8], &str)> = vec![
        (b"{\"timestamp\":1736931605,\"message\":\"m\"}", "time_unit"),
        (b"{\"timestamp\":\"yesterday\"}", "bad_time"),
        (b"{\"timestamp_ms\":99999999999999999}", "bad_time"),
        (b"{\"timestamp\":\"0000-01-01T00:00:00Z\"}", "bad_time"),
        (b"{\"message\":\"m\"}", "missing_time"),
        (b"{\"timestamp\":\"2025-01-15T09:00:00Z\"", "truncated"),
        (b"{\"timestamp\" \"2025-01-15T09:00:00Z\"}", "bad_json"),
        (b"plain text", "bad_json"),
        (b"42", "not_an_object"),
        (b"{\"a\":\"\xff\xfe\"}", "bad_utf8"),
        (b"{\"timestamp\":\"2025-01-15T09:00:00Z\",\"metric\":null,\"value\":1}", "missing_field"),
        (
            b"{\"verdict\":\"FINE\",\"from\":\"2025-01-15T09:00:00Z\",\"to\":\"2025-01-15T10:00:00Z\"}",
            "bad_value",
        ),
        (
            b"{\"verdict\":\"BENIGN\",\"from\":\"2025-01-15T09:00:00Z\",\"to\":\"2025-01-15T08:00:00Z\"}",
            "bad_value",
        ),
    ];
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let mut text: Vec<u8> = b"{\"timestamp\":\"2025-01-15T09:00:00Z\",\"message\":\"good\"}\n\n \n".to_vec();
    let mut offsets = Vec::new();
    for (line, code) in lines.iter().copied().chain([(deep.as_bytes(), "too_deep")]) {
        offsets.push((text.len() as u64, code, line.to_vec()));
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let options = Options { region: Some("lab".into()), ..Options::default() };
    let path = bench.write("app.log", &text);
    let summary = bench.ingest(&[&path], &options).await;
    assert_eq!((summary.landed, summary.rejected), (1, 14));
    check(&bench.row("logs").await, &[("region", json!("lab"))]);
    let mut rejects = bench.rows("rejects").await;
    rejects.sort_by_key(|r| r["offset"].as_u64());
    for (row, (offset, code, original)) in rejects.iter().zip(&offsets) {
        let hex: String = original.iter().map(|b| format!("{b:02x}")).collect();
        check(
            row,
            &[
                ("offset", json!(offset)),
                ("code", json!(code)),
                ("original", json!(hex)),
                ("source", json!(path)),
                ("format", json!("ndjson")),
                ("region", json!("lab")),
            ],
        );
    }
    let reason = rejects[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains(
            "[[mapping]] table = \"logs\", from = \"timestamp\", to = \"timestamp\", unit = \"ms\""
        ),
        "{reason}"
    );
}

#[tokio::test]
async fn a_mapping_says_what_a_field_means() {
    let bench = Bench::new().await;
    let mapping = |from: &str, to: &str, unit: Option<&str>| FieldMapping {
        table: Some("logs".into()),
        from: from.into(),
        to: to.into(),
        unit: unit.map(Into::into),
    };
    let options = Options {
        mappings: vec![
            mapping("ts", "timestamp", Some("s")),
            mapping("Duration", "duration_ms", Some("ns")),
            mapping("ctx.who", "user_id", None),
            mapping("size", "bytes_sent", Some("KiB")),
        ],
        ..Options::default()
    };
    let path = bench.write(
        "zap.log",
        "{\"level\":\"info\",\"ts\":1693840791.7564995,\"Duration\":357313,\"ctx\":{\"who\":\"u1\"},\"user_id\":\"u2\",\"size\":1.5}\n",
    );
    bench.ingest(&[&path], &options).await;
    check(
        &bench.row("logs").await,
        &[
            // python3 -c "import datetime as d; print(d.datetime.fromtimestamp(1693840791, d.UTC))"
            ("timestamp", json!("2023-09-04T15:19:51.756499Z")),
            ("duration_ms", json!(0.357313)),
            ("user_id", json!("u1")),
            ("attributes/user_id", json!("u2")),
            ("bytes_sent", json!(1536)),
        ],
    );
}

#[tokio::test]
async fn json_in_a_message_is_opened_layer_by_layer() {
    let bench = Bench::new().await;
    let logrus = r#"{"http.req.method":"GET","http.req.path":"/product/1","http.resp.status":200,"http.resp.took_ms":8,"severity":"info","message":"done","timestamp":"2025-01-15T09:00:01Z","span_id":"inner"}"#;
    let docker =
        json!({"log": format!("{logrus}\n"), "stream": "stdout", "time": "2025-01-15T09:00:01.123456789Z"});
    let outer = json!({"timestamp": "2025-01-15T09:00:01Z", "region": "r", "span_id": "b7ad6b7169203331", "message": docker.to_string()});
    bench.land("a.log", outer.to_string()).await;
    check(
        &bench.row("logs").await,
        &[
            ("message", json!("done")),
            ("level", json!("INFO")),
            ("method", json!("GET")),
            ("route", json!("/product/1")),
            ("status_code", json!(200)),
            ("duration_ms", json!(8.0)),
            ("span_id", json!("b7ad6b7169203331")),
            ("attributes/span_id", json!("inner")),
            ("attributes/stream", json!("stdout")),
            ("attributes/time", json!("2025-01-15T09:00:01.123456789Z")),
            // The same instant as the record's own says nothing new.
            ("attributes/timestamp", NULL),
        ],
    );
}

#[tokio::test]
async fn a_message_that_is_not_json_or_has_no_text_stays_as_it_is() {
    let bench = Bench::new().await;
    for (message, kept) in [
        ("{not json}", "{not json}"),
        ("{\"a\":1}", "{\"a\":1}"),
        ("line with newline\n", "line with newline"),
        ("[1,2]", "[1,2]"),
    ] {
        bench
            .land("a.log", json!({"timestamp": "2025-01-15T09:00:01Z", "message": message}).to_string())
            .await;
        let rows = bench.rows("logs").await;
        assert!(rows.iter().any(|r| r["message"] == kept), "{rows:?}");
    }
    // A container's file by itself: its wrapper is the record.
    bench
        .land("b.log", r#"{"log":"{\"msg\":\"hi\"}\n","stream":"stdout","time":"2025-01-15T09:00:02.5Z"}"#)
        .await;
    let rows = bench.rows("logs").await;
    check(
        rows.last().unwrap(),
        &[("message", json!("hi")), ("timestamp", json!("2025-01-15T09:00:02.500Z"))],
    );
}

#[tokio::test]
async fn cloudwatch_events_come_in_pages_envelopes_and_packed() {
    let bench = Bench::new().await;
    bench.ingest(&[&format!("{}/cloudwatch", datasets())], &Options::default()).await;
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00.123Z")),
            ("level", json!("INFO")),
            ("request_id", json!("4f1c1e5e-0000-4000-8000-000000000001")),
            ("route", json!("/score")),
            ("status_code", json!(200)),
            ("duration_ms", json!(18.5)),
            ("region", json!("unknown")),
            ("attributes/ingestionTime", json!("1736931601000")),
            ("attributes/eventId", json!("38000000000000000000000000000000000000000000000000000001")),
        ],
    );
    check(
        &rows[1],
        &[("duration_ms", json!(21.07)), ("request_id", json!("4f1c1e5e-0000-4000-8000-000000000001"))],
    );
    for row in &rows[2..4] {
        check(
            row,
            &[
                ("level", json!("WARN")),
                ("message", json!("reward below baseline")),
                ("trace_id", json!("0af7651916cd43dd8448eb211c80319c")),
                ("service", json!("score-agent")),
                ("region", json!("us-west-2")),
                ("attributes/logGroup", json!("/aws/lambda/score-agent")),
            ],
        );
    }
    check(&rows[4], &[("message", json!("plain text")), ("service", json!("score-agent"))]);
}

#[tokio::test]
async fn cloudwatch_that_cannot_be_unpacked_is_rejected() {
    let bench = Bench::new().await;
    let lines = [
        r#"{"awslogs":{"data":"%%%"}}"#,
        r#"{"awslogs":{"data":"aGVsbG8="}}"#,
        r#"{"events":[{"message":"no time"},7]}"#,
        r#"{"records":[]}"#,
    ];
    let path = bench.write("a.jsonl", lines.join("\n"));
    let options = Options { format: Some(Format::Cloudwatch), ..Options::default() };
    let summary = bench.ingest(&[&path], &options).await;
    assert_eq!((summary.landed, summary.rejected), (0, 5));
    for code in ["bad_envelope", "missing_time", "not_an_object", "unknown_shape"] {
        assert!(summary.reasons.contains_key(code), "{:?}", summary.reasons);
    }
}

#[tokio::test]
async fn gcp_entries_of_every_payload_land() {
    let bench = Bench::new().await;
    bench.ingest(&[&format!("{}/gcp", datasets())], &Options::default()).await;
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:05.000123Z")),
            ("region", json!("europe-west1")),
            ("service", json!("dashboard")),
            ("level", json!("ERROR")),
            ("method", json!("GET")),
            ("route", json!("/panels/4")),
            ("status_code", json!(503)),
            ("duration_ms", json!(250.125)),
            ("bytes_sent", json!(88)),
            ("trace_id", json!("0af7651916cd43dd8448eb211c80319c")),
            ("span_id", json!("00f067aa0ba902b7")),
            ("attributes/httpRequest.requestSize", json!("310")),
            ("attributes/traceSampled", json!("true")),
            ("attributes/receiveTimestamp", json!("2025-01-15T09:00:05.100000001Z")),
            ("attributes/insertId", json!("made-up-1")),
        ],
    );
    check(
        &rows[1],
        &[
            ("region", json!("us-central1")),
            ("service", json!("agent-dqn")),
            ("host", json!("agent-dqn-1")),
            ("message", json!("episode done")),
            ("level", json!("DEBUG")),
            ("attributes/reward", json!("1.5")),
            ("attributes/labels.team", json!("rl")),
        ],
    );
    check(
        &rows[2],
        &[
            ("timestamp", json!("2025-01-15T09:00:07Z")),
            ("region", json!("us-east1")),
            ("service", json!("compute.example")),
            ("route", json!("v1.compute.instances.stop")),
            ("error", json!("permission denied")),
            ("level", json!("INFO")),
            ("attributes/severity", json!("NOTICE")),
        ],
    );
    check(
        &rows[3],
        &[
            ("message", json!("panic: index out of range")),
            ("level", json!("FATAL")),
            ("region", json!("unknown")),
        ],
    );
}

#[tokio::test]
async fn otlp_spans_land_with_their_conventions() {
    let bench = Bench::new().await;
    bench.ingest(&[&format!("{}/otlp/traces.jsonl", datasets())], &Options::default()).await;
    let rows = bench.rows("spans").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00Z")),
            ("region", json!("ap-southeast-1")),
            ("service", json!("checkout")),
            ("host", json!("checkout-5")),
            ("environment", json!("production")),
            ("trace_id", json!("5b8efff798038103d269b633813fc60c")),
            ("span_id", json!("eee19b7ec3c1b174")),
            ("parent_span_id", NULL),
            ("name", json!("POST /pay")),
            ("kind", json!("server")),
            ("duration_ms", json!(125.5)),
            ("status", json!("error")),
            ("status_message", json!("card service away")),
            ("status_code", json!(500)),
            ("method", json!("POST")),
            ("route", json!("/pay")),
            ("error_type", json!("Timeout")),
            ("attributes/process.pid", json!("4711")),
            ("attributes/otel.scope.name", json!("http")),
            ("attributes/otel.scope.version", json!("1.2")),
        ],
    );
    check(
        &rows[1],
        &[
            ("kind", json!("client")),
            ("parent_span_id", json!("eee19b7ec3c1b174")),
            ("duration_ms", json!(2.0)),
            ("status", NULL),
            ("peer_service", json!("orders-db")),
            ("attributes/db.system", json!("postgresql")),
        ],
    );
}

#[tokio::test]
async fn otlp_oddities_are_read_as_they_are_meant() {
    let bench = Bench::new().await;
    let span = |fields: &str| {
        format!("{{\"resourceSpans\":[{{\"instrumentationLibrarySpans\":[{{\"spans\":[{{{fields}}}]}}]}}]}}")
    };
    let lines = [
        // Base64 ids, an enum by name, an end before the start, the server's own address, a zone.
        span(
            r#""traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"7uGbfsPBsXQ=","kind":"SPAN_KIND_SERVER","startTimeUnixNano":"2000000000","endTimeUnixNano":"1000000000","attributes":[{"key":"server.address","value":{"stringValue":"me"}},{"key":"cloud.availability_zone","value":{"stringValue":"us-east-1a"}},{"key":"http.status_code","value":{"intValue":404}}]"#,
        ),
        // No start.
        span(r#""name":"x","startTimeUnixNano":"0","endTimeUnixNano":"5""#),
        "{}".to_owned(),
        r#"{"traces":[]}"#.to_owned(),
    ];
    let path = bench.write("a.jsonl", lines.join("\n"));
    let summary = bench.ingest(&[&path], &Options { format: Some(Format::Otlp), ..Options::default() }).await;
    assert_eq!((summary.landed, summary.rejected), (1, 2));
    assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["missing_time", "unknown_shape"]);
    check(
        &bench.row("spans").await,
        &[
            ("trace_id", json!("5b8efff798038103d269b633813fc60c")),
            ("span_id", json!("eee19b7ec3c1b174")),
            ("kind", json!("server")),
            ("duration_ms", NULL),
            ("attributes/endTimeUnixNano", json!("1000000000")),
            ("peer_service", NULL),
            ("attributes/server.address", json!("me")),
            ("region", json!("us-east-1")),
            ("status_code", json!(404)),
        ],
    );
}

#[tokio::test]
async fn otlp_logs_land_with_text_and_with_fields() {
    let bench = Bench::new().await;
    bench.ingest(&[&format!("{}/otlp/logs.jsonl", datasets())], &Options::default()).await;
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("level", json!("ERROR")),
            ("message", json!("payment failed")),
            ("error_type", json!("Timeout")),
            ("trace_id", json!("5b8efff798038103d269b633813fc60c")),
            ("attributes/retry.delays", json!("[1,2.5,\"x\"]")),
            ("attributes/severityText", NULL),
        ],
    );
    check(
        &rows[1],
        &[
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("message", json!("from fields")),
            ("level", json!("WARN")),
            ("attributes/n", json!("3")),
        ],
    );
}

#[tokio::test]
async fn otlp_points_of_every_kind_land() {
    let bench = Bench::new().await;
    bench.ingest(&[&format!("{}/otlp/metrics.jsonl", datasets())], &Options::default()).await;
    let mut rows = bench.rows("metrics").await;
    rows.sort_by_key(|r| r["metric"].as_str().unwrap().to_owned());
    let expected = [
        ("gc", json!(0.5), "summary", json!(2), "s"),
        ("latency", json!(100.5), "histogram", json!(4), "ms"),
        ("latency.exp", json!(9.0), "histogram", json!(3), "ms"),
        ("memory.usage", json!(1_048_576.0), "gauge", NULL, "By"),
        ("requests", json!(12.5), "counter", NULL, "1"),
    ];
    for (row, (metric, value, kind, count, unit)) in rows.iter().zip(expected) {
        check(
            row,
            &[
                ("metric", json!(metric)),
                ("value", value),
                ("kind", json!(kind)),
                ("count", count),
                ("unit", json!(unit)),
                ("service", json!("checkout")),
                ("region", json!("ap-southeast-1")),
                ("host", json!("checkout-5")),
            ],
        );
    }
    check(
        &rows[1],
        &[("labels/bucketCounts", json!("[\"1\",\"3\"]")), ("labels/explicitBounds", json!("[10]"))],
    );
    check(&rows[3], &[("labels/state", json!("used"))]);
}

#[tokio::test]
async fn a_document_over_many_lines_is_read_in_every_format() {
    let bench = Bench::new().await;
    for (name, format) in
        [("gcp/sink.ndjson", "gcp"), ("otlp/metrics.jsonl", "otlp"), ("ndjson/metrics.ndjson", "ndjson")]
    {
        let text = fs::read_to_string(format!("{}/{name}", datasets())).unwrap();
        let values: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let lines = bench.land("lines", &text).await;
        let rows: Vec<String> = values.iter().map(|v| serde_json::to_string_pretty(v).unwrap()).collect();
        let pretty = bench.land("pretty", rows.join("\n")).await;
        let list = bench.land("list", serde_json::to_string_pretty(&values).unwrap()).await;
        let one = bench.land("one", serde_json::to_string(&values).unwrap()).await;
        for other in [&pretty, &list, &one] {
            assert_eq!((other.landed, other.rejected), (lines.landed, 0), "{name}");
            assert_eq!(other.sources[0].format, format);
        }
    }
}

#[tokio::test]
async fn the_file_name_decides_where_the_keys_do_not() {
    let bench = Bench::new().await;
    let alert =
        "{\"timestamp\":\"2025-01-15T09:00:00Z\",\"alert\":\"HighLatency\",\"severity\":\"Warning\"}\n";
    bench.land("alerts.ndjson", alert).await;
    check(&bench.row("alerts").await, &[("alert", json!("HighLatency")), ("severity", json!("warning"))]);
    let evaluation =
        "{\"timestamp\":\"2025-01-15T09:00:00Z\",\"agent_type\":\"ppo\",\"reward_mean\":1.5,\"steps\":10}\n";
    bench.land("x.ndjson", evaluation).await;
    check(&bench.row("evaluations").await, &[("reward_mean", json!(1.5)), ("steps", json!(10))]);
    let options = Options { table: Some("changes".into()), ..Options::default() };
    let path = bench.write(
        "y.ndjson",
        "{\"timestamp\":\"2025-01-15T09:00:00Z\",\"kind\":\"Deployment\",\"success\":true}\n",
    );
    bench.ingest(&[&path], &options).await;
    check(&bench.row("changes").await, &[("kind", json!("deployment")), ("success", json!(true))]);
}
