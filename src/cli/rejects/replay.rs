//! `tars rejects replay`: the originals again, with the mappings of today.

use super::Filter;
use crate::cli::Global;
use crate::cli::ingest::{limits, mappings as mappings_of};
use crate::cli::output::{thousands, unless_stopped};
use crate::error::Error;
use crate::ingest::{self, FieldMapping, Format, Options, ReplaySummary};

/// Read the original bytes of open rejects again, and land what lands now.
///
/// What lands is marked as replayed, and lands once however often this runs; what fails again stays open. Killed on
/// the way, the same command completes it. Records that were too large to be kept whole cannot be replayed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars rejects replay --dry-run
  tars rejects replay --reason missing_time --mapping when=timestamp:ms
  tars rejects replay --source checkout --read-as cloudwatch
  tars rejects replay --into metrics")]
pub(super) struct Replay {
    #[command(flatten)]
    filter: Filter,
    /// Read them as this format [default: the one that they were read as]
    #[arg(long, visible_alias = "format", value_name = "FORMAT")]
    read_as: Option<String>,
    /// Table that ndjson records are for [default: told from each record]
    #[arg(long, value_name = "TABLE")]
    into: Option<String>,
    /// Region of records that name none
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A field's column, and the unit of its values; beside the mappings of tars.toml; may be given several times
    #[arg(long, value_name = "FIELD=COLUMN[:UNIT]")]
    mapping: Vec<String>,
    /// Only tell what would land
    #[arg(long)]
    dry_run: bool,
}

impl Replay {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars rejects replay")?;
        let filter = self.filter.check()?;
        let settings = global.settings()?;
        let mut mappings = Vec::new();
        for text in &self.mapping {
            mappings.push(mapping(text, self.into.as_deref())?);
        }
        mappings.extend(mappings_of(&settings));
        let options = Options {
            table: self.into,
            format: self.read_as.map(|name| name.parse::<Format>()).transpose()?,
            region: self.region,
            mappings,
            limits: limits(&settings),
            memory_limit: usize::try_from(global.memory_limit()).unwrap_or(usize::MAX),
            threads: global.threads(),
            ..Options::default()
        };
        let lake = global.open_lake().await?;
        let replay = async { Ok(ingest::replay(&lake, &filter, &options, self.dry_run).await?) };
        print(&unless_stopped(replay).await?, self.dry_run);
        Ok(())
    }
}

fn mapping(text: &str, table: Option<&str>) -> Result<FieldMapping, Error> {
    let wrong = || Error::Usage {
        message: format!("--mapping: expected FIELD=COLUMN or FIELD=COLUMN:UNIT, got `{text}`"),
        hint: Some("such as --mapping when=timestamp:ms".into()),
    };
    let (from, to) = text.rsplit_once('=').ok_or_else(wrong)?;
    let (to, unit) = match to.split_once(':') {
        Some((to, unit)) => (to, Some(unit.to_owned())),
        None => (to, None),
    };
    if from.is_empty() || to.is_empty() {
        return Err(wrong());
    }
    Ok(FieldMapping { table: table.map(str::to_owned), from: from.to_owned(), to: to.to_owned(), unit })
}

fn print(summary: &ReplaySummary, dry_run: bool) {
    #![allow(clippy::print_stdout)] // The result of the command.
    if let Some(number) = summary.finished {
        println!("replay {number} had not been finished; it is now");
    }
    let counts = [
        ("read", summary.read),
        (if dry_run { "would be replayed" } else { "replayed" }, summary.replayed),
        ("still rejected", summary.still_rejected),
        ("not replayable (cut)", summary.not_replayable),
    ];
    for (what, count) in counts {
        println!("{what:<21} {:>12}", thousands(count));
    }
    for (table, rows) in &summary.rows {
        println!("{table}: {} rows{}", thousands(*rows), if dry_run { " would land" } else { "" });
    }
    for (code, count) in &summary.reasons {
        println!("still rejected as {code}: {}", thousands(*count));
    }
    if summary.new_rejects > 0 {
        println!("{} parts of replayed records are rejects of their own now", thousands(summary.new_rejects));
    }
}
