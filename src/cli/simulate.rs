//! `tars simulate`: telemetry to try things on.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::output::{Unit, progress_bar, thousands};
use super::{Global, output};
use crate::domain::parse_timestamp;
use crate::error::Error;
use crate::simulate;

/// Write deterministic multi-region telemetry with labelled faults, one NDJSON file per table.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars simulate --out telemetry                              a day, 1,000,000 log lines
  tars simulate --out small --hours 2 --rows 10000
  tars simulate --out other --hours 48 --seed 7
Where few log lines are spread over a day, some faults touch only a few requests.
The same options give the same bytes.")]
pub(super) struct Simulate {
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Span of time to cover
    #[arg(long, default_value_t = 24.0, value_name = "H")]
    hours: f64,
    /// Log lines to write; the other tables follow from them and from the span [default: 1000000 for each 24 hours]
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Which of the possible worlds
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// First instant
    #[arg(long, default_value = "2025-01-15T00:00:00Z", value_name = "TIME")]
    start: String,
    /// No faults and no drift
    #[arg(long)]
    quiet_world: bool,
}

impl Simulate {
    pub(super) fn run(self, global: &Global) -> Result<(), Error> {
        let start = parse_timestamp(&self.start).ok_or_else(|| Error::Usage {
            message: format!("--start: expected a time such as 2025-01-15T00:00:00Z, got `{}`", self.start),
            hint: None,
        })?;
        let options = simulate::Options {
            start,
            hours: self.hours,
            rows: self.rows.unwrap_or((self.hours / 24.0 * simulate::DAILY_ROWS as f64).round() as u64),
            seed: self.seed,
            quiet: self.quiet_world,
            threads: NonZeroUsize::new(global.threads()),
            ..simulate::Options::new(&self.out)
        };
        simulate_into(global, &options)
    }
}

/// Runs a simulation with a progress bar and says what it wrote.
pub(super) fn simulate_into(global: &Global, options: &simulate::Options) -> Result<(), Error> {
    let bar = progress_bar(Some(options.rows), Unit::Rows, global.quiet);
    bar.set_message("simulating");
    let summary = simulate::run(options, &mut |done, _| bar.set_position(done))?;
    bar.finish_and_clear();
    if !global.quiet {
        for file in &summary.tables {
            output::note(format_args!(
                "{}: {} rows, {}",
                file.path.display(),
                thousands(file.rows),
                crate::domain::ByteSize(file.bytes)
            ));
        }
    }
    Ok(())
}
