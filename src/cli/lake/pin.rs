//! `tars lake pin`, `unpin` and `pins`: versions that stay readable.

use std::collections::BTreeMap;

use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{ints, print, texts};
use crate::error::Error;
use crate::lake::{AsOf, Pin};
use crate::shell::Format;

/// Keep versions readable under a name, whatever retention and vacuum do later.
///
/// Without --version the newest version of every table is pinned, or what --as-of says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake pin ga-2025-01-15
  tars lake pin before-migration --version logs=12 --version spans=7
  tars lake pin noon --as-of 2025-01-15T12:00:00Z
  tars sql --as-of ga-2025-01-15 -c 'select count(*) from logs'")]
pub(super) struct PinVerb {
    /// Name: letters, digits, `.`, `_` and `-`
    #[arg(value_name = "NAME")]
    name: String,
    /// Pin this version of this table, and only the tables named so
    #[arg(long, value_name = "TABLE=VERSION")]
    version: Vec<String>,
}

impl PinVerb {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let mut versions = BTreeMap::new();
        for text in &self.version {
            match text.parse::<AsOf>()? {
                AsOf::Table(table, version) => drop(versions.insert(table, version)),
                _ => {
                    return Err(Error::Usage {
                        message: format!("--version: expected TABLE=VERSION, got `{text}`"),
                        hint: Some("such as --version logs=12; `tars lake history` lists versions".into()),
                    });
                }
            }
        }
        let lake = global.open_lake().await?;
        if versions.is_empty() {
            for table in selected(&lake, &[]).await? {
                if let Some(snapshot) = lake.snapshot(table).await? {
                    versions.insert(table.to_owned(), snapshot.version());
                }
            }
        }
        let pin = Pin::new(&self.name, versions)?;
        lake.present().pin(&pin).await?;
        show(Format::Table, &[pin]).await
    }
}

/// Give a pin up; the files that only it kept go with the next vacuum.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake unpin before-migration")]
pub(super) struct Unpin {
    /// Name of the pin
    #[arg(value_name = "NAME")]
    name: String,
}

impl Unpin {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake unpin")?;
        global.open_lake().await?.unpin(&self.name).await?;
        global.note(format_args!("`{}` is not pinned any more", self.name));
        Ok(())
    }
}

/// List the pins.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake pins
  tars lake pins --format json")]
pub(super) struct Pins {
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Pins {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        show(self.format, &global.open_lake().await?.pins().await?).await
    }
}

async fn show(format: Format, pins: &[Pin]) -> Result<(), Error> {
    let rows = || pins.iter().flat_map(|pin| pin.versions.iter().map(move |(t, v)| (&pin.name, t, *v)));
    let columns = vec![
        ("pin", texts(rows().map(|(name, _, _)| name.as_str()))),
        ("table", texts(rows().map(|(_, table, _)| table.as_str()))),
        ("version", ints(rows().map(|(_, _, version)| int(version)))),
    ];
    print(format, columns).await
}
