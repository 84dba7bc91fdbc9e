//! `tars lake`: what the lake holds, and keeping it in order.

mod compact;
mod history;
mod pin;
mod restore;
mod retain;
mod status;
mod vacuum;

use clap::Subcommand;

use super::Global;
pub(super) use compact::range;

use crate::contract;
use crate::error::Error;
use crate::lake::{self, Lake};

/// See what the lake holds, and keep it in order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake status                       tables, files, rows, hours and gaps
  tars lake history --table logs         what was committed when
  tars lake compact                      merge small files
  tars lake retain && tars lake vacuum   drop what is too old, then delete its files
  tars lake pin ga-2025-01-15            keep these versions readable, whatever is vacuumed
  tars lake restore --table logs --to 12 go back to an older version

docs/lake.md explains each of them.")]
pub(super) struct LakeVerb {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Status(status::Status),
    History(history::History),
    Compact(compact::Compact),
    Retain(retain::Retain),
    Vacuum(vacuum::VacuumVerb),
    Restore(restore::Restore),
    Pin(pin::PinVerb),
    Unpin(pin::Unpin),
    Pins(pin::Pins),
}

impl LakeVerb {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        match self.verb {
            Verb::Status(verb) => verb.run(global).await,
            Verb::History(verb) => verb.run(global).await,
            Verb::Compact(verb) => verb.run(global).await,
            Verb::Retain(verb) => verb.run(global).await,
            Verb::Vacuum(verb) => verb.run(global).await,
            Verb::Restore(verb) => verb.run(global).await,
            Verb::Pin(verb) => verb.run(global).await,
            Verb::Unpin(verb) => verb.run(global).await,
            Verb::Pins(verb) => verb.run(global).await,
        }
    }
}

/// The tables that a verb is about: those named, else all that the lake holds.
async fn selected(lake: &Lake, names: &[String]) -> Result<Vec<&'static str>, Error> {
    // A name that no table can have is a slip in the command, whatever the lake holds.
    for name in names {
        contract::table(name)?;
    }
    let held = lake.tables().await?;
    if let Some(absent) = names.iter().find(|n| !held.contains(&n.as_str())) {
        return Err(lake::Error::NoTable { table: absent.clone() }.into());
    }
    Ok(held.into_iter().filter(|table| names.is_empty() || names.iter().any(|n| n == table)).collect())
}

/// A count as a column of 64-bit integers holds it.
fn int(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
