//! `tars lake status`: tables, files, rows, hours and gaps.

use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{Columns, ints, optional_ints, print, texts, times};
use crate::domain::{ByteSize, Hour};
use crate::error::Error;
use crate::lake::RegionStatus;
use crate::shell::Format;

/// Tables, versions, files, rows, bytes, and which hours hold rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake status
  tars lake status --regions --table logs      each region, with its missing hours
  tars lake status --as-of 2025-01-15T13:00:00Z --format json
  tars lake status --orphans                   also what lies beside the newest version")]
pub(super) struct Status {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// A row for each region, with the hours that it misses between its first and its last
    #[arg(long)]
    regions: bool,
    /// Also count files that the version does not list (older versions' and abandoned ones); lists the storage
    #[arg(long)]
    orphans: bool,
    /// Files below this size count as small [default: half of what compaction aims at]
    #[arg(long, value_name = "SIZE")]
    small: Option<ByteSize>,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

struct Row {
    table: &'static str,
    version: u64,
    regions: usize,
    status: RegionStatus,
    unlisted: Option<(usize, u64)>,
}

impl Status {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let small = self.small.map_or(settings.upkeep.target_file_bytes / 2, |ByteSize(bytes)| bytes);
        let mut rows = Vec::new();
        for table in selected(&lake, &self.table).await? {
            let Some(snapshot) = lake.snapshot(table).await? else { continue };
            let (version, regions) = (snapshot.version(), snapshot.regions(small));
            let unlisted = match self.orphans {
                true => Some(lake.present().unlisted(table).await?),
                false => None,
            };
            let row = |status, regions| Row { table, version, regions, status, unlisted };
            if self.regions {
                rows.extend(regions.into_iter().map(|r| row(r, 1)));
            } else {
                rows.push(row(total(&regions), regions.len()));
            }
        }
        print(self.format, self.columns(&rows)).await
    }

    fn columns(&self, rows: &[Row]) -> Columns {
        let count = |of: fn(&Row) -> i64| ints(rows.iter().map(of));
        let any = |of: fn(&Row) -> i64| times(rows.iter().map(move |r| (r.status.files > 0).then(|| of(r))));
        let mut columns =
            vec![("table", texts(rows.iter().map(|r| r.table))), ("version", count(|r| int(r.version)))];
        if self.regions {
            columns.push(("region", texts(rows.iter().map(|r| r.status.region.as_str()))));
        } else {
            columns.push(("regions", count(|r| int(r.regions))));
        }
        columns.extend([
            ("files", count(|r| int(r.status.files))),
            ("small_files", count(|r| int(r.status.small_files))),
            ("rows", count(|r| int(r.status.rows))),
            ("bytes", count(|r| int(r.status.bytes))),
            ("hours", count(|r| int(r.status.hours))),
            ("missing_hours", count(|r| int(r.status.missing_hours()))),
        ]);
        if self.regions {
            columns.push(("gaps", texts(rows.iter().map(|r| gaps(&r.status.gaps)))));
        }
        columns.extend([("first_time", any(|r| r.status.first)), ("last_time", any(|r| r.status.last))]);
        if self.orphans {
            let unlisted =
                |of: fn((usize, u64)) -> i64| optional_ints(rows.iter().map(move |r| r.unlisted.map(of)));
            columns.push(("unlisted_files", unlisted(|(files, _)| int(files))));
            columns.push(("unlisted_bytes", unlisted(|(_, bytes)| int(bytes))));
        }
        columns
    }
}

/// All regions of a table as one; an hour that any region misses counts for each of them.
fn total(regions: &[RegionStatus]) -> RegionStatus {
    let sum = |of: fn(&RegionStatus) -> usize| regions.iter().map(of).sum();
    RegionStatus {
        region: String::new(),
        files: sum(|r| r.files),
        small_files: sum(|r| r.small_files),
        rows: regions.iter().map(|r| r.rows).sum(),
        bytes: regions.iter().map(|r| r.bytes).sum(),
        first: regions.iter().map(|r| r.first).min().unwrap_or_default(),
        last: regions.iter().map(|r| r.last).max().unwrap_or_default(),
        hours: sum(|r| r.hours),
        gaps: regions.iter().flat_map(|r| r.gaps.iter().copied()).collect(),
    }
}

fn gaps(gaps: &[(Hour, Hour)]) -> String {
    let shown = gaps.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}
