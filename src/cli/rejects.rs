//! `tars rejects`: what could not be landed, and landing it after all.

mod list;
mod replay;

use clap::Subcommand;

use super::Global;
use crate::error::Error;

/// See what could not be landed, and why; land it after a correction.
///
/// Every record that ingest cannot land is kept as it was. Without a subcommand this counts the rejects by reason,
/// each with an example; `replay` reads the originals again with the mappings of today.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tars rejects                                  open and replayed, by reason, each with an example
  tars rejects --by source --reason missing_time
  tars rejects --table logs --from 2025-01-15 --to 2025-01-16 --format json
  tars rejects replay                           after a [[mapping]] was added to tars.toml
  tars rejects replay --mapping when=timestamp:ms --reason missing_time"
)]
pub(super) struct Rejects {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Replay(replay::Replay),
}

impl Rejects {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        match self.verb {
            Some(Verb::Replay(verb)) => verb.run(global).await,
            None => self.list.run(global).await,
        }
    }
}

/// Which rejects.
#[derive(Debug, Clone, Default, clap::Args)]
struct Filter {
    /// Only this reason, such as missing_time; may be given several times
    #[arg(long, value_name = "CODE")]
    reason: Vec<String>,
    /// Only sources whose name contains this
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Only records that were meant for this table
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only records rejected at this time or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only records rejected before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl Filter {
    fn check(&self) -> Result<crate::ingest::RejectFilter, Error> {
        if let Some(table) = &self.table {
            crate::contract::table(table)?;
        }
        Ok(crate::ingest::RejectFilter {
            codes: self.reason.clone(),
            source: self.source.clone(),
            target: self.table.clone(),
            range: super::lake::range(self.from.as_deref(), self.to.as_deref())?,
        })
    }
}
