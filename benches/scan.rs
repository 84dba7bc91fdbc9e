//! The lake's own table provider against DataFusion's listing table over the same files.
//!
//! `cargo bench -- scan` reads 24 files with 240,000 rows; the measurements in the documentation use
//! `TARS_BENCH_FILES=144 TARS_BENCH_ROWS=3000000`. Six regions, so files = 6 x hours. The rows follow from their
//! number alone. Both tables get the same session: two partitions, filter pushdown and statistics on.

use std::path::Path;
use std::sync::Arc;

use crate::size;
use arrow::array::{
    ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::DataType;
use criterion::Criterion;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTableUrl};
use datafusion::prelude::{SessionConfig, SessionContext};
use tars::contract;
use tars::domain::{Hour, MICROS_PER_HOUR, parse_timestamp};
use tars::lake::Lake;
use tokio::runtime::Runtime;

const REGIONS: [&str; 6] =
    ["us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1", "ap-northeast-1", "sa-east-1"];
const SERVICES: [&str; 8] = ["api", "auth", "billing", "cache", "evals", "gateway", "search", "worker"];

const QUERIES: [(&str, &str); 8] = [
    ("group by region", "select region, count(service), avg(duration_ms) from logs group by region"),
    (
        "p95 by service",
        "select service, approx_percentile_cont(duration_ms, 0.95) from logs group by service",
    ),
    (
        "per minute",
        "select date_trunc('minute', timestamp) m, region, service, count(*), sum(duration_ms) from logs group by 1, 2, 3",
    ),
    (
        "like, order, limit",
        "select timestamp, service, message from logs where message like '%took 7_9 ms%' order by timestamp desc limit 20",
    ),
    ("point look-up", "select * from logs where trace_id = '000008f810213d82000000000001e240'"),
    (
        "top errors",
        "select service, status_code, count(*) n from logs where status_code >= 500 group by 1, 2 order by n desc, 1, 2 limit 10",
    ),
    (
        "one hour",
        "select service, count(*) from logs where timestamp >= '2025-01-15T02:00:00Z' and timestamp < '2025-01-15T03:00:00Z' group by 1",
    ),
    ("count", "select count(*) from logs"),
];

/// `count` log lines of one hour, in order of time, numbered from `first`.
fn lines(hour: Hour, first: u64, count: usize) -> RecordBatch {
    let schema = contract::table("logs").expect("logs is a table").file_schema();
    // A number that looks random: the finalizer of MurmurHash3.
    let mix = |i: u64| {
        let x = (i ^ (i >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> 20
    };
    let ids: Vec<u64> = (first..first + count as u64).collect();
    let duration = |i: u64| 5.0 + ((mix(i) % 10_000) as f64 / 10_000.0).powi(4) * 900.0;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let text =
            |of: &dyn Fn(u64) -> String| Arc::new(StringArray::from_iter_values(ids.iter().map(|&i| of(i))));
        match (field.name().as_str(), field.data_type()) {
            ("timestamp", _) => {
                let step = MICROS_PER_HOUR / count as i64;
                let times = (0..count as i64).map(|i| hour.start() + i * step);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            ("service", _) => text(&|i| SERVICES[(mix(i) % 8) as usize].into()),
            ("level", _) => text(&|i| if mix(i) % 50 == 0 { "ERROR" } else { "INFO" }.into()),
            ("message", _) => {
                text(&|i| format!("request {} took {} ms", mix(i) % 1_000_000, duration(i) as u64))
            }
            // As random as real ones, so that only bloom filters help to find one.
            ("trace_id", _) => text(&|i| format!("{:016x}{i:016x}", mix(i + 1))),
            ("request_id", _) => text(&|i| format!("{:016x}", mix(i))),
            ("route", _) => text(&|i| format!("/v1/things/{}", mix(i) % 40)),
            ("duration_ms", _) => Arc::new(Float64Array::from_iter_values(ids.iter().map(|&i| duration(i)))),
            ("status_code", _) => {
                let status = |i| if mix(i) % 50 == 0 { 500 + (mix(i) % 4) as i32 } else { 200 };
                Arc::new(Int32Array::from_iter_values(ids.iter().map(|&i| status(i))))
            }
            (_, data_type) => new_null_array(data_type, count),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).expect("columns of the schema")
}

async fn fill(lake: &Lake, files: usize, rows: usize) {
    let start = parse_timestamp("2025-01-15T00:00:00Z").expect("a timestamp");
    let mut writer = lake.writer("logs").await.expect("a writer");
    for file in 0..files {
        let hour = Hour::of_micros(start + (file / REGIONS.len()) as i64 * MICROS_PER_HOUR);
        let count = rows / files;
        let batch = lines(hour, (file * count) as u64, count);
        writer.write(REGIONS[file % REGIONS.len()], hour, batch).await.expect("a file");
    }
    writer.commit(&[]).await.expect("a commit");
}

fn session() -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2).with_collect_statistics(true);
    config.options_mut().execution.parquet.pushdown_filters = true;
    SessionContext::new_with_config(config)
}

async fn through_the_lake(lake: &Lake) -> SessionContext {
    let ctx = session();
    let snapshot = lake.snapshot("logs").await.expect("a snapshot").expect("a table");
    ctx.register_table("logs", snapshot.provider()).expect("registered");
    ctx
}

async fn through_a_listing(dir: &Path) -> SessionContext {
    let ctx = session();
    let format = ParquetFormat::default().with_options(ctx.copied_table_options().parquet);
    let options =
        ListingOptions::new(Arc::new(format)).with_file_extension(".parquet").with_table_partition_cols(
            vec![("region".into(), DataType::Utf8View), ("hour".into(), DataType::Utf8View)],
        );
    let url = ListingTableUrl::parse(dir.join("logs").to_str().expect("a path")).expect("a URL");
    ctx.register_listing_table("logs", url.as_str(), options, None, None).await.expect("registered");
    ctx
}

async fn run(ctx: &SessionContext, sql: &str) -> usize {
    let batches = ctx.sql(sql).await.expect("a plan").collect().await.expect("rows");
    batches.iter().map(RecordBatch::num_rows).sum()
}

pub fn scan(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let (files, rows) = (size("TARS_BENCH_FILES", 24), size("TARS_BENCH_ROWS", 240_000));
    let (ours, theirs) = runtime.block_on(async {
        let lake = Lake::create(dir.path().to_str().expect("a path")).await.expect("a lake");
        fill(&lake, files, rows).await;
        (through_the_lake(&lake).await, through_a_listing(dir.path()).await)
    });
    for (name, sql) in QUERIES {
        let counts = runtime.block_on(async { (run(&ours, sql).await, run(&theirs, sql).await) });
        assert_eq!(counts.0, counts.1, "{name}");
        let mut group = c.benchmark_group(format!("scan {rows} rows in {files} files/{name}"));
        group.sample_size(10);
        group.bench_function("lake", |b| b.iter(|| runtime.block_on(run(&ours, sql))));
        group.bench_function("listing", |b| b.iter(|| runtime.block_on(run(&theirs, sql))));
        group.finish();
    }
}
