//! `tars lake history`: the commits of the tables.

use std::collections::BTreeMap;

use super::{int, selected};
use crate::cli::Global;
use crate::cli::rows::{ints, optional_ints, optional_texts, print, texts, times};
use crate::error::Error;
use crate::lake::Commit;
use crate::shell::Format;

/// What was committed to the tables, newest first: when, how, rows and files, and for which sources.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars lake history
  tars lake history --table logs --limit 100
  tars lake history --table logs --format json")]
pub(super) struct History {
    /// Only this table; may be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// Commits of each table, at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl History {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars lake history")?;
        let lake = global.open_lake().await?;
        let mut commits = Vec::new();
        for table in selected(&lake, &self.table).await? {
            let found = lake.history(table, self.limit).await?.unwrap_or_default();
            commits.extend(found.into_iter().map(|commit| (table, commit)));
        }
        let count = |of: fn(&Commit) -> i64| ints(commits.iter().map(|(_, c)| of(c)));
        let columns = vec![
            ("table", texts(commits.iter().map(|(table, _)| *table))),
            ("version", count(|c| int(c.version))),
            ("time", times(commits.iter().map(|(_, c)| c.time))),
            ("operation", texts(commits.iter().map(|(_, c)| c.operation.as_str()))),
            ("files_added", count(|c| int(c.files_added))),
            ("files_removed", count(|c| int(c.files_removed))),
            ("rows_added", count(|c| int(c.rows_added))),
            ("rows_removed", optional_ints(commits.iter().map(|(_, c)| c.rows_removed.map(int)))),
            ("bytes_added", count(|c| int(c.bytes_added))),
            ("recorded", texts(commits.iter().map(|(_, c)| recorded(&c.recorded)))),
            ("engine", optional_texts(commits.iter().map(|(_, c)| c.engine.clone()))),
        ];
        print(self.format, columns).await
    }
}

/// Digits of an identity that are shown; enough to tell a few sources apart.
const SHOWN_DIGITS: usize = 12;
/// Sources that are named before they are only counted.
const SHOWN_SOURCES: usize = 3;

/// The application ids of a commit in short: `ingest 0a1b2c3d4e5f`, `model log_minutes`, `replay`.
fn recorded(ids: &[String]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in ids {
        let mut parts = id.strip_prefix("tars-").unwrap_or(id).split(':');
        let kind = parts.next().unwrap_or_default();
        let which = parts.next().unwrap_or_default();
        let named = kinds.entry(kind).or_default();
        if !which.is_empty() && !named.contains(&which) {
            named.push(which);
        }
    }
    let shown = kinds.into_iter().map(|(kind, which)| match which.len() {
        0 => kind.to_owned(),
        n if n > SHOWN_SOURCES => format!("{kind} of {n} sources"),
        _ => {
            let short = which.iter().map(|w| w.chars().take(SHOWN_DIGITS).collect::<String>());
            format!("{kind} {}", short.collect::<Vec<_>>().join(" "))
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_records_is_told_in_short() {
        let ids = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let one = ids(&["tars-ingest:0123456789abcdef:offset", "tars-ingest:0123456789abcdef:digest"]);
        assert_eq!(recorded(&one), "ingest 0123456789ab");
        assert_eq!(recorded(&ids(&["tars-model:log_minutes", "tars-replay"])), "model log_minutes, replay");
        let many: Vec<_> = (0..9).map(|i| format!("tars-ingest:{i}:offset")).collect();
        assert_eq!(recorded(&many), "ingest of 9 sources");
        assert_eq!(recorded(&ids(&["other"])), "other");
    }
}
