//! Reading a mapping with the place kept: file, line, object and key stand in every problem.

use super::super::read::{Problems, did_you_mean};
use super::yaml::{Node, Value};

/// Whose fields are read, and where problems and notes go.
pub(super) struct Reader<'p> {
    pub(super) file: String,
    /// Such as SLO `checkout`.
    pub(super) object: String,
    pub(super) problems: &'p mut Problems,
    pub(super) notes: &'p mut Vec<String>,
}

impl Reader<'_> {
    /// Where something stands, such as: slos.yaml:12: SLO `checkout`: spec.service.
    pub(super) fn place(&self, line: u64, path: &str) -> String {
        format!("{}:{line}: {}: {path}", self.file, self.object)
    }

    pub(super) fn wrong(
        &mut self,
        (line, path): (u64, &str),
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: Option<&str>,
    ) {
        let place = self.place(line, path);
        self.problems.add(place, got, expected, remedy.map(str::to_owned));
    }

    pub(super) fn note(&mut self, line: u64, text: &str) {
        let note = format!("{}:{line}: {} {text}", self.file, self.object);
        self.notes.push(note);
    }
}

/// The fields of a mapping under reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) path: String,
    pub(super) line: u64,
    entries: Vec<(String, Node)>,
    asked: Vec<&'static str>,
}

impl Fields {
    /// The fields of a node that has to be a mapping.
    pub(super) fn of(reader: &mut Reader<'_>, node: Node, path: &str) -> Fields {
        let Node { line, value } = node;
        let entries = match value {
            Value::Map(entries) => entries,
            Value::Null => Vec::new(),
            other => {
                reader.wrong((line, path), other.to_string(), "a mapping", None);
                Vec::new()
            }
        };
        Fields { path: path.to_owned(), line, entries, asked: Vec::new() }
    }

    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key == name)
    }

    /// Takes a field out, whatever it holds.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Node> {
        self.asked.push(name);
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        Some(self.entries.remove(at).1).filter(|node| node.value != Value::Null)
    }

    /// Knows fields that say nothing to a machine.
    pub(super) fn skip(&mut self, names: &[&'static str]) {
        for name in names {
            self.take(name);
        }
    }

    fn taken<T>(
        &mut self,
        reader: &mut Reader<'_>,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<(T, u64)> {
        let Node { line, value } = self.take(name)?;
        match read(&value) {
            Some(read) => Some((read, line)),
            None => {
                reader.wrong((line, &self.key(name)), value.to_string(), expected, None);
                None
            }
        }
    }

    /// A text, if given, and its line.
    pub(super) fn text(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Option<(String, u64)> {
        self.taken(reader, name, "a text", |value| match value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            // A name such as 404 or a duration such as 5 is a number to YAML.
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A number, if given, and its line.
    pub(super) fn number(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Option<(f64, u64)> {
        self.taken(reader, name, "a number", |value| match value {
            Value::Number(number) if number.is_finite() => Some(*number),
            _ => None,
        })
    }

    /// `true` or `false`, if given, and its line.
    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Option<(bool, u64)> {
        self.taken(reader, name, "true or false", |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// One of some words, any letter case, which must be given.
    pub(super) fn word<T: Copy>(
        &mut self,
        reader: &mut Reader<'_>,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Option<(T, u64)> {
        let expected = format!("one of {}", words.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(", "));
        if !self.has(name) {
            reader.wrong((self.line, &self.key(name)), "nothing", expected, None);
            return None;
        }
        let (text, line) = self.text(reader, name)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        if found.is_none() {
            let remedy = did_you_mean(&text, words.iter().map(|(w, _)| *w));
            reader.wrong((line, &self.key(name)), format!("`{text}`"), expected, remedy.as_deref());
        }
        found.map(|(_, meaning)| (*meaning, line))
    }

    /// The items of a list, if given.
    pub(super) fn list(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Vec<Node> {
        let list = self.taken(reader, name, "a list", |value| match value {
            Value::List(list) => Some(list.clone()),
            _ => None,
        });
        list.map(|(list, _)| list).unwrap_or_default()
    }

    /// The fields of a mapping within, if given.
    pub(super) fn map(&mut self, reader: &mut Reader<'_>, name: &'static str) -> Option<Fields> {
        let node = self.take(name)?;
        Some(Fields::of(reader, node, &self.key(name)))
    }

    /// Reports every field that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (name, node) in &self.entries {
            let remedy = did_you_mean(name, self.asked.iter().copied())
                .unwrap_or_else(|| format!("known keys: {}", self.asked.join(", ")));
            let expected = "a key that is understood here";
            reader.wrong((node.line, &self.key(name)), "an unknown key", expected, Some(&remedy));
        }
    }
}
