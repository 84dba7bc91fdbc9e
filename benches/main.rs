//! Benchmarks, in one binary because each links the whole engine.
//!
//! `cargo bench` runs them all, `cargo bench -- ingest` one. Sizes are small by default; `TARS_BENCH_ROWS` sets the
//! number of log lines. All data is simulated with the default seed.
#![allow(unreachable_pub)] // Nothing outside reaches into a benchmark.

mod pipeline;
mod scan;

use criterion::{criterion_group, criterion_main};

/// A size from the environment.
fn size(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

criterion_group!(benches, pipeline::ingest, pipeline::nightly, scan::scan);
criterion_main!(benches);
