//! `tars lake vacuum`: files that nobody needs any more.

use super::retain::before;
use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{ints, print, texts};
use crate::cli::workspace::{now, refresh};
use crate::domain::MICROS_PER_HOUR;
use crate::error::Error;
use crate::lake::{Vacuum, Vacuumed};
use crate::shell::Format;

/// Delete the files that no version of the last days needs, and no pin.
///
/// Files younger than a day stay in any case, because an ingest under way may be about to commit them. Derived tables
/// are brought up to date first, so that nothing goes that they have not read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake vacuum --dry-run
  tars lake vacuum
  tars lake vacuum --days 30 --table logs")]
pub(super) struct VacuumVerb {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// Versions of this many days stay readable [default: the setting, 7]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..=3_000_000))]
    days: Option<i64>,
    /// Files younger than this stay
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(i64).range(0..=100_000))]
    min_age_hours: i64,
    /// The time to count back from [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// Only tell what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl VacuumVerb {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake vacuum")?;
        let now = now(self.now.as_deref())?;
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let tables = selected(&lake, &self.table).await?;
        if !self.dry_run {
            refresh(global, &lake, &settings).await?;
        }
        let vacuum = Vacuum {
            keep_since: before(now, self.days.unwrap_or(settings.upkeep.vacuum_days)),
            written_before: now.saturating_sub(self.min_age_hours * MICROS_PER_HOUR),
            dry_run: self.dry_run,
        };
        let mut done: Vec<(&str, Vacuumed)> = Vec::new();
        for table in tables {
            done.push((table, lake.vacuum(table, vacuum).await?));
        }
        let count = |of: fn(&Vacuumed) -> i64| ints(done.iter().map(|(_, v)| of(v)));
        let columns = vec![
            ("table", texts(done.iter().map(|(table, _)| *table))),
            ("oldest_version", count(|v| int(v.oldest))),
            ("files", count(|v| int(v.files.len()))),
            ("bytes", count(|v| int(v.bytes))),
            ("too_young", count(|v| int(v.young))),
            ("pins", texts(done.iter().map(|(_, v)| v.pins.join(" ")))),
        ];
        print(self.format, columns).await
    }
}
