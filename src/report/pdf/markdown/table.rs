//! Tables of bars, as GitHub has them.

use super::inline::runs;
use crate::report::pdf::document::{Align, Block};

/// The table that starts at the first line, and how many lines it takes.
pub(super) fn table(lines: &[&str]) -> Option<(Block, usize)> {
    let [head, rule, rest @ ..] = lines else { return None };
    if !head.contains('|') {
        return None;
    }
    let head = cells(head);
    let align = cells(rule).iter().map(|cell| alignment(cell)).collect::<Option<Vec<_>>>()?;
    if align.len() != head.len() {
        return None;
    }
    let body = rest.iter().take_while(|line| !line.trim().is_empty() && line.contains('|')).count();
    let row = |line: &&str| {
        let mut row = cells(line);
        // A row is as long as the head: what is missing is empty, what is too much is no part of it.
        row.resize(head.len(), String::new());
        row.iter().map(|cell| runs(cell)).collect()
    };
    let rows = rest[..body].iter().map(row).collect();
    let head = head.iter().map(|cell| runs(cell)).collect();
    Some((Block::Table { align, head, rows }, body + 2))
}

fn alignment(cell: &str) -> Option<Align> {
    let dashes = cell.trim_start_matches(':').trim_end_matches(':');
    if dashes.is_empty() || !dashes.chars().all(|c| c == '-') {
        return None;
    }
    Some(match (cell.starts_with(':'), cell.ends_with(':')) {
        (true, true) => Align::Center,
        (false, true) => Align::Right,
        _ => Align::Left,
    })
}

/// The cells of a line: between bars that no backslash escapes. (Bars in code are bars, as GitHub has it.)
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut().expect("there is always one");
        match (c, chars.peek()) {
            // The escape belongs to the table where it stands before a bar, and to the text elsewhere.
            ('\\', Some('|')) => {
                cell.push('|');
                chars.next();
            }
            ('\\', Some(next)) => {
                cell.extend(['\\', *next]);
                chars.next();
            }
            ('|', None) => {}
            ('|', Some(_)) => cells.push(String::new()),
            (c, _) => cell.push(c),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
