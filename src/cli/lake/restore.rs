//! `tars lake restore`: an older version as the newest.

use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{ints, print, texts};
use crate::error::Error;
use crate::lake::{AsOf, Restored};
use crate::shell::Format;

/// Make an older version of a table, or of the whole lake, the newest one.
///
/// Nothing is deleted: the versions in between stay readable until a vacuum, and restoring one of them undoes this.
/// What the tables remember of their sources goes back as well, so that rows which this takes away land again when
/// their source is ingested again. Without --table every table goes back to how it stood at a time, or in a pin.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake restore --table logs --to 12
  tars lake restore --to 2025-01-15T13:00:00Z --dry-run
  tars lake restore --to ga-2025-01-15           the versions of a pin")]
pub(super) struct Restore {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// A version of the table, a time, or the name of a pin
    #[arg(long, value_name = "VERSION|TIME|PIN", required = true)]
    to: String,
    /// Only tell what would change
    #[arg(long)]
    dry_run: bool,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Restore {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake restore")?;
        let mut point: AsOf = self.to.parse()?;
        let lake = global.open_lake().await?;
        let tables = selected(&lake, &self.table).await?;
        if let (AsOf::Version(version), [table]) = (&point, tables.as_slice()) {
            point = AsOf::Table((*table).to_owned(), *version);
        }
        let past = lake.as_of(&[point]).await?;
        let mut done: Vec<(&str, u64, Restored)> = Vec::new();
        for table in tables {
            // A table that was not there yet was empty, as its first version is.
            let to = past.snapshot(table).await?.map_or(0, |s| s.version());
            done.push((table, to, lake.restore(table, to, self.dry_run).await?));
        }
        let count = |of: fn(&Restored) -> i64| ints(done.iter().map(|(_, _, r)| of(r)));
        let columns = vec![
            ("table", texts(done.iter().map(|(table, _, _)| *table))),
            ("restored", ints(done.iter().map(|(_, to, _)| int(*to)))),
            ("version", count(|r| int(r.version))),
            ("files_added", count(|r| int(r.files_added))),
            ("files_removed", count(|r| int(r.files_removed))),
            ("rows_added", count(|r| int(r.rows_added))),
            ("rows_removed", count(|r| int(r.rows_removed))),
            ("records_reset", count(|r| int(r.sources))),
        ];
        print(self.format, columns).await
    }
}
