//! `tars demo`: from nothing to a report.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::Global;
use super::ingest::ingest_into;
use super::nightly::{Order, nightly};
use super::output::write_whole;
use super::simulate::simulate_into;
use super::workspace::Window;
use crate::error::Error;
use crate::lake::Lake;
use crate::report::{Form, Period};
use crate::simulate;

/// Simulate a day of telemetry, ingest it, and report on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars demo
  tars demo --dir /tmp/try --rows 1000000 --seed 7")]
pub(super) struct Demo {
    /// Folder for telemetry, lake and reports
    #[arg(long, default_value = "tars-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Log lines to simulate
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    rows: u64,
    /// Which of the possible worlds
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
}

/// The day that is simulated.
const DEMO_DATE: &str = "2025-01-15";

impl Demo {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars demo")?;
        let telemetry = self.dir.join("telemetry");
        let options = simulate::Options {
            rows: self.rows,
            seed: self.seed,
            threads: NonZeroUsize::new(global.threads()),
            ..simulate::Options::new(&telemetry)
        };
        global.note(format_args!("1/3 simulate a day of telemetry from six regions"));
        simulate_into(global, &options)?;

        global.note("2/3 ingest it");
        let lake_path = self.dir.join("lake");
        let global = Global { lake: lake_path.display().to_string(), ..global.clone() };
        let lake = Lake::create(&global.lake).await?;
        let inputs = vec![telemetry.join("*.ndjson").display().to_string()];
        ingest_into(&global, &lake, &inputs, Default::default(), None).await?;

        global.note("3/3 bring the models up to date and write the report");
        let window = Window { date: Some(DEMO_DATE.to_owned()), ..Window::default() };
        let out = self.dir.join("reports");
        let order = Order { period: Period::Daily, forms: &Form::ALL, out: &out };
        let written = nightly(&global, &lake, &window, order).await?;
        write_whole(
            &self.dir.join(".gitignore"),
            b"# Written by `tars demo`; everything here can be made again.\n*\n",
        )?;
        written.print();
        global.note(format_args!(
            "try: tars sql --lake {} -c 'select * from slo_violations limit 10'",
            lake_path.display()
        ));
        Ok(())
    }
}
