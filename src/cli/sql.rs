//! `tars sql`: queries over the lake, its models, and any file.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use super::workspace::{Window, open_run};
use super::{Global, output::write_whole};
use crate::engine::Value;
use crate::error::Error;
use crate::lake;
use crate::pipeline::Run;
use crate::shell::{Format, Shell};

/// Query the lake, its models, or any Parquet, CSV or JSON file in place.
///
/// Every table and model can be named, and a file by its path in quotes. Models look at a window:
/// --date or --from and --to, else the newest day that holds requests. Without -c, -f or piped input
/// this is an interactive shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars sql                                             interactive; \\? lists its commands
  tars sql -c 'select region, p95_ms from region_kpis' --date 2025-01-15
  tars sql -c \"select attributes['tenant'] as tenant, count(*) from logs group by 1\"
  tars sql -c \"select status, count(*) from 'access.csv' group by 1\" --format markdown
  tars sql -f queries/runbook/latency_spike.sql --set service=checkout --format csv > out.csv
  tars sql -c 'select * from request_minutes' --format parquet --output minutes.parquet")]
pub(super) struct Sql {
    /// Run these statements and leave
    #[arg(short = 'c', long = "command", value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,
    /// Run the statements of a file and leave
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// table, csv, json, ndjson, markdown or parquet
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Set a parameter: $NAME in the SQL stands for VALUE
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    window: Window,
}

impl Sql {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let mut run = self.open(global).await?;
        for assignment in &self.set {
            let (name, value) = assignment.split_once('=').ok_or_else(|| Error::Usage {
                message: format!("--set: expected NAME=VALUE, got `{assignment}`"),
                hint: None,
            })?;
            run.set(name.trim_start_matches('$'), Value::parse(value))?;
        }
        let text = match (&self.command, &self.file) {
            (Some(sql), _) => Some(sql.clone()),
            (None, Some(path)) => Some(read(path)?),
            (None, None) if std::io::stdin().is_terminal() => None,
            (None, None) => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|source| Error::Read { path: "standard input".into(), source })?;
                Some(text)
            }
        };
        let Some(text) = text else {
            global.note("tars shell: \\? for help, \\q to leave");
            return Ok(Shell::new(run, self.format, history_file()).interact().await?);
        };
        let mut shell = Shell::new(run, self.format, None);
        match &self.output {
            Some(path) => {
                let mut content = Vec::new();
                shell.script(&text, &mut content).await?;
                write_whole(path, &content)
            }
            None if self.format == Format::Parquet && std::io::stdout().is_terminal() => Err(Error::Usage {
                message: "Parquet is no text for a terminal".into(),
                hint: Some("add --output FILE, or redirect stdout".into()),
            }),
            None => {
                let mut out = std::io::BufWriter::new(std::io::stdout());
                let done = shell.script(&text, &mut out).await;
                // A closed pipe (`| head`) is not worth a word; the query's own failure is.
                let _ = out.flush();
                Ok(done?)
            }
        }
    }

    /// A run over the lake; without a lake at the default place, a session over files alone.
    async fn open(&self, global: &Global) -> Result<Run, Error> {
        let settings = global.settings()?;
        let lake = match global.open_lake().await {
            Ok(lake) => lake,
            // Nobody asked for a lake, and there is none: files can be queried all the same.
            Err(Error::Lake(lake::Error::Missing { .. } | lake::Error::NoTables { .. }))
                if global.lake == super::DEFAULT_LAKE && global.as_of.is_empty() =>
            {
                return Ok(Run::without_lake(global.engine(&settings)?));
            }
            Err(error) => return Err(error),
        };
        let (params, _) = self.window.params(&lake).await?;
        super::workspace::refresh(global, &lake, &settings).await?;
        open_run(global, &lake, &settings, params).await
    }
}

fn read(path: &std::path::Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Where the shell remembers what was typed: the state directory of the XDG base directory specification.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("tars/history"))
}
