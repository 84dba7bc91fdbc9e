//! The header block of a model: the leading `-- key: value` lines.

use super::Error;

/// How a model is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Materialization {
    /// Computed when it is read.
    View,
    /// Computed when it is first read, and then kept, because several models read it.
    Once,
    /// The same, and computed ahead for a report, whose sections read it.
    Run,
    /// A table of the lake, brought up to date from the files that its source has gained.
    Incremental {
        /// The table it is built from.
        source: String,
        /// What follows from new rows.
        scope: Scope,
    },
}

/// How far new rows of a source reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each row counts for itself: what new files give is added.
    Rows,
    /// Rows meet each other: an hour is computed anew, with the hour before it.
    Hours,
}

/// What a model says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// One line for people.
    pub title: String,
    /// What one row is.
    pub grain: String,
    /// How it is kept.
    pub materialized: Materialization,
}

impl Header {
    /// Reads the leading comment lines of a model file. A line without `key:` continues the one before.
    pub(super) fn parse(model: &str, sql: &str) -> Result<Self, Error> {
        let err = |reason: String| Error::Model { model: model.to_owned(), reason };
        let mut entries: Vec<(String, String)> = Vec::new();
        for line in sql.lines().map_while(|l| l.strip_prefix("--")) {
            match line.split_once(':') {
                Some((key, value)) if is_key(key.trim()) => {
                    entries.push((key.trim().to_owned(), value.trim().to_owned()));
                }
                _ => {
                    if let Some((_, value)) = entries.last_mut() {
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                }
            }
        }
        let get = |key: &str| {
            entries
                .iter()
                .find(|(k, v)| k == key && !v.is_empty())
                .map(|(_, v)| v.clone())
                .ok_or_else(|| err(format!("its header lacks the line `-- {key}: …`")))
        };
        let materialized = match get("materialized")?.as_str() {
            "view" => Materialization::View,
            "once" => Materialization::Once,
            "run" => Materialization::Run,
            "incremental" => Materialization::Incremental {
                source: get("source")?,
                scope: match get("scope").as_deref() {
                    Err(_) | Ok("rows") => Scope::Rows,
                    Ok("hours") => Scope::Hours,
                    Ok(other) => {
                        return Err(err(format!("scope: expected rows or hours, got `{other}`")));
                    }
                },
            },
            other => {
                return Err(err(format!(
                    "materialized: expected view, once, run or incremental, got `{other}`"
                )));
            }
        };
        Ok(Header { title: get("title")?, grain: get("grain")?, materialized })
    }
}

fn is_key(text: &str) -> bool {
    ["title", "grain", "materialized", "source", "scope", "audit", "audits"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_where_the_sql_begins() {
        let sql = "-- title: Requests\n-- grain: one row per minute,\n--   region\n-- materialized: incremental\n-- source: logs\nselect 1 -- title: no";
        let header = Header::parse("m", sql).unwrap();
        assert_eq!(header.grain, "one row per minute, region");
        let built = |scope| Materialization::Incremental { source: "logs".into(), scope };
        assert_eq!(header.materialized, built(Scope::Rows));
        let header = Header::parse("m", &sql.replace("-- source", "-- scope: hours\n-- source")).unwrap();
        assert_eq!(header.materialized, built(Scope::Hours));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let check = |sql: &str, expected: &str| {
            let error = Header::parse("slo/m", sql).unwrap_err().to_string();
            assert_eq!(error, format!("model `slo/m`: {expected}"));
        };
        check("select 1", "its header lacks the line `-- materialized: …`");
        check("-- materialized: table", "materialized: expected view, once, run or incremental, got `table`");
        check("-- materialized: incremental", "its header lacks the line `-- source: …`");
        let scope = "-- materialized: incremental\n-- source: logs\n-- scope: days";
        check(scope, "scope: expected rows or hours, got `days`");
        check("-- materialized: view\n-- title: t", "its header lacks the line `-- grain: …`");
    }
}
