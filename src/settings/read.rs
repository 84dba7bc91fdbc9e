//! Reading TOML tables with the place kept: each problem names its key, what stands there, what
//! should, and what to do. All problems are collected, so that one run shows everything to correct.

use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

/// One thing that is wrong in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, as a path such as `slo[2].percentile`; list positions count from 0.
    pub key: String,
    /// What stands there.
    pub got: String,
    /// What should stand there.
    pub expected: String,
    /// What to do about it, where that is not obvious from what is expected.
    pub remedy: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.key, self.expected, self.got)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        key: impl Into<String>,
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: Option<String>,
    ) {
        self.0.push(Problem { key: key.into(), got: got.into(), expected: expected.into(), remedy });
    }
}

/// A TOML table under reading: knows its path, and which keys were asked for.
pub(super) struct Section<'a> {
    path: String,
    /// What an entry of a list calls itself: people know it by that, not by its place.
    name: Option<String>,
    table: Table,
    asked: Vec<&'static str>,
    problems: &'a mut Problems,
}

impl<'a> Section<'a> {
    pub(super) fn new(path: impl Into<String>, table: Table, problems: &'a mut Problems) -> Self {
        let path = path.into();
        let name = table.get("name").and_then(Value::as_str).filter(|_| path.ends_with(']'));
        Section { name: name.map(str::to_owned), path, table, asked: Vec::new(), problems }
    }

    /// The path of a key of this table.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Reports what is wrong with the value of a key.
    pub(super) fn wrong(
        &mut self,
        name: &str,
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: Option<String>,
    ) {
        let key = self.key(name);
        let remedy = match (&self.name, remedy) {
            (Some(entry), Some(remedy)) => Some(format!("in `{entry}`, {remedy}")),
            (Some(entry), None) => Some(format!("mend it in `{entry}`")),
            (None, remedy) => remedy,
        };
        self.problems.add(key, got, expected, remedy);
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.table.remove(name)
    }

    fn missing(&mut self, name: &str, expected: &str) {
        let remedy = format!("add `{name} = ...`");
        self.wrong(name, "nothing", expected, Some(remedy));
    }

    /// A text, if given. Texts are trimmed; an empty one is a problem.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            other => {
                self.wrong(name, shown(&other), "a text that is not empty", None);
                None
            }
        }
    }

    /// A text that must be given.
    pub(super) fn text(&mut self, name: &'static str) -> String {
        if !self.table.contains_key(name) {
            self.missing(name, "a text");
        }
        self.optional_text(name).unwrap_or_default()
    }

    /// A list of texts, if given.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let value = self.take(name)?;
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|v| v.as_str().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())).collect()
        });
        if texts.is_none() {
            self.wrong(name, shown(&value), "a list of texts such as [\"a\", \"b\"]", None);
        }
        texts
    }

    /// A list of tables, each to be read like a section of its own.
    pub(super) fn tables(&mut self, name: &'static str) -> Option<Vec<(String, Table)>> {
        let value = self.take(name)?;
        let tables: Option<Vec<Table>> =
            value.as_array().and_then(|list| list.iter().map(|v| v.as_table().cloned()).collect());
        let Some(tables) = tables else {
            self.wrong(name, shown(&value), "a list of tables", None);
            return None;
        };
        let path = |i| format!("{}[{i}]", self.key(name));
        Some(tables.into_iter().enumerate().map(|(i, table)| (path(i), table)).collect())
    }

    /// A section within this one, whose problems are reported with it.
    pub(super) fn inner(&mut self, path: String, table: Table) -> Section<'_> {
        Section::new(path, table, self.problems)
    }

    /// A finite number, if given.
    pub(super) fn optional_number(&mut self, name: &'static str) -> Option<f64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Integer(i) => Some(*i as f64),
            Value::Float(f) if f.is_finite() => Some(*f),
            _ => None,
        };
        if number.is_none() {
            let remedy = matches!(&value, Value::String(t) if t.trim().parse::<f64>().is_ok())
                .then(|| format!("write `{name}` without quotes"));
            self.wrong(name, shown(&value), "a finite number", remedy);
        }
        number
    }

    /// A number that must be given.
    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        if !self.table.contains_key(name) {
            self.missing(name, "a number");
        }
        self.optional_number(name)
    }

    /// A number that must be given and must not be negative; 0 stands in after a problem.
    pub(super) fn amount(&mut self, name: &'static str) -> f64 {
        match self.number(name) {
            Some(value) if value >= 0.0 => value,
            Some(value) => {
                self.wrong(name, value.to_string(), "a number that is not negative", None);
                0.0
            }
            None => 0.0,
        }
    }

    /// A whole number, if given.
    pub(super) fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        match self.take(name)? {
            Value::Integer(i) => Some(i),
            other => {
                self.wrong(name, shown(&other), "a whole number", None);
                None
            }
        }
    }

    /// A whole number that must be given.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        if !self.table.contains_key(name) {
            self.missing(name, "a whole number");
        }
        self.optional_integer(name)
    }

    /// `true` or `false`, if given.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Boolean(b) => Some(b),
            other => {
                self.wrong(name, shown(&other), "true or false", None);
                None
            }
        }
    }

    /// Knows a key without reading it.
    pub(super) fn skip(&mut self, name: &'static str) {
        self.take(name);
    }

    /// A word of a vocabulary, if given.
    pub(super) fn optional_word<T: FromStr + Copy + fmt::Display>(
        &mut self,
        name: &'static str,
        all: &[T],
    ) -> Option<T> {
        self.asked.push(name);
        if self.table.contains_key(name) { self.word(name, all) } else { None }
    }

    /// A word of a vocabulary, which must be given.
    pub(super) fn word<T: FromStr + Copy + fmt::Display>(
        &mut self,
        name: &'static str,
        all: &[T],
    ) -> Option<T> {
        if !self.table.contains_key(name) {
            self.missing(name, &one_of(all.iter().map(T::to_string)));
        }
        let text = self.optional_text(name)?;
        let found = text.parse().ok();
        if found.is_none() {
            let words: Vec<String> = all.iter().map(T::to_string).collect();
            let remedy = did_you_mean(&text, words.iter().map(String::as_str));
            self.wrong(name, format!("`{text}`"), one_of(words.into_iter()), remedy);
        }
        found
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for name in unknown {
            let remedy = did_you_mean(&name, self.asked.iter().copied())
                .or_else(|| Some(format!("known keys: {}", self.asked.join(", "))));
            self.wrong(&name, "an unknown key", "a key of this section", remedy);
        }
    }
}

/// A value as it would be written, on one line and not too long.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::String(t) => format!("{t:?}"),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Table(_) => "a table".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        text
    } else {
        format!("{}...", text.chars().take(LONGEST).collect::<String>())
    }
}

fn one_of(words: impl Iterator<Item = String>) -> String {
    format!("one of {}", words.collect::<Vec<_>>().join(", "))
}

/// The known word closest to an unknown one, if it is close enough to be a slip: at most one edit in
/// three characters.
pub(super) fn did_you_mean<'w>(got: &str, known: impl Iterator<Item = &'w str>) -> Option<String> {
    let got = got.to_lowercase();
    known
        .map(|word| (distance(&got, &word.to_lowercase()), word))
        .min_by_key(|(d, _)| *d)
        .filter(|(d, word)| *d <= word.chars().count().max(3) / 3)
        .map(|(_, word)| format!("did you mean `{word}`?"))
}

/// Levenshtein distance: single-character insertions, deletions and substitutions.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let known = ["percentile", "threshold", "target"];
        assert_eq!(
            did_you_mean("percentil", known.into_iter()).as_deref(),
            Some("did you mean `percentile`?")
        );
        assert_eq!(did_you_mean("Treshold", known.into_iter()).as_deref(), Some("did you mean `threshold`?"));
        assert_eq!(did_you_mean("colour", known.into_iter()), None);
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, d) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ü", "u", 1)] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
