//! Telemetry from elsewhere, when a folder with it is named; skipped, and saying so, otherwise.

use super::super::options::Options;
use super::super::stats::Silent;
use crate::lake::Lake;

/// `TARS_REAL_INPUT="path…" TARS_REAL_LAKE=dir cargo test --release --lib real_input -- --nocapture`
#[tokio::test(flavor = "multi_thread")]
async fn real_input_is_accounted_for() {
    let (Ok(inputs), Ok(lake)) = (std::env::var("TARS_REAL_INPUT"), std::env::var("TARS_REAL_LAKE")) else {
        eprintln!("skipped: TARS_REAL_INPUT and TARS_REAL_LAKE are not set");
        return;
    };
    let lake = Lake::create(&lake).await.unwrap();
    for round in ["first", "again"] {
        for input in inputs.split_whitespace() {
            let begun = std::time::Instant::now();
            let options = Options {
                memory_limit: std::env::var("TARS_MEMORY")
                    .ok()
                    .and_then(|m| m.parse().ok())
                    .unwrap_or(1 << 30),
                ..Options::default()
            };
            let summary = super::super::ingest(&lake, &[input.to_owned()], &options, &Silent).await;
            let took = begun.elapsed();
            match summary {
                Ok(mut s) => {
                    super::check_sums(&s);
                    if s.sources.len() > 12 {
                        s.sources.retain(|s| s.rejected > 0 || s.damage.is_some());
                    }
                    eprintln!(
                        "{round} {input}: {took:?}, {:.0} rows/s\n{s:#?}",
                        s.read as f64 / took.as_secs_f64()
                    );
                }
                Err(e) => eprintln!("{round} {input}: {e} / {:?}", e.hint()),
            }
        }
    }
}
