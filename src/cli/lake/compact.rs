//! `tars lake compact`: many small files into few.

use super::{int, selected};
use crate::cli::Global;
use crate::cli::output::{Unit, progress_bar};
use crate::cli::rows::{ints, print, texts};
use crate::cli::workspace::instant;
use crate::domain::{ByteSize, MAX_MICROS, MIN_MICROS, TimeRange};
use crate::error::Error;
use crate::lake::{Compacted, Compaction};
use crate::shell::Format;

/// Merge the small files of each region and hour into sorted ones of the target size.
///
/// Readers and writers go on meanwhile, and the rows stay what they are. Running it again does nothing until new
/// small files have come. The old files stay until `tars lake vacuum`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake compact
  tars lake compact --table logs --region us-east-1 --from 2025-01-15 --to 2025-01-16
  tars lake compact --target-size 256MiB --dry-run")]
pub(super) struct Compact {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// Only this region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Only hours that end after this
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only hours that start before this
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Size that files should have; below half of it a file is small [default: the setting, 64MiB]
    #[arg(long, value_name = "SIZE")]
    target_size: Option<ByteSize>,
    /// Only tell what would be merged
    #[arg(long)]
    dry_run: bool,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Compact {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake compact")?;
        let range = range(self.from.as_deref(), self.to.as_deref())?;
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let compaction = Compaction {
            target: self.target_size.map_or(settings.upkeep.target_file_bytes, |ByteSize(b)| b).max(2),
            region: self.region,
            range,
            dry_run: self.dry_run,
        };
        let mut done: Vec<(&str, Compacted)> = Vec::new();
        for table in selected(&lake, &self.table).await? {
            let bar = progress_bar(Some(0), Unit::Rows, global.quiet || self.dry_run);
            bar.set_message(table);
            let step = |done: usize, of: usize| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            };
            let compacted = lake.compact(table, &compaction, &step).await;
            bar.finish_and_clear();
            done.push((table, compacted?));
        }
        let count = |of: fn(&Compacted) -> i64| ints(done.iter().map(|(_, c)| of(c)));
        let mut columns = vec![
            ("table", texts(done.iter().map(|(table, _)| *table))),
            ("version", count(|c| int(c.version))),
            ("partitions", count(|c| int(c.partitions))),
            ("files_before", count(|c| int(c.files_before))),
            ("files_after", count(|c| int(c.files_after))),
            ("rows", count(|c| int(c.rows))),
            ("bytes_before", count(|c| int(c.bytes_before))),
        ];
        if !self.dry_run {
            columns.push(("bytes_after", count(|c| int(c.bytes_after))));
            columns.push(("given_up", count(|c| int(c.given_up))));
        }
        print(self.format, columns).await
    }
}

/// A range of which either end may be open.
pub(in crate::cli) fn range(from: Option<&str>, to: Option<&str>) -> Result<Option<TimeRange>, Error> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let from = from.map_or(Ok(MIN_MICROS), |text| instant("from", text))?;
    let to = to.map_or(Ok(MAX_MICROS), |text| instant("to", text))?;
    Ok(Some(TimeRange::new(from, to)?))
}
