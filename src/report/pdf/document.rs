//! What a PDF shows, as plain data for the template.

use serde::{Serialize, Serializer};

use super::world::is_shown;
use crate::report::plain::{breaks_line, is_hidden, spell};

/// A document: blocks in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::report) struct Document {
    /// Title of the file.
    #[serde(serialize_with = "printable")]
    pub(in crate::report) title: String,
    /// What stands at the foot of every page, before the page number.
    #[serde(serialize_with = "printable")]
    pub(in crate::report) footer: String,
    pub(in crate::report) blocks: Vec<Block>,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(in crate::report) enum Block {
    Heading {
        /// 1 for the title of the document.
        level: u8,
        runs: Vec<Run>,
    },
    Paragraph {
        runs: Vec<Run>,
    },
    List {
        /// Number of the first item; bullets without.
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Table {
        align: Vec<Align>,
        /// Repeated on every page that the table reaches.
        head: Vec<Vec<Run>>,
        /// Each as long as the head.
        rows: Vec<Vec<Vec<Run>>>,
    },
    Quote {
        blocks: Vec<Block>,
    },
    Code {
        #[serde(serialize_with = "printable_lines")]
        text: String,
    },
    Picture {
        svg: String,
        #[serde(serialize_with = "printable")]
        alt: String,
    },
    Rule,
}

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Align {
    Left,
    Center,
    Right,
}

/// A stretch of text in one style.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(in crate::report) struct Run {
    #[serde(serialize_with = "printable")]
    pub(in crate::report) text: String,
    pub(in crate::report) strong: bool,
    pub(in crate::report) emphasis: bool,
    pub(in crate::report) code: bool,
    /// A new line after the text.
    pub(in crate::report) ends_line: bool,
}

impl Run {
    /// Text without a style.
    pub(in crate::report) fn plain(text: impl Into<String>) -> Run {
        Run { text: text.into(), ..Run::default() }
    }

    /// Text in bold.
    pub(in crate::report) fn strong(text: impl Into<String>) -> Run {
        Run { strong: true, ..Run::plain(text) }
    }
}

/// Characters of a word after which it may break: identifiers, addresses and traces are long, and a
/// column is narrow.
const BREAKS_AFTER: usize = 12;
/// Words up to this length stay whole.
const STAYS_WHOLE: usize = 20;
const MAY_BREAK: char = '\u{200b}';

/// Text that the fonts can show: the rest is spelled out, and long words may break.
fn printable<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&set(text))
}

/// As [`printable`], line by line.
fn printable_lines<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let lines: Vec<_> = text.lines().map(set).collect();
    serializer.serialize_str(&lines.join("\n"))
}

fn set(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if breaks_line(c) => shown.push(' '),
            c if is_hidden(c) => spell(&mut shown, c),
            // Asks for an emoji where there is a plain sign as well.
            '\u{fe00}'..='\u{fe0f}' => {}
            '✅' => shown.push('✓'),
            '❌' => shown.push('✗'),
            c if c == ' ' || is_shown(c) => shown.push(c),
            c => spell(&mut shown, c),
        }
    }
    let mut out = String::with_capacity(shown.len());
    for (position, word) in shown.split(' ').enumerate() {
        if position > 0 {
            out.push(' ');
        }
        if word.chars().count() <= STAYS_WHOLE {
            out.push_str(word);
            continue;
        }
        for (i, c) in word.chars().enumerate() {
            if i > 0 && i % BREAKS_AFTER == 0 {
                out.push(MAY_BREAK);
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_shows_is_spelled_out() {
        assert_eq!(set("Größe ≤ 5 µs → ok ✅"), "Größe ≤ 5 µs → ok ✓");
        assert_eq!(set("a\u{202e}b\x07\nc"), "a\\u{202e}b\\u{7} c");
        assert_eq!(set("\u{1f525}"), "\\u{1f525}");
    }

    #[test]
    fn a_long_word_may_break_and_a_short_one_may_not() {
        assert_eq!(set("ap-southeast-1 2025-01-15T13:00:00Z"), "ap-southeast-1 2025-01-15T13:00:00Z");
        assert_eq!(set(&"x".repeat(25)), format!("{0}\u{200b}{0}\u{200b}x", "x".repeat(12)));
    }
}
