//! The way from telemetry to report: ingest of a simulated day, and the nightly job over it.
//!
//! By default the day has 200,000 log lines from six regions, with the spans, metric points and evaluations
//! that belong to them.

use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput};
use tars::domain::TimeRange;
use tars::engine::{Engine, EngineOptions, Params};
use tars::ingest::{Options, Silent};
use tars::lake::Lake;
use tars::pipeline::{self, Run};
use tars::report::{self, Period, Request};
use tars::settings::Settings;
use tars::simulate;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::size;

const ROWS: usize = 200_000;

fn simulated(folder: &Path) {
    let options =
        simulate::Options { rows: size("TARS_BENCH_ROWS", ROWS) as u64, ..simulate::Options::new(folder) };
    simulate::run(&options, &mut |_, _| ()).expect("a simulation");
}

async fn land(telemetry: &Path, lake: &Path, files: &str) -> u64 {
    let lake = Lake::create(lake.to_str().expect("a path")).await.expect("a lake");
    let inputs = [telemetry.join(files).display().to_string()];
    tars::ingest::ingest(&lake, &inputs, &Options::default(), &Silent).await.expect("an ingest").landed
}

/// Landing the log lines, and the whole day, in an empty lake.
pub fn ingest(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let telemetry = tempfile::tempdir().expect("a directory");
    simulated(telemetry.path());
    for (name, files) in [("log lines", "logs.ndjson"), ("all tables", "*.ndjson")] {
        let target = tempfile::tempdir().expect("a directory");
        let rows = runtime.block_on(land(telemetry.path(), target.path(), files));
        let mut group = c.benchmark_group(format!("ingest {rows} rows/{name}"));
        group.sample_size(10).throughput(Throughput::Elements(rows));
        group.bench_function("tars", |b| {
            b.iter_batched(
                || tempfile::tempdir().expect("a directory"),
                |lake: TempDir| {
                    runtime.block_on(land(telemetry.path(), lake.path(), files));
                    lake
                },
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

/// Rollups from nothing, every model, and the report of the day.
pub fn nightly(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let telemetry = tempfile::tempdir().expect("a directory");
    simulated(telemetry.path());
    let rows = size("TARS_BENCH_ROWS", ROWS);
    let mut group = c.benchmark_group(format!("nightly over {rows} log lines"));
    group.sample_size(10);
    group.bench_function("rollup, models and report", |b| {
        b.iter_batched(
            || {
                let lake = tempfile::tempdir().expect("a directory");
                runtime.block_on(land(telemetry.path(), lake.path(), "*.ndjson"));
                lake
            },
            |lake| {
                runtime.block_on(report_on(lake.path()));
                lake
            },
            BatchSize::PerIteration,
        );
    });
    let lake = tempfile::tempdir().expect("a directory");
    runtime.block_on(land(telemetry.path(), lake.path(), "*.ndjson"));
    runtime.block_on(report_on(lake.path()));
    group.bench_function("report, rollups present", |b| b.iter(|| runtime.block_on(report_on(lake.path()))));
    group.finish();
}

async fn report_on(lake: &Path) -> usize {
    let settings = Settings::default();
    let lake = Lake::open(lake.to_str().expect("a path")).await.expect("a lake");
    let engine = || Engine::new(&EngineOptions::default(), &settings).expect("an engine");
    pipeline::refresh(&engine(), &lake, |_| ()).await.expect("rollups");
    let window = TimeRange::day("2025-01-15").expect("a date");
    let (baseline, baseline_note) = pipeline::default_baseline(&lake, window).await.expect("a baseline");
    let run = Run::open(engine(), &lake, Params::new(window, baseline)).await.expect("a run");
    run.hold(|_, _| ()).await.expect("models");
    let request = Request { period: Period::Daily, window, baseline_note };
    report::build(&run, &request).await.expect("a report").to_markdown().len()
}
