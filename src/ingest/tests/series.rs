//! Prometheus replies, by samples of our own.

use serde_json::{Value, json};

use super::{Bench, check};

const NULL: Value = Value::Null;

#[tokio::test]
async fn replies_of_prometheus_give_a_row_per_sample() {
    let bench = Bench::new().await;
    let named = json!({"metric": {"__name__": "http_requests_total", "instance": "h:80", "job": "api", "region": "eu-1", "code": "200", "name": "n"},
                       "values": [[1_736_931_600.781, "0.5"], [1_736_931_615, "NaN"], [1_736_931_630, "+Inf"]]});
    let unnamed = json!({"metric": {"service": "web"}, "values": [[1_736_931_600, "3"]]});
    let reply = json!({"status": "success", "data": {"resultType": "matrix", "result": [named, unnamed]}});
    let summary = bench.land("cpu_rate.json", reply.to_string()).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("prometheus", 4, 0));
    assert_eq!(summary.unfit_values, 2);
    let pretty = bench.land("pretty.json", serde_json::to_string_pretty(&reply).unwrap()).await;
    assert_eq!((pretty.landed, pretty.rejected), (4, 0));
    let bare = bench.land("bare.json", json!([named]).to_string()).await;
    assert_eq!((bare.landed, bare.rejected), (3, 0));
    let rows = bench.rows("metrics").await;
    let by = |metric: &str, time: &str| {
        rows.iter().find(|r| r["metric"] == metric && r["timestamp"] == time).unwrap()
    };
    check(
        by("http_requests_total", "2025-01-15T09:00:00.781Z"),
        &[
            ("value", json!(0.5)),
            ("host", json!("h:80")),
            ("service", json!("api")),
            ("region", json!("eu-1")),
            ("labels/code", json!("200")),
            ("labels/job", json!("api")),
            ("labels/name", json!("n")),
        ],
    );
    check(
        by("http_requests_total", "2025-01-15T09:00:15Z"),
        &[("value", NULL), ("labels/value", json!("NaN"))],
    );
    check(
        by("http_requests_total", "2025-01-15T09:00:30Z"),
        &[("value", NULL), ("labels/value", json!("+Inf"))],
    );
    // No name of its own: the file's.
    check(by("cpu_rate", "2025-01-15T09:00:00Z"), &[("value", json!(3.0)), ("service", json!("web"))]);
}

#[tokio::test]
async fn vectors_scalars_histograms_and_errors_are_read_as_they_are() {
    let bench = Bench::new().await;
    let vector = json!({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"__name__": "up"}, "value": [1_736_931_600, "1"]},
        {"metric": {"__name__": "h"}, "histogram": [1_736_931_600, {"count": "4", "sum": "10.5", "buckets": [[0, "1", "2", "4"]]}]},
        {"metric": {"__name__": "broken"}},
        {"metric": {"__name__": "broken"}, "value": [1_736_931_600]},
        {"metric": {"__name__": "broken"}, "value": ["soon", "1"]},
    ]}});
    let summary = bench.land("vector.json", vector.to_string()).await;
    assert_eq!((summary.landed, summary.rejected), (2, 3));
    assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["bad_time", "unknown_shape"]);
    let scalar =
        json!({"status": "success", "data": {"resultType": "scalar", "result": [1_736_931_600, "42"]}});
    assert_eq!(bench.land("answer.json", scalar.to_string()).await.landed, 1);
    let empty = json!({"status": "success", "data": {"resultType": "matrix", "result": []}});
    assert_eq!(bench.land("empty.json", empty.to_string()).await.read, 0);
    let error = json!({"status": "error", "errorType": "bad_data", "error": "parse error", "data": {"resultType": "", "result": []}});
    assert_eq!(bench.land("error.json", error.to_string()).await.rejected, 1);
    let rows = bench.rows("metrics").await;
    let by = |metric: &str| rows.iter().find(|r| r["metric"] == metric).unwrap();
    check(by("up"), &[("value", json!(1.0))]);
    check(by("answer"), &[("value", json!(42.0))]);
    check(
        by("h"),
        &[
            ("value", json!(10.5)),
            ("count", json!(4)),
            ("kind", json!("histogram")),
            ("labels/buckets", json!("[[0,\"1\",\"2\",\"4\"]]")),
        ],
    );
}
