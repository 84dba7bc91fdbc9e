//! Recorded series that are kept: the table `recorded_series`.

use crate::domain::format_timestamp;
use crate::lake::{self, Lake, Transaction};
use crate::pipeline::{self, Run, append};
use crate::settings::Settings;

/// The table.
const TABLE: &str = "recorded_series";

/// What recording a window did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// So many rows were kept.
    Kept(u64),
    /// This window was recorded with these settings, and the lake has gained nothing since.
    Known,
}

/// Computes every recording rule over the run's window and keeps the rows.
///
/// The same settings record the same lake once. When the lake has gained rows since, the window is recorded
/// again; `lake_version` tells the newer rows.
pub async fn record(run: &Run, lake: &Lake, settings: &Settings) -> Result<Recorded, pipeline::Error> {
    let others = run.versions().iter().filter(|v| v.table != TABLE);
    // Versions only grow, and a table that is new adds its own.
    let version: u64 = others.map(|v| v.version + 1).sum();
    let digest = settings.digest();
    let sql = format!(
        "select slot, region, service, label, series_group, rule, value, unit, \
         cast($interval_seconds as bigint) as interval_seconds, '{digest}' as settings, \
         cast({version} as bigint) as lake_version \
         from recording_rules order by region, slot, rule, service, label"
    );
    let batches = run.rows(&sql).await?;
    let window = run.params().window()?;
    let (from, to) = (format_timestamp(window.from()), format_timestamp(window.to()));
    let interval = run.params().bind("$interval_seconds")?;
    let app_id = format!("tars-record:{digest}:{interval}:{from}:{to}");
    let done = Transaction { app_id, version: i64::try_from(version).unwrap_or(i64::MAX) };
    match append(lake, TABLE, batches, done).await {
        Ok(rows) => Ok(Recorded::Kept(rows)),
        Err(pipeline::Error::Lake(lake::Error::AlreadyCommitted { .. })) => Ok(Recorded::Known),
        Err(error) => Err(error),
    }
}
