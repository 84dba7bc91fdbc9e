//! The keys seen so far, as a tree: a key is resolved once and recognised by position afterwards.
//!
//! Lines repeat the same keys in the same order, so every name remembers which two followed it last: lines of two kinds
//! mix more often than not. A right guess costs a comparison or two, a wrong one a hash look-up.

use std::collections::HashMap;

use super::aliases::{self, Form, MAPPED_RANK, Target};
use super::way::Way;
use crate::ingest::options::CheckedMapping;
use crate::ingest::table::{TABLE_COUNT, TableId};

/// One key below its parent.
pub(crate) type NameId = u32;
/// The parent of the keys of the record itself.
pub(crate) const ROOT: NameId = 0;
/// Above the root.
const NO_PARENT: NameId = NameId::MAX;
/// More names than this and the tree starts anew, so that keys that are data cannot fill the memory.
const MAX_NAMES: usize = 1 << 16;

/// Bits of the keys that tell tables apart, see [`Marks::table`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks(u16);

impl Marks {
    const METRIC: u16 = 1 << 0;
    const VALUE: u16 = 1 << 1;
    const SPAN_ID: u16 = 1 << 2;
    const DURATION: u16 = 1 << 3;
    const NAME: u16 = 1 << 4;
    const VERDICT: u16 = 1 << 5;
    const FROM: u16 = 1 << 6;
    const TO: u16 = 1 << 7;
    const AGENT: u16 = 1 << 8;
    const REWARD: u16 = 1 << 9;
    const KIND: u16 = 1 << 10;
    const CHANGE_ID: u16 = 1 << 11;
    const ALERT: u16 = 1 << 12;
    const STATUS: u16 = 1 << 13;
    /// Only log lines have a message or a level.
    const LINE: u16 = 1 << 14;

    fn of_key(key: &str) -> Marks {
        Marks(match key {
            "metric" => Self::METRIC,
            "value" => Self::VALUE,
            "span_id" => Self::SPAN_ID,
            "duration_ms" => Self::DURATION,
            "name" => Self::NAME,
            "verdict" => Self::VERDICT,
            "from" => Self::FROM,
            "to" => Self::TO,
            "agent_type" => Self::AGENT,
            "reward_mean" => Self::REWARD,
            "kind" => Self::KIND,
            "change_id" => Self::CHANGE_ID,
            "alert" => Self::ALERT,
            "status" => Self::STATUS,
            "message" | "msg" | "log" | "level" | "severity" | "lvl" => Self::LINE,
            _ => 0,
        })
    }

    pub(crate) fn add(&mut self, other: Marks) {
        self.0 |= other.0;
    }

    /// The table whose tell-tale keys a record has. A record with a message or a level is a log line,
    /// whatever else it carries, unless it is a label or an alert.
    pub(crate) fn table(self) -> Option<TableId> {
        let has = |bits: u16| self.0 & bits == bits;
        if has(Self::VERDICT | Self::FROM | Self::TO) {
            Some(TableId::Incidents)
        } else if has(Self::ALERT | Self::STATUS) {
            Some(TableId::Alerts)
        } else if has(Self::LINE) {
            None
        } else if has(Self::METRIC | Self::VALUE) {
            Some(TableId::Metrics)
        } else if has(Self::SPAN_ID | Self::DURATION | Self::NAME) {
            Some(TableId::Spans)
        } else if has(Self::AGENT | Self::REWARD) {
            Some(TableId::Evaluations)
        } else if has(Self::KIND | Self::CHANGE_ID) {
            Some(TableId::Changes)
        } else {
            None
        }
    }
}

struct Name {
    key: Box<str>,
    path: Box<str>,
    targets: [Option<Target>; TABLE_COUNT],
    children: HashMap<Box<str>, NameId>,
}

/// What is needed of a name for every key of every line, close together.
struct Step {
    literal: Literal,
    parent: NameId,
    /// The names that followed, the last one first.
    followers: [NameId; 2],
    marks: Marks,
    may_be_message: bool,
    ways: [Way; TABLE_COUNT],
}

/// The tree.
pub(crate) struct Names {
    names: Vec<Name>,
    steps: Vec<Step>,
    last: NameId,
    mappings: Vec<CheckedMapping>,
}

impl Names {
    pub(crate) fn new(mappings: &[CheckedMapping]) -> Names {
        let (names, steps) = (Vec::new(), Vec::new());
        let mut names = Names { names, steps, last: ROOT, mappings: mappings.to_vec() };
        names.reset();
        names
    }

    fn reset(&mut self) {
        self.names.clear();
        self.steps.clear();
        self.push(NO_PARENT, "", "".into(), [None; TABLE_COUNT]);
        self.last = ROOT;
    }

    /// Begins a record: guesses start over from its first key. Ids from before are void.
    pub(crate) fn begin(&mut self) {
        if self.names.len() > MAX_NAMES {
            self.reset();
        }
        self.last = ROOT;
    }

    /// The name of a key below a parent.
    #[inline]
    pub(crate) fn child(&mut self, parent: NameId, key: &str) -> NameId {
        let is_right = |guess: &NameId| {
            let at = *guess as usize;
            *guess != ROOT && self.steps[at].parent == parent && *self.names[at].key == *key
        };
        let id = match self.steps[self.last as usize].followers.iter().copied().find(is_right) {
            Some(id) => id,
            None => {
                let id = match self.names[parent as usize].children.get(key) {
                    Some(id) => *id,
                    None => self.add(parent, key),
                };
                let followers = &mut self.steps[self.last as usize].followers;
                *followers = [id, followers[0]];
                id
            }
        };
        self.last = id;
        id
    }

    /// The key that a text starts with and how long it is in there, if it is one of those that followed last.
    #[inline]
    pub(crate) fn follow(&mut self, parent: NameId, text: &[u8]) -> Option<(NameId, usize)> {
        for guess in self.steps[self.last as usize].followers {
            let guessed = &self.steps[guess as usize];
            if guessed.parent == parent && guessed.literal.begins(text) {
                self.last = guess;
                return Some((guess, guessed.literal.length));
            }
        }
        None
    }

    /// Whether an object under this name is the message of some table's rows, which stays whole.
    #[inline]
    pub(crate) fn may_be_message(&self, id: NameId) -> bool {
        self.steps[id as usize].may_be_message
    }

    #[cold]
    fn add(&mut self, parent: NameId, key: &str) -> NameId {
        let id = self.names.len() as NameId;
        let above = &self.names[parent as usize];
        let path = if parent == ROOT { key.to_owned() } else { format!("{}.{key}", above.path) };
        let targets = TableId::ALL.map(|table| self.target_of(table, &path));
        self.push(parent, key, path.into(), targets);
        self.names[parent as usize].children.insert(key.into(), id);
        id
    }

    fn push(&mut self, parent: NameId, key: &str, path: Box<str>, targets: [Option<Target>; TABLE_COUNT]) {
        let is_message = |target: &Target| target.form == Form::Message;
        self.steps.push(Step {
            literal: Literal::of_key(key),
            parent,
            followers: [ROOT; 2],
            marks: if parent == ROOT { Marks::of_key(key) } else { Marks::default() },
            may_be_message: key != "log" && targets.iter().flatten().any(is_message),
            ways: TableId::ALL.map(|table| Way::of(table, targets[table as usize])),
        });
        self.names.push(Name { key: key.into(), path, targets, children: HashMap::new() });
    }

    fn target_of(&self, table: TableId, path: &str) -> Option<Target> {
        let mapped = self.mappings.iter().find(|m| m.from == path && m.columns[table as usize].is_some());
        if let Some(mapping) = mapped {
            let (column, form) = mapping.columns[table as usize]?;
            return Some(Target { column, rank: MAPPED_RANK, form });
        }
        // What stands in the overflow column already was put there by whoever wrote the record.
        let overflow = &table.facts().columns()[table.facts().overflow].name;
        match path.strip_prefix(overflow.as_str()) {
            Some(rest) if rest.starts_with('.') => None,
            _ => aliases::target(table, path),
        }
    }

    #[inline]
    pub(crate) fn target(&self, id: NameId, table: TableId) -> Option<Target> {
        self.names[id as usize].targets[table as usize]
    }

    /// The short way of its values into a table.
    #[inline]
    pub(super) fn way(&self, id: NameId, table: TableId) -> Way {
        self.steps[id as usize].ways[table as usize]
    }

    #[inline]
    pub(crate) fn marks(&self, id: NameId) -> Marks {
        self.steps[id as usize].marks
    }

    /// The key under which a value without a column is kept: its dotted path, without the name of the
    /// overflow column where it came in under that.
    #[inline]
    pub(crate) fn overflow_key(&self, id: NameId, overflow: &str) -> &str {
        let path = &*self.names[id as usize].path;
        match path.strip_prefix(overflow).and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) if !rest.is_empty() => rest,
            _ => path,
        }
    }

    /// The dotted path of a name.
    pub(crate) fn path(&self, id: NameId) -> &str {
        &self.names[id as usize].path
    }
}

/// A key as lines write it, `"key":`, ready to be compared: keys are short, and a call to compare them costs more than
/// comparing them.
struct Literal {
    /// Bytes in the key and its quotes; 0 if there is nothing to compare with, because it needs escapes or is long.
    length: usize,
    bytes: [u64; WORDS],
    /// All bits of the bytes that count.
    mask: [u64; WORDS],
}

const WORDS: usize = 4;
const WORD: usize = size_of::<u64>();

impl Literal {
    fn of_key(key: &str) -> Literal {
        let literal = format!("\"{key}\":");
        let plain = !key.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\');
        let length = if plain && literal.len() <= WORDS * WORD { literal.len() } else { 0 };
        let word = |of: &dyn Fn(u8) -> u8, at: usize| {
            let byte = |i: usize| literal.as_bytes()[..length].get(at * WORD + i).map_or(0, |b| of(*b));
            u64::from_le_bytes(std::array::from_fn(byte))
        };
        Literal {
            length,
            bytes: std::array::from_fn(|at| word(&|b| b, at)),
            mask: std::array::from_fn(|at| word(&|_| u8::MAX, at)),
        }
    }

    /// Whether a text begins with it.
    #[inline]
    fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<{ WORDS * WORD }>() {
            Some(chunk) => self.differs(chunk) == 0 && self.length > 0,
            None => self.begins_short(text),
        }
    }

    #[inline]
    fn differs(&self, chunk: &[u8; WORDS * WORD]) -> u64 {
        let (words, _) = chunk.as_chunks::<WORD>();
        let word = |at: usize| (u64::from_le_bytes(words[at]) ^ self.bytes[at]) & self.mask[at];
        word(0) | word(1) | word(2) | word(3)
    }

    #[inline(never)]
    fn begins_short(&self, text: &[u8]) -> bool {
        let mut chunk = [0; WORDS * WORD];
        let length = text.len().min(chunk.len());
        chunk[..length].copy_from_slice(&text[..length]);
        text.len() >= self.length && self.differs(&chunk) == 0 && self.length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_by_guess_and_by_look_up() {
        let mut names = Names::new(&[]);
        let mut round = |keys: &[&str]| {
            names.begin();
            keys.iter().map(|k| names.child(ROOT, k)).collect::<Vec<_>>()
        };
        let first = round(&["a", "b", "c"]);
        assert_eq!(round(&["a", "b", "c"]), first);
        assert_eq!(round(&["a", "c", "b"]), [first[0], first[2], first[1]]);
        assert_eq!(round(&["a", "a"]), [first[0], first[0]]);
        let nested = names.child(first[0], "x");
        assert_eq!(names.path(nested), "a.x");
    }

    #[test]
    fn a_key_is_found_at_the_start_of_a_text_and_nowhere_else() {
        for length in 0..40 {
            let key = "abcdefghijklmnopqrstuvwxyz".repeat(2)[..length].to_owned();
            let literal = Literal::of_key(&key);
            for rest in ["", "1", "\"and what else there is in the line\"}"] {
                let mut text = format!("\"{key}\":{rest}").into_bytes();
                // A long one is looked for in another way.
                assert_eq!(literal.begins(&text), length + 3 <= WORDS * WORD, "{key}");
                assert!(!literal.begins(&text[..length + 2]) && !literal.begins(&text[1..]));
                for at in 0..length + 3 {
                    text[at] ^= 1;
                    assert!(!literal.begins(&text), "{key} {at}");
                    text[at] ^= 1;
                }
            }
        }
        assert!(!Literal::of_key("\n").begins(b"\"\n\":1"));
    }

    #[test]
    fn keys_that_are_data_do_not_grow_the_tree_for_ever() {
        let mut names = Names::new(&[]);
        for i in 0..200_000 {
            names.begin();
            names.child(ROOT, &format!("k{i}"));
        }
        assert!(names.names.len() <= MAX_NAMES + 2);
    }

    #[test]
    fn the_overflow_column_may_be_given_by_name() {
        let mut names = Names::new(&[]);
        let attributes = names.child(ROOT, "attributes");
        let host = names.child(attributes, "host");
        assert_eq!(names.target(host, TableId::Logs), None);
        assert_eq!(names.overflow_key(host, "attributes"), "host");
        assert_eq!(names.overflow_key(host, "labels"), "attributes.host");
    }

    #[test]
    fn records_tell_their_table_by_their_keys() {
        let table = |keys: &str| {
            let mut marks = Marks::default();
            keys.split(' ').for_each(|k| marks.add(Marks::of_key(k)));
            marks.table()
        };
        assert_eq!(table("timestamp metric value unit"), Some(TableId::Metrics));
        assert_eq!(table("span_id duration_ms name"), Some(TableId::Spans));
        assert_eq!(table("verdict from to region"), Some(TableId::Incidents));
        assert_eq!(table("agent_type reward_mean"), Some(TableId::Evaluations));
        assert_eq!(table("kind change_id"), Some(TableId::Changes));
        assert_eq!(table("alert status severity"), Some(TableId::Alerts));
        assert_eq!(table("timestamp level message span_id duration_ms name metric value"), None);
        assert_eq!(table("timestamp"), None);
    }
}
