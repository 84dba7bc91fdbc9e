//! Benchmarks, in one binary because each links the whole engine.
//!
//! `cargo bench` runs them all, `cargo bench -- ingest` one. Sizes are small by default; `TARS_BENCH_ROWS` sets the
//! number of log lines. `benches/gbm_peers.py` compares the regression model with LightGBM.
//! All data is simulated with the default seed.
#![allow(unreachable_pub)] // Nothing outside reaches into a benchmark.

mod gbm;
mod pipeline;
mod scan;

use criterion::{Criterion, criterion_group};

/// A size from the environment.
fn size(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

criterion_group!(benches, pipeline::ingest, pipeline::nightly, scan::scan);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        // A step of benches/gbm_peers.py.
        Some((mode, rest)) if mode == "gbm" => gbm::peer(rest),
        _ => {
            benches();
            Criterion::default().configure_from_args().final_summary();
        }
    }
}
