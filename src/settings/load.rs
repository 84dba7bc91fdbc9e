//! From files to settings: the defaults, the user's file over them, entry by entry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::openslo::{self, Entries};
use super::read::{Problem, Problems, did_you_mean, shown};
use super::{Error, Settings, decode};

/// The embedded defaults, a commented document that a user can copy.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The embedded queries for Prometheus; part of the defaults, in a file of their own because they are many.
pub const DEFAULT_QUERIES: &str = include_str!("prometheus.toml");

/// The embedded criteria, and how the parts of a platform are recognised; in a file of their own for the same reason.
const DEFAULT_CRITERIA: &str = include_str!("platform.toml");

/// The embedded recording rules, and the alert rules over them.
const DEFAULT_RECORDING: &str = include_str!("recording.toml");
const DEFAULT_ALERTS: &str = include_str!("alerts.toml");

/// How the settings are called in messages when no file was given.
const DEFAULTS_NAME: &str = "defaults.toml";

/// The lists of tables and the fields that identify an entry of each.
const LISTS: &[(&str, &[&str])] = &[
    ("slo", &["name"]),
    ("composite", &["name"]),
    ("burn_tier", &["name"]),
    ("correction", &["name"]),
    ("drift_category", &["name"]),
    ("drift", &["name"]),
    ("mitigation", &["category", "status"]),
    ("rule", &["feature", "verdict"]),
    ("recommendation", &["code"]),
    ("criterion", &["suite", "name"]),
    ("recording_rule", &["name"]),
    ("alert_rule", &["name"]),
    ("mapping", &["table", "from"]),
    ("csv", &["files"]),
    ("retention", &["table"]),
    ("prometheus_query", &["name"]),
    ("notification", &["name"]),
    ("rollback", &["signal"]),
];

/// Sections whose keys are overridden one by one.
const SECTIONS: &[&str] = &[
    "regions",
    "detection",
    "change",
    "health",
    "cost",
    "ingest",
    "upkeep",
    "drift_evidence",
    "platform",
    "artifacts",
    "ga",
    "certification",
];

/// The section from metric names to tables.
const METRICS: &str = "metrics";

/// A table to decode and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) table: Table,
}

/// Both files put together, still untyped.
#[derive(Debug)]
pub(super) struct Merged {
    sections: Vec<(&'static str, Entry)>,
    lists: Vec<(&'static str, Vec<Entry>)>,
    pub(super) notes: Vec<String>,
    pub(super) metrics: Vec<(String, Entry)>,
}

impl Merged {
    pub(super) fn section(&mut self, name: &'static str) -> Entry {
        let found = self.sections.iter().position(|(n, _)| *n == name);
        let empty = || Entry { path: name.to_owned(), table: Table::new() };
        found.map_or_else(empty, |i| self.sections.swap_remove(i).1)
    }

    pub(super) fn list(&mut self, name: &'static str) -> Vec<Entry> {
        let found = self.lists.iter().position(|(n, _)| *n == name);
        found.map_or_else(Vec::new, |i| self.lists.swap_remove(i).1)
    }
}

impl Settings {
    /// Reads the settings: the embedded defaults, overridden by the file at `path` if one is given.
    pub fn load(path: Option<&Path>) -> Result<Settings, Error> {
        Settings::load_with(path, &[])
    }

    /// The same, with the SLOs of OpenSLO files or folders beside those that the settings name.
    pub fn load_with(path: Option<&Path>, openslo: &[PathBuf]) -> Result<Settings, Error> {
        let Some(path) = path else { return Settings::from_texts(None, Path::new(""), openslo) };
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: shown.clone(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Settings::from_texts(Some((&shown, &text)), folder, openslo)
    }

    /// Reads the settings from the text of a user's file; `name` is how messages call it.
    pub(super) fn from_text(user: Option<(&str, &str)>) -> Result<Settings, Error> {
        Settings::from_texts(user, Path::new(""), &[])
    }

    fn from_texts(user: Option<(&str, &str)>, folder: &Path, openslo: &[PathBuf]) -> Result<Settings, Error> {
        let mut defaults = parse(DEFAULTS_NAME, DEFAULTS)?;
        defaults.extend(parse("prometheus.toml", DEFAULT_QUERIES)?);
        defaults.extend(parse("platform.toml", DEFAULT_CRITERIA)?);
        defaults.extend(parse("recording.toml", DEFAULT_RECORDING)?);
        defaults.extend(parse("alerts.toml", DEFAULT_ALERTS)?);
        let (name, mut user) = match user {
            Some((name, text)) => (name, parse(name, text)?),
            None => (DEFAULTS_NAME, Table::new()),
        };
        let mut problems = Problems::default();
        let mut paths = openslo_paths(&mut user, folder, &mut problems);
        paths.extend_from_slice(openslo);
        let documents = openslo::read(&paths, &mut problems)?;
        let merged = merge(defaults, user, documents, &mut problems);
        let settings = decode::settings(merged, &mut problems);
        if problems.0.is_empty() {
            Ok(settings)
        } else {
            // Without a file of settings only documents can be wrong.
            let first = openslo.first().filter(|_| name == DEFAULTS_NAME);
            let path = first.map_or_else(|| name.to_owned(), |path| path.display().to_string());
            Err(Error::Invalid { path, problems: problems.0 })
        }
    }
}

/// The key that names OpenSLO files and folders, seen from the folder of the settings file.
const OPENSLO: &str = "openslo";

fn openslo_paths(user: &mut Table, folder: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let Some(value) = user.remove(OPENSLO) else { return Vec::new() };
    let paths = match &value {
        Value::String(one) => Some(vec![folder.join(one)]),
        Value::Array(list) => list.iter().map(|v| v.as_str().map(|text| folder.join(text))).collect(),
        _ => None,
    };
    paths.unwrap_or_else(|| {
        let remedy = Some("write openslo = [\"slos/\"] above the first section".to_owned());
        problems.add(OPENSLO, shown(&value), "a list of files and folders", remedy);
        Vec::new()
    })
}

impl Default for Settings {
    /// The embedded defaults.
    fn default() -> Self {
        Settings::from_text(None).expect("a test reads the embedded defaults")
    }
}

fn parse(name: &str, text: &str) -> Result<Table, Error> {
    text.parse::<Table>().map_err(|source| Error::Syntax { path: name.to_owned(), source: Box::new(source) })
}

fn merge(mut defaults: Table, mut user: Table, documents: Entries, problems: &mut Problems) -> Merged {
    let Entries { slos, composites, burn_tiers, notes } = documents;
    let mut added = BTreeMap::from([("slo", slos), ("composite", composites), ("burn_tier", burn_tiers)]);
    let sections = SECTIONS
        .iter()
        .map(|name| {
            let mut table = table_of(name, defaults.remove(*name), problems);
            table.extend(table_of(name, user.remove(*name), problems));
            (*name, Entry { path: (*name).to_owned(), table })
        })
        .collect();
    let lists = LISTS
        .iter()
        .map(|(name, key)| {
            let mut base = entries(name, defaults.remove(*name), problems);
            let mut over = entries(name, user.remove(*name), problems);
            // A document says all there is to say: it takes the place of a default, whole.
            let documents = added.remove(name).unwrap_or_default();
            let named = |entry: &Entry| entry.table.get("name").cloned();
            base.retain(|entry| !documents.iter().any(|d| named(d) == named(entry)));
            over.extend(documents);
            (*name, merge_list(key, base, over, problems))
        })
        .collect();
    let base = table_of(METRICS, defaults.remove(METRICS), problems);
    let over = table_of(METRICS, user.remove(METRICS), problems);
    let metrics = merge_metrics(base, over, problems);
    for name in user.keys() {
        let lists = || LISTS.iter().map(|(n, _)| *n);
        let known = || lists().chain(SECTIONS.iter().copied()).chain([METRICS, OPENSLO]);
        let remedy = did_you_mean(name, known())
            .or_else(|| Some(format!("known sections: {}", known().collect::<Vec<_>>().join(", "))));
        problems.add(name, "an unknown section", "a section of the settings", remedy);
    }
    Merged { sections, lists, notes, metrics }
}

fn table_of(name: &str, value: Option<Value>, problems: &mut Problems) -> Table {
    match value {
        None => Table::new(),
        Some(Value::Table(table)) => table,
        Some(other) => {
            problems.add(name, shown(&other), "a table", Some(format!("write [{name}]")));
            Table::new()
        }
    }
}

fn entries(name: &str, value: Option<Value>, problems: &mut Problems) -> Vec<Entry> {
    let mut wrong = |path: &str, value: &Value| {
        problems.add(path, shown(value), "a list of tables", Some(format!("write [[{name}]]")));
    };
    let list = match value {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(other) => {
            wrong(name, &other);
            return Vec::new();
        }
    };
    let mut found = Vec::with_capacity(list.len());
    for (i, value) in list.into_iter().enumerate() {
        let path = format!("{name}[{i}]");
        match value {
            Value::Table(table) => found.push(Entry { path, table }),
            other => wrong(&path, &other),
        }
    }
    found
}

/// What identifies an entry; `None`, with the problems reported, when a field of it is missing. Words of
/// a vocabulary may be written in any letter case, so case does not tell entries apart.
fn identity(entry: &Entry, key: &[&str], problems: &mut Problems) -> Option<Vec<String>> {
    let mut parts = Vec::with_capacity(key.len());
    for field in key {
        match entry.table.get(*field) {
            Some(Value::String(text)) if !text.trim().is_empty() => {
                let text = text.trim();
                parts.push(if *field == "from" { text.to_owned() } else { text.to_lowercase() });
            }
            other => {
                let got = other.map_or_else(|| "nothing".to_owned(), shown);
                let remedy = Some(format!("give `{field}`: it says which entry this is"));
                problems.add(format!("{}.{field}", entry.path), got, "a text that is not empty", remedy);
            }
        }
    }
    (parts.len() == key.len()).then_some(parts)
}

fn merge_list(key: &[&str], base: Vec<Entry>, over: Vec<Entry>, problems: &mut Problems) -> Vec<Entry> {
    let mut merged: Vec<(Vec<String>, Entry)> = Vec::new();
    for mut entry in base {
        if let Some(identity) = identity(&entry, key, problems) {
            entry.path = format!("{} (default `{}`)", entry.path, identity.join("` for `"));
            merged.push((identity, entry));
        }
    }
    let mut seen: Vec<(Vec<String>, String)> = Vec::new();
    for entry in over {
        let Some(identity) = identity(&entry, key, problems) else { continue };
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == identity) {
            problems.add(
                format!("{}.{}", entry.path, key[0]),
                format!("`{}` a second time", identity.join("` for `")),
                "each entry once",
                Some(format!("{first} stands for the same; keep one of them")),
            );
            continue;
        }
        seen.push((identity.clone(), entry.path.clone()));
        match merged.iter_mut().find(|(other, _)| *other == identity) {
            Some((_, known)) => {
                known.path = entry.path;
                known.table.extend(entry.table);
            }
            None => merged.push((identity, entry)),
        }
    }
    merged.into_iter().filter_map(|(_, entry)| enabled(entry, problems)).collect()
}

fn merge_metrics(base: Table, over: Table, problems: &mut Problems) -> Vec<(String, Entry)> {
    let mut merged: Vec<(String, Entry)> = Vec::new();
    for (name, value) in base.into_iter().chain(over) {
        let path = format!("{METRICS}.{name:?}");
        let Value::Table(table) = value else {
            let remedy = Some(format!("write {name:?} = {{ role = \"...\" }}"));
            problems.add(path, shown(&value), "a table with a role", remedy);
            continue;
        };
        match merged.iter_mut().find(|(other, _)| *other == name) {
            Some((_, known)) => known.table.extend(table),
            None => merged.push((name, Entry { path, table })),
        }
    }
    merged.into_iter().filter_map(|(name, entry)| Some((name, enabled(entry, problems)?))).collect()
}

/// The entry without its key `enabled`, unless that is `false`.
fn enabled(mut entry: Entry, problems: &mut Problems) -> Option<Entry> {
    match entry.table.remove("enabled") {
        None | Some(Value::Boolean(true)) => Some(entry),
        Some(Value::Boolean(false)) => None,
        Some(other) => {
            problems.0.push(Problem {
                key: format!("{}.enabled", entry.path),
                got: shown(&other),
                expected: "true or false".to_owned(),
                remedy: None,
            });
            None
        }
    }
}
