//! CSV, with and without a layout.

use serde_json::{Value, json};

use super::super::options::{CsvLayout, FieldMapping, HeaderRow, Options};
use super::{Bench, check};

const NULL: Value = Value::Null;

#[tokio::test]
async fn columns_mean_what_the_same_keys_mean_elsewhere() {
    let bench = Bench::new().await;
    let text = "timestamp;service;latency_s;status_code;message;extra\n\
                2025-01-15 09:00:00;api;0,5;200;\"a; \"\"b\"\"\nc\";\n\
                2025-01-15 09:00:01;api;0.25;503;;x\n\
                timestamp;service;latency_s;status_code;message;extra\n\
                2025-01-15 09:00:02;api\n";
    let summary = bench.land("requests.csv", text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("csv", 2, 1));
    assert_eq!(summary.reasons["bad_line"], 1);
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00Z")),
            ("service", json!("api")),
            ("duration_ms", NULL),
            ("attributes/latency_s", json!("0,5")),
            ("message", json!("a; \"b\"\nc")),
            ("attributes/extra", NULL),
        ],
    );
    check(
        &rows[1],
        &[("duration_ms", json!(250.0)), ("status_code", json!(503)), ("attributes/extra", json!("x"))],
    );
}

#[tokio::test]
async fn a_series_is_called_as_its_file_and_a_mapping_gives_the_unit() {
    let bench = Bench::new().await;
    let summary = bench
        .land("cpu_load.csv", "timestamp,value\n2011-07-01 00:00:01,0.08\n2011-07-01 01:00:01,x\n")
        .await;
    assert_eq!((summary.landed, summary.tables["metrics"].rows, summary.unfit_values), (2, 2, 1));
    let mapping = |from: &str, to: &str, unit: Option<&str>| FieldMapping {
        table: Some("metrics".into()),
        from: from.into(),
        to: to.into(),
        unit: unit.map(Into::into),
    };
    let mappings = vec![mapping("when", "timestamp", Some("s")), mapping("what", "metric", None)];
    let path = bench.write("mapped.csv", "when,what,value\n1736931600,queue,7\n");
    let options = Options { mappings, table: Some("metrics".into()), ..Options::default() };
    assert_eq!(bench.ingest(&[&path], &options).await.landed, 1);
    let rows = bench.rows("metrics").await;
    check(&rows[0], &[("metric", json!("cpu_load")), ("value", json!(0.08))]);
    check(&rows[1], &[("value", NULL), ("labels/value", json!("x"))]);
    check(
        &rows[2],
        &[("timestamp", json!("2025-01-15T09:00:00Z")), ("metric", json!("queue")), ("value", json!(7.0))],
    );
}

#[tokio::test]
async fn a_wide_file_gives_a_row_per_cell() {
    let bench = Bench::new().await;
    let text = "who,shop,shop,db\nmetric,latency,requests,latency\nstatistic,Average,Sum,Average\nunix,,,\n\
                1736931600.0,0.5,12,\n1736931900.0,,x,0.25\nnever,1,2,3\n1736931900.0,1\n";
    let path = bench.write("x.metrics.csv", text);
    let layout = CsvLayout {
        files: "*.metrics.csv".into(),
        header: vec![
            HeaderRow::Column("service".into()),
            HeaderRow::Column("metric".into()),
            HeaderRow::Label("statistic".into()),
            HeaderRow::Skip,
        ],
        time_format: Some("s".into()),
        set: vec![("region".into(), "us-1".into()), ("unit".into(), "s".into())],
        ..CsvLayout::default()
    };
    let options = Options { csv: vec![layout], ..Options::default() };
    let summary = bench.ingest(&[&path], &options).await;
    // Two cells and two cells land; three have no time; one record is too short.
    assert_eq!((summary.landed, summary.rejected, summary.unfit_values), (4, 4, 1));
    assert_eq!((summary.reasons["bad_time"], summary.reasons["bad_line"]), (3, 1));
    let rows = bench.rows("metrics").await;
    let by = |service: &str, metric: &str, time: &str| {
        rows.iter()
            .find(|r| r["service"] == service && r["metric"] == metric && r["timestamp"] == time)
            .unwrap()
    };
    check(
        by("shop", "latency", "2025-01-15T09:00:00Z"),
        &[
            ("value", json!(0.5)),
            ("labels/statistic", json!("Average")),
            ("region", json!("us-1")),
            ("unit", json!("s")),
        ],
    );
    check(by("shop", "requests", "2025-01-15T09:00:00Z"), &[("value", json!(12.0))]);
    check(by("shop", "requests", "2025-01-15T09:05:00Z"), &[("value", NULL), ("labels/value", json!("x"))]);
    check(by("db", "latency", "2025-01-15T09:05:00Z"), &[("value", json!(0.25))]);
    let again = bench.ingest(&[&path], &options).await;
    assert_eq!((again.landed, again.already_landed), (0, 8));
}

#[tokio::test]
async fn a_pattern_takes_the_names_of_wide_columns_apart() {
    let bench = Bench::new().await;
    let path = bench.write("p.tsv", "day\teu-1/api/cpu\tus-1/api/cpu\tnote\n01.07.2011 02:00\t1\t2\t3\n");
    let layout = CsvLayout {
        files: "p.tsv".into(),
        pattern: Some("{region}/{service}/{metric}".into()),
        time: Some("day".into()),
        time_format: Some("%d.%m.%Y %H:%M".into()),
        time_zone: Some("Europe/Berlin".into()),
        ..CsvLayout::default()
    };
    let summary = bench.ingest(&[&path], &Options { csv: vec![layout], ..Options::default() }).await;
    assert_eq!((summary.landed, summary.rejected), (3, 0));
    let rows = bench.rows("metrics").await;
    let by = |value: f64| rows.iter().find(|r| r["value"] == json!(value)).unwrap();
    // Summer time in Berlin is two hours ahead.
    check(
        by(1.0),
        &[
            ("timestamp", json!("2011-07-01T00:00:00Z")),
            ("region", json!("eu-1")),
            ("service", json!("api")),
            ("metric", json!("cpu")),
        ],
    );
    check(by(2.0), &[("region", json!("us-1"))]);
    // A name that the pattern does not fit is the metric's.
    check(by(3.0), &[("metric", json!("note")), ("service", NULL)]);
}
