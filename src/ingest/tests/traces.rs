//! Jaeger and Zipkin, by samples of our own.

use serde_json::{Value, json};

use super::{Bench, check};

const NULL: Value = Value::Null;

#[tokio::test]
async fn jaeger_traces_give_spans_with_their_process() {
    let bench = Bench::new().await;
    let span = |id: &str, extra: Value| {
        let mut span = json!({
            "traceID": "51e8ea44a5cf41c", "spanID": id, "operationName": "get", "startTime": 1_736_931_600_123_456_i64,
            "duration": 518, "processID": "p1", "references": [], "tags": [], "logs": [], "warnings": null,
        });
        for (key, value) in extra.as_object().unwrap() {
            span[key] = value.clone();
        }
        span
    };
    let nested = json!({"traceID": "51e8ea44a5cf41c", "spanID": "a1", "references": []});
    let trace = json!({
        "traceID": "51e8ea44a5cf41c",
        "spans": [
            span("a1", json!({"tags": [
                {"key": "span.kind", "type": "string", "value": "server"},
                {"key": "http.status_code", "type": "int64", "value": "503"},
                {"key": "http.method", "type": "string", "value": "GET"},
                {"key": "error", "type": "bool", "value": true},
                {"key": "peer.service", "type": "string", "value": "caller"},
                {"key": "net.peer.name", "type": "string", "value": "10.0.0.9"},
            ]})),
            span("b2", json!({"references": [
                {"refType": "FOLLOWS_FROM", "traceID": "ff", "spanID": "c3"},
                {"refType": "CHILD_OF", "traceID": "51e8ea44a5cf41c", "spanID": "a1", "span": nested},
            ], "tags": [{"key": "span.kind", "type": "string", "value": "client"}, {"key": "peer.service", "type": "string", "value": "db"}]})),
            {"spanID": "no time", "traceID": "1"},
            7,
        ],
        "processes": {"p1": {"serviceName": "mention", "tags": [
            {"key": "hostname", "type": "string", "value": "host-1"}, {"key": "region", "type": "string", "value": "eu-1"}]}},
    });
    let page = json!({"data": [trace], "total": 0, "limit": 0});
    for (name, text) in
        [("one.json", page.to_string()), ("two.json", serde_json::to_string_pretty(&page).unwrap())]
    {
        let summary = bench.land(name, text).await;
        assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("jaeger", 2, 2), "{name}");
        assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["missing_time", "not_an_object"]);
    }
    let rows = bench.rows("spans").await;
    assert_eq!(rows.len(), 4);
    let by = |id: &str| rows.iter().find(|r| r["span_id"] == id).unwrap();
    check(
        by("00000000000000a1"),
        &[
            ("timestamp", json!("2025-01-15T09:00:00.123456Z")),
            ("duration_ms", json!(0.518)),
            ("trace_id", json!("051e8ea44a5cf41c")),
            ("parent_span_id", NULL),
            ("name", json!("get")),
            ("kind", json!("server")),
            ("service", json!("mention")),
            ("host", json!("host-1")),
            ("region", json!("eu-1")),
            ("status", json!("error")),
            ("status_code", json!(503)),
            ("method", json!("GET")),
            ("peer_service", NULL),
        ],
    );
    check(
        by("00000000000000b2"),
        &[
            ("parent_span_id", json!("00000000000000a1")),
            ("kind", json!("client")),
            ("peer_service", json!("db")),
            ("status", NULL),
            (
                "attributes/references",
                json!("[{\"refType\":\"FOLLOWS_FROM\",\"traceID\":\"ff\",\"spanID\":\"c3\"}]"),
            ),
        ],
    );
}

#[tokio::test]
async fn jaeger_spans_of_its_storage_land_too() {
    let bench = Bench::new().await;
    let lines = [
        json!({"traceID": "0000000000000001", "spanID": "0000000000000002", "operationName": "x",
               "startTime": 1_736_931_600_000_000_i64, "startTimeMillis": 1_736_931_600_000_i64, "duration": 5,
               "process": {"serviceName": "inline", "tags": []}, "flags": 1}),
        json!({"traceID": "1", "spanID": "3", "operationName": "y", "startTime": "2025-01-15T09:00:01Z",
               "duration": "22938000ns", "tags": [{"key": "http.status_code", "vType": "INT64", "vInt64": 200}]}),
    ];
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    assert_eq!(bench.land("spans.json", text).await.landed, 2);
    let rows = bench.rows("spans").await;
    check(
        &rows[0],
        &[("service", json!("inline")), ("duration_ms", json!(0.005)), ("attributes/flags", json!("1"))],
    );
    check(&rows[1], &[("duration_ms", json!(22.938)), ("status_code", json!(200))]);
}

#[tokio::test]
async fn zipkin_spans_come_in_lists_and_lists_of_lists() {
    let bench = Bench::new().await;
    let spans = json!([
        {"traceId": "5982fe77008310cc80f1da5e10147517", "id": "bd7a977555f6b982", "name": "query", "kind": "CLIENT",
         "parentId": "90394f6bcffb5d13", "timestamp": 1_736_931_600_123_456_i64, "duration": 1500,
         "localEndpoint": {"serviceName": "api", "ipv4": "10.0.0.1"}, "remoteEndpoint": {"serviceName": "db", "port": 5432},
         "tags": {"error": "connection refused", "http.method": "GET"}, "annotations": [{"timestamp": 1, "value": "ws"}]},
        {"traceId": "1", "id": "2", "name": "serve", "kind": "SERVER", "timestamp": 1_736_931_601_000_000_i64, "duration": 2,
         "localEndpoint": {"serviceName": "api"}, "remoteEndpoint": {"serviceName": "web"}, "shared": true},
        {"traceId": "1", "id": "3"},
        {"id": "4"},
    ]);
    let summary = bench.land("zipkin.json", spans.to_string()).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("zipkin", 2, 2));
    assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["missing_time", "unknown_shape"]);
    let rows = bench.rows("spans").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00.123456Z")),
            ("duration_ms", json!(1.5)),
            ("kind", json!("client")),
            ("service", json!("api")),
            ("peer_service", json!("db")),
            ("parent_span_id", json!("90394f6bcffb5d13")),
            ("status", json!("error")),
            ("status_message", json!("connection refused")),
            ("method", json!("GET")),
            ("attributes/remoteEndpoint.port", json!("5432")),
        ],
    );
    check(
        &rows[1],
        &[
            ("span_id", json!("0000000000000002")),
            ("peer_service", NULL),
            ("attributes/remoteEndpoint.serviceName", json!("web")),
        ],
    );
    let nested = json!([[spans[0]], [spans[1]]]);
    let summary = bench.land("nested.json", serde_json::to_string_pretty(&nested).unwrap()).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("zipkin", 2, 0));
}
