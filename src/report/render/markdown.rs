//! Markdown (CommonMark with the tables of GitHub).
//!
//! Every text is escaped, ours as well as telemetry's: the content holds no markup. A service that calls
//! itself `| <script> |` is a cell that reads so.

use std::fmt::Write;

use crate::domain::{TimeRange, format_timestamp};
use crate::report::content::{Block, Figures, Report, Table, Unit, Value};
use crate::report::format::{count, in_cell, is_text};
use crate::report::picture::Picture;
use crate::report::plain::{breaks_line, is_hidden};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::with_capacity(16 * 1024);
    put(&mut out, format_args!("# {}\n\n", escape(&report.title)));
    put(&mut out, format_args!("**{}**\n\n", escape(&report.headline)));
    let numbered = report.sections.iter().filter(|s| s.id != "about").count();
    for (position, section) in report.sections.iter().enumerate() {
        let number = if position < numbered { format!("{}. ", position + 1) } else { String::new() };
        put(&mut out, format_args!("## {number}{}\n\n", escape(section.title)));
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => put(&mut out, format_args!("{}\n\n", paragraph(text))),
                Block::List(items) => list(&mut out, items),
                Block::Figures(figures) => key_figures(&mut out, figures, report.window),
                Block::Table(table) => rows(&mut out, table, report.window),
                Block::Picture(picture) => chart(&mut out, picture),
                Block::Advice(table) => advice(&mut out, table),
            }
        }
    }
    provenance(&mut out, report);
    out
}

/// Writing to a `String` cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes every text");
}

fn list(out: &mut String, items: &[String]) {
    for item in items {
        put(out, format_args!("- {}\n", paragraph(item)));
    }
    out.push('\n');
}

fn key_figures(out: &mut String, figures: &Figures, window: TimeRange) {
    put(out, format_args!("### {}\n\n", escape(figures.title)));
    match &figures.compared {
        None => out.push_str("| Figure | Value |\n|:---|---:|\n"),
        Some(compared) => {
            let with = escape(&compared.with);
            put(out, format_args!("| Figure | Value | In {with} | Change |\n|:---|---:|---:|---:|\n"));
        }
    }
    for figure in &figures.figures {
        put(out, format_args!("| {} | {} |", escape(figure.label), cell(&figure.value, figure.unit, window)));
        if figures.compared.is_some() {
            let before = cell(&figure.before, figure.unit, window);
            put(out, format_args!(" {before} | {} |", cell(&figure.change(), Unit::Percent, window)));
        }
        out.push('\n');
    }
    out.push('\n');
}

/// Markdown has no pictures of its own; it says where this one is.
fn chart(out: &mut String, picture: &Picture) {
    let table = &picture.table;
    if picture.has_data() {
        let title = escape(table.title);
        put(out, format_args!("*Drawn in the HTML and PDF forms: {title}. Its rows: `{}`*\n\n", table.sql));
    } else {
        put(out, format_args!("### {}\n\n{}\n\n", escape(table.title), paragraph(table.empty)));
    }
}

fn rows(out: &mut String, table: &Table, window: TimeRange) {
    put(out, format_args!("### {}\n\n", escape(table.title)));
    if table.rows.is_empty() {
        put(out, format_args!("{}\n\n", paragraph(table.empty)));
        return;
    }
    let labels: Vec<_> = table.columns.iter().map(|c| escape(c.label)).collect();
    let rules: Vec<_> = table.columns.iter().map(|c| if is_text(c.unit) { ":---" } else { "---:" }).collect();
    put(out, format_args!("| {} |\n|{}|\n", labels.join(" | "), rules.join("|")));
    for row in &table.rows {
        let cells: Vec<_> =
            row.iter().zip(&table.columns).map(|(value, c)| cell(value, c.unit, window)).collect();
        put(out, format_args!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
    let cut = table.total_rows - table.rows.len();
    if cut > 0 {
        let cut = count(i64::try_from(cut).unwrap_or(i64::MAX), "more row", "more rows");
        put(out, format_args!("{cut}; all of them: `{}`\n\n", table.sql));
    }
}

fn advice(out: &mut String, table: &Table) {
    if table.rows.is_empty() {
        put(out, format_args!("{}\n\n", paragraph(table.empty)));
        return;
    }
    let field = |row: &[Value], id: &str| {
        let position = table.columns.iter().position(|c| c.id == id)?;
        row.get(position)?.as_text().map(escape)
    };
    for (position, row) in table.rows.iter().enumerate() {
        put(out, format_args!("{}. {}", position + 1, field(row, "text").unwrap_or_default()));
        if let Some(why) = field(row, "evidence") {
            put(out, format_args!("  \n   Why: {why}."));
        }
        if let Some(runbook) = field(row, "runbook") {
            put(out, format_args!("  \n   Runbook: {runbook}"));
        }
        out.push('\n');
    }
    out.push('\n');
}

fn provenance(out: &mut String, report: &Report) {
    let versions: Vec<_> =
        report.versions.iter().map(|v| format!("{} version {}", escape(&v.table), v.version)).collect();
    let read = if versions.is_empty() { "no table of a lake".to_owned() } else { versions.join(", ") };
    put(
        out,
        format_args!(
            "---\n\nRead from {read}. Written by tars {}, as of {}.\n",
            escape(&report.tool_version),
            format_timestamp(report.window.to()),
        ),
    );
}

fn cell(value: &Value, unit: Unit, window: TimeRange) -> String {
    escape(&in_cell(value, unit, window))
}

/// Text at the start of a line, where some characters mean more than elsewhere.
fn paragraph(text: &str) -> String {
    let text = escape(text);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    if text.starts_with(['#', '-', '+', '=']) {
        format!("\\{text}")
    } else if digits > 0 && text[digits..].starts_with(['.', ')']) {
        // `1. x` at the start of a line is a list.
        format!("{}\\{}", &text[..digits], &text[digits..])
    } else {
        text
    }
}

/// Plain text as Markdown that reads the same: nothing in it is markup, a link, a line break or a hidden
/// character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Inside a word an underscore is plain.
            '_' => {
                let inside = previous.is_alphanumeric() && rest.peek().is_some_and(|n| n.is_alphanumeric());
                out.push_str(if inside { "_" } else { "\\_" });
            }
            // Bare addresses become links, and names after an at sign mentions.
            ':' if rest.peek() == Some(&'/') => out.push_str("\\:"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            '@' => out.push_str("&#64;"),
            c if breaks_line(c) => {
                if previous != ' ' {
                    out.push(' ');
                }
                previous = ' ';
                continue;
            }
            c if is_hidden(c) => put(&mut out, format_args!("\\\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
        previous = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::content::Column;

    fn check(text: &str, expected: &str) {
        assert_eq!(escape(text), expected);
    }

    #[test]
    fn no_text_is_markup() {
        check("evaluation_api", "evaluation_api");
        check("_under_", "\\_under\\_");
        check("a | b", "a \\| b");
        check("a\r\nb\n", "a b ");
        check("`rm`", "\\`rm\\`");
        check("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;");
        check("[x](http://evil)", "\\[x\\](http\\://evil)");
        check("www.evil.com", "www\\.evil.com");
        check("&lt;", "&amp;lt;");
        check("a@b", "a&#64;b");
        check("\\|", "\\\\\\|");
        check("nul\0esc\x1b[0m", "nul\\\\u{0}esc\\\\u{1b}\\[0m");
        check("\u{202e}evil", "\\\\u{202e}evil");
        assert_eq!(paragraph("# title"), "\\# title");
        assert_eq!(paragraph("12. item"), "12\\. item");
        assert_eq!(paragraph("12 items"), "12 items");
    }

    fn table(rows: Vec<Vec<Value>>, total_rows: usize) -> String {
        let table = Table {
            id: "t",
            title: "Things",
            sql: "select name, n from things".to_owned(),
            columns: vec![
                Column { id: "name", label: "Name", unit: Unit::Text },
                Column { id: "n", label: "N", unit: Unit::Count },
            ],
            rows,
            total_rows,
            empty: "There are no things.",
        };
        let mut out = String::new();
        super::rows(&mut out, &table, TimeRange::day("2025-01-15").unwrap());
        out
    }

    #[test]
    fn a_hostile_cell_stays_one_cell() {
        let text = table(vec![vec![Value::Text("a|b\n| c".into()), Value::Integer(1_000)]], 1);
        assert_eq!(text, "### Things\n\n| Name | N |\n|:---|---:|\n| a\\|b \\| c | 1,000 |\n\n");
    }

    #[test]
    fn an_empty_table_says_why_and_a_cut_one_how_to_see_the_rest() {
        assert_eq!(table(vec![], 0), "### Things\n\nThere are no things.\n\n");
        let text = table(vec![vec![Value::Missing, Value::Missing]], 3);
        assert!(
            text.ends_with("| – | no data |\n\n2 more rows; all of them: `select name, n from things`\n\n"),
            "{text}"
        );
    }
}
