//! Lines to blocks.

use super::inline::runs;
use super::table;
use crate::report::pdf::document::{Block, Run};

/// Lists and quotes in each other up to here; what is deeper is text. (So that no input exhausts the stack.)
const DEPTH: usize = 8;

/// The blocks of a Markdown text.
pub(in crate::report::pdf) fn parse(markdown: &str) -> Vec<Block> {
    let lines: Vec<String> = markdown.lines().map(|line| line.replace('\t', "    ")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    blocks(&lines, 0)
}

fn blocks(lines: &[&str], depth: usize) -> Vec<Block> {
    let mut found = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.trim().is_empty() {
            finish(&mut paragraph, &mut found);
            at += 1;
        } else if let Some(level) = underline(line, &paragraph) {
            found.push(Block::Heading { level, runs: runs(&paragraph.join(" ")) });
            paragraph.clear();
            at += 1;
        } else if let Some((block, taken)) = interrupting(&lines[at..], depth) {
            finish(&mut paragraph, &mut found);
            found.extend(block);
            at += taken;
        } else if let Some((block, taken)) = table::table(&lines[at..]).filter(|_| paragraph.is_empty()) {
            found.push(block);
            at += taken;
        } else if line.starts_with("    ") && paragraph.is_empty() {
            let taken = lines[at..].iter().take_while(|l| l.starts_with("    ")).count();
            let text: Vec<_> = lines[at..at + taken].iter().map(|l| &l[4..]).collect();
            found.push(Block::Code { text: text.join("\n") });
            at += taken;
        } else {
            paragraph.push(line);
            at += 1;
        }
    }
    finish(&mut paragraph, &mut found);
    found
}

fn finish(paragraph: &mut Vec<&str>, found: &mut Vec<Block>) {
    if !paragraph.is_empty() {
        found.push(Block::Paragraph { runs: paragraph_runs(paragraph) });
        paragraph.clear();
    }
}

/// The runs of a paragraph's lines; two blanks, or a backslash, at the end of a line break it.
fn paragraph_runs(lines: &[&str]) -> Vec<Run> {
    let mut all = Vec::new();
    let mut piece = String::new();
    for (i, line) in lines.iter().enumerate() {
        let is_last = i + 1 == lines.len();
        let text = line.trim();
        let slashes = text.chars().rev().take_while(|c| *c == '\\').count();
        let is_break = !is_last && (line.ends_with("  ") || slashes % 2 == 1);
        let text = if is_break && slashes % 2 == 1 { &text[..text.len() - 1] } else { text };
        if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(text);
        if is_break || is_last {
            all.extend(runs(&piece));
            piece.clear();
        }
        if is_break {
            all.push(Run { ends_line: true, ..Run::default() });
        }
    }
    all
}

/// The level of the heading that a line under a paragraph makes of it.
fn underline(line: &str, paragraph: &[&str]) -> Option<u8> {
    let line = line.trim_end();
    if paragraph.is_empty() || line.is_empty() || line.starts_with("    ") {
        return None;
    }
    let line = line.trim_start();
    if line.chars().all(|c| c == '=') {
        Some(1)
    } else if line.chars().all(|c| c == '-') {
        Some(2)
    } else {
        None
    }
}

/// A block that may follow a paragraph without a blank line, and how many lines it takes. A comment is no
/// block at all.
fn interrupting(lines: &[&str], depth: usize) -> Option<(Option<Block>, usize)> {
    let line = lines[0];
    let indent = line.len() - line.trim_start().len();
    if indent > 3 {
        return None;
    }
    let text = line.trim();
    if let Some((level, title)) = heading(text) {
        return Some((Some(Block::Heading { level, runs: runs(title) }), 1));
    }
    if let Some(fence) = fence(text) {
        return Some(fenced(lines, fence, indent));
    }
    if is_rule(text) {
        return Some((Some(Block::Rule), 1));
    }
    if text.starts_with("<!--") {
        let taken = lines.iter().position(|l| l.contains("-->")).map_or(lines.len(), |end| end + 1);
        return Some((None, taken));
    }
    if depth >= DEPTH {
        return None;
    }
    if text.starts_with('>') {
        return Some(quote(lines, depth));
    }
    marker(line).map(|first| list(lines, first, depth))
}

fn heading(text: &str) -> Option<(u8, &str)> {
    let level = text.chars().take_while(|c| *c == '#').count();
    let rest = &text[level..];
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    // Marks at the end are decoration, where a blank stands before them.
    let title = rest.trim();
    let bare = title.trim_end_matches('#');
    let title = if bare.is_empty() || bare.ends_with(' ') { bare.trim_end() } else { title };
    Some((level as u8, title))
}

/// The fence that opens a code block.
fn fence(text: &str) -> Option<&str> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.chars().take_while(|c| *c == mark).count();
    let info = &text[length..];
    (length >= 3 && !(mark == '`' && info.contains('`'))).then(|| &text[..length])
}

fn fenced(lines: &[&str], fence: &str, indent: usize) -> (Option<Block>, usize) {
    let closes = |line: &str| {
        let line = line.trim();
        line.len() >= fence.len() && line.starts_with(fence) && line.chars().all(|c| fence.starts_with(c))
    };
    let end = lines[1..].iter().position(|l| closes(l)).map_or(lines.len(), |p| p + 1);
    let unindented = |line: &&str| {
        let blanks = line.chars().take_while(|c| *c == ' ').count().min(indent);
        line[blanks..].to_owned()
    };
    let text: Vec<_> = lines[1..end].iter().map(unindented).collect();
    (Some(Block::Code { text: text.join("\n") }), (end + 1).min(lines.len()))
}

fn is_rule(text: &str) -> bool {
    let marks: String = text.chars().filter(|c| *c != ' ').collect();
    marks.len() >= 3 && ['-', '*', '_'].iter().any(|mark| marks.chars().all(|c| c == *mark))
}

fn quote(lines: &[&str], depth: usize) -> (Option<Block>, usize) {
    let taken = lines.iter().take_while(|l| l.trim_start().starts_with('>')).count();
    let inner: Vec<&str> = lines[..taken]
        .iter()
        .map(|l| l.trim_start())
        .map(|l| l[1..].strip_prefix(' ').unwrap_or(&l[1..]))
        .collect();
    (Some(Block::Quote { blocks: blocks(&inner, depth + 1) }), taken)
}

/// The mark of a list's item.
#[derive(Clone, Copy)]
struct Marker {
    /// `-`, `*`, `+`; `.` or `)` after a number.
    sign: char,
    number: Option<u64>,
    /// Where the mark stands, and where its text starts.
    indent: usize,
    content: usize,
}

fn marker(line: &str) -> Option<Marker> {
    let indent = line.len() - line.trim_start().len();
    let text = &line[indent..];
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (sign, number, width) = if digits == 0 {
        (text.chars().next().filter(|c| matches!(c, '-' | '*' | '+'))?, None, 1)
    } else {
        // Nine digits at most, as CommonMark has it.
        let sign = text[digits..].chars().next().filter(|c| digits <= 9 && matches!(c, '.' | ')'))?;
        (sign, text[..digits].parse().ok(), digits + 1)
    };
    let rest = &text[width..];
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    let blanks = rest.len() - rest.trim_start().len();
    let gap = if rest.trim().is_empty() || blanks > 4 { 1 } else { blanks };
    Some(Marker { sign, number, indent, content: indent + width + gap })
}

fn list(lines: &[&str], first: Marker, depth: usize) -> (Option<Block>, usize) {
    let mut items: Vec<Vec<&str>> = Vec::new();
    let mut content = first.content;
    let mut at = 0;
    let mut was_blank = false;
    while at < lines.len() {
        let line = lines[at];
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() {
            was_blank = true;
            if let Some(item) = items.last_mut() {
                item.push("");
            }
        } else if let Some(next) = marker(line)
            .filter(|m| m.indent < content && m.sign == first.sign && !is_rule(line.trim()))
            .filter(|m| items.is_empty() || m.indent <= first.indent + 1)
        {
            content = next.content;
            items.push(vec![line.get(content..).unwrap_or_default()]);
            was_blank = false;
        } else if indent >= content {
            if let Some(item) = items.last_mut() {
                item.push(&line[content..]);
            }
            was_blank = false;
        } else if !was_blank && interrupting(&lines[at..], DEPTH).is_none() && marker(line).is_none() {
            // A paragraph goes on without its indentation.
            if let Some(item) = items.last_mut() {
                item.push(line.trim_start());
            }
        } else {
            break;
        }
        at += 1;
    }
    let items = items.iter().map(|item| blocks(item, depth + 1)).collect();
    (Some(Block::List { start: first.number, items }), at.max(1))
}
