//! `tars runs`: what the nightly job did.

use datafusion::prelude::SessionContext;

use super::Global;
use super::rows::write_frame;
use crate::engine;
use crate::error::Error;
use crate::nightly::TABLE;
use crate::shell::Format;

/// Show the run log of `tars nightly`: each step of the last runs, its time and rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars runs
  tars runs --last 1 --format json
  tars sql -c \"select step, max(seconds) from runs group by step\"")]
pub(super) struct Runs {
    /// Runs to show, the newest first
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Runs {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        let Some(snapshot) = lake.snapshot(TABLE).await? else {
            global.note("no run is logged in this lake yet: tars nightly");
            return Ok(());
        };
        let context = SessionContext::new();
        lake.register(&context)?;
        context.register_table(TABLE, snapshot.provider()).map_err(engine::Error::from)?;
        let details = match self.format {
            Format::Table | Format::Markdown => "",
            _ => ", window_from, window_to, inputs, outputs, tool_version",
        };
        let sql = format!(
            "select run_started_at, profile, step, status, round(seconds, 3) as seconds, rows, detail{details} \
             from {TABLE} where run_started_at in \
             (select distinct run_started_at from {TABLE} order by run_started_at desc limit {}) \
             order by run_started_at desc, started_at, step",
            self.last
        );
        let frame = context.sql(&sql).await.map_err(engine::Error::from)?;
        write_frame(self.format, None, frame).await
    }
}
