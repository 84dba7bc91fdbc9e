//! `tars lake retain`: hours that are too old leave their tables.

use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{ints, optional_ints, print, texts, times};
use crate::cli::workspace::{now, refresh};
use crate::contract;
use crate::domain::MICROS_PER_DAY;
use crate::error::Error;
use crate::lake::Retained;
use crate::shell::Format;

/// Drop whole hours that are older than their table keeps them: 90 days for raw tables, 365 for derived ones.
///
/// The settings ([[retention]] in tars.toml) say how long. Derived tables are brought up to date first, so that they
/// keep what the dropped rows come to. Files stay until `tars lake vacuum`, and until then `tars lake restore` brings
/// them back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake retain --dry-run
  tars lake retain
  tars lake retain --table logs --days 30
  tars lake retain --now 2025-06-01T00:00:00Z     as if it were that day")]
pub(super) struct Retain {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// Keep this many days, whatever the settings say
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3_000_000))]
    days: Option<i64>,
    /// The time to count back from [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// Only tell what would be dropped
    #[arg(long)]
    dry_run: bool,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Retain {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake retain")?;
        let now = now(self.now.as_deref())?;
        let settings = global.settings()?;
        for entry in settings.retention.iter().filter(|r| r.table != "raw" && r.table != "derived") {
            contract::table(&entry.table)?;
        }
        let lake = global.open_lake().await?;
        let mut tables = selected(&lake, &self.table).await?;
        if !self.dry_run {
            refresh(global, &lake, &settings).await?;
            // Which may have made one.
            tables = selected(&lake, &self.table).await?;
        }
        let mut done: Vec<(&str, Option<i64>, Retained)> = Vec::new();
        for table in tables {
            let derived = contract::table(table)?.derived;
            let days = self.days.or_else(|| settings.retention_days(table, derived));
            let retained = match days {
                Some(days) => lake.retain(table, before(now, days), self.dry_run).await?,
                None => Retained { version: version(&lake, table).await?, ..Retained::default() },
            };
            done.push((table, days, retained));
        }
        let count = |of: fn(&Retained) -> i64| ints(done.iter().map(|(_, _, r)| of(r)));
        let columns = vec![
            ("table", texts(done.iter().map(|(table, _, _)| *table))),
            ("days", optional_ints(done.iter().map(|(_, days, _)| *days))),
            ("version", count(|r| int(r.version))),
            ("partitions", count(|r| int(r.partitions))),
            ("files", count(|r| int(r.files))),
            ("rows", count(|r| int(r.rows))),
            ("bytes", count(|r| int(r.bytes))),
            ("from", times(done.iter().map(|(_, _, r)| r.first.map(|h| h.start())))),
            ("to", times(done.iter().map(|(_, _, r)| r.last.map(|h| h.end())))),
        ];
        print(self.format, columns).await
    }
}

/// The instant that many days before another.
pub(super) fn before(now: i64, days: i64) -> i64 {
    now.saturating_sub(days.saturating_mul(MICROS_PER_DAY))
}

async fn version(lake: &crate::lake::Lake, table: &str) -> Result<u64, Error> {
    Ok(lake.snapshot(table).await?.map_or(0, |s| s.version()))
}
