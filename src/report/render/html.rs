//! HTML: one file that needs nothing else. No script, no font, no address; charts are SVG in the page.
//!
//! Every text is escaped, ours as well as telemetry's, and stands between tags or in a quoted attribute.

use std::fmt::{Arguments, Write};

use crate::domain::{TimeRange, format_timestamp};
use crate::report::chart::{Scheme, draw};
use crate::report::content::{Block, Column, Figures, Report, Section, Table, Unit, Value};
use crate::report::format::{count, in_cell, is_text, show};
use crate::report::picture::Picture;
use crate::report::plain::visible;

/// Colours for light and dark, and a layout from phones to paper.
const STYLE: &str = include_str!("page.css");
/// Nothing is fetched and nothing runs, whatever a text should manage to say.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Characters up to which a text keeps to one line of its cell: names of services and regions.
const STAYS_ON_A_LINE: usize = 28;

pub(super) fn render(report: &Report) -> String {
    let mut page = Page { out: String::with_capacity(128 * 1024), window: report.window };
    let title = escape(&report.title);
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>"
    ));
    page.head(report, &title);
    page.put(format_args!("<main>"));
    for (position, section) in report.sections.iter().enumerate() {
        page.section(position, section);
    }
    page.put(format_args!("</main>"));
    page.foot(report);
    page.put(format_args!("</body>\n</html>"));
    page.out
}

/// The page as far as it is written.
struct Page {
    out: String,
    window: TimeRange,
}

impl Page {
    /// A line. Writing to a `String` cannot fail.
    fn put(&mut self, line: Arguments<'_>) {
        self.out.write_fmt(line).expect("a String takes every text");
        self.out.push('\n');
    }

    fn head(&mut self, report: &Report, title: &str) {
        self.put(format_args!("<header>\n<h1>{title}</h1>"));
        let score = match report.health_score {
            Some(score) => show(&Value::number(score, Unit::Points), Unit::Points),
            None => "–".to_owned(),
        };
        self.put(format_args!(
            "<p class=\"health\"><strong>{score}</strong> <span>{}</span></p>",
            escape(&report.headline)
        ));
        self.put(format_args!("<nav aria-label=\"Sections\"><ol>"));
        for (position, section) in report.sections.iter().enumerate() {
            let number = number(position, section);
            self.put(format_args!(
                "<li><a href=\"#{}\">{number}{}</a></li>",
                section.id,
                escape(section.title)
            ));
        }
        self.put(format_args!("</ol></nav>\n</header>"));
    }

    fn section(&mut self, position: usize, section: &Section) {
        let number = number(position, section);
        self.put(format_args!("<section id=\"{}\">\n<h2>{number}{}</h2>", section.id, escape(section.title)));
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => self.put(format_args!("<p>{}</p>", escape(text))),
                Block::List(items) => {
                    self.put(format_args!("<ul>"));
                    for item in items {
                        self.put(format_args!("<li>{}</li>", escape(item)));
                    }
                    self.put(format_args!("</ul>"));
                }
                Block::Figures(figures) => self.figures(figures),
                Block::Table(table) => self.table(table),
                Block::Picture(picture) => self.picture(picture),
                Block::Advice(table) => self.advice(table),
            }
        }
        self.put(format_args!("</section>"));
    }

    fn figures(&mut self, figures: &Figures) {
        self.put(format_args!(
            "<figure id=\"{}\">\n<figcaption>{}</figcaption>\n<dl class=\"cards\">",
            figures.id,
            escape(figures.title)
        ));
        for figure in &figures.figures {
            let value = escape(&in_cell(&figure.value, figure.unit, self.window));
            self.put(format_args!("<div><dt>{}</dt><dd>{value}</dd>", escape(figure.label)));
            if let Some(compared) = &figures.compared {
                let before = escape(&in_cell(&figure.before, figure.unit, self.window));
                let change = match figure.change() {
                    Value::Missing => String::new(),
                    change => format!(" (change {})", escape(&show(&change, Unit::Percent))),
                };
                let with = escape(&compared.with);
                self.put(format_args!("<dd class=\"was\">{before} in {with}{change}</dd>"));
            }
            self.put(format_args!("</div>"));
        }
        self.put(format_args!("</dl>"));
        let compared = figures.compared.iter().map(|c| c.sql.as_str());
        self.queries(std::iter::once(figures.sql.as_str()).chain(compared));
        self.put(format_args!("</figure>"));
    }

    fn table(&mut self, table: &Table) {
        self.put(format_args!(
            "<figure id=\"{}\">\n<figcaption>{}</figcaption>",
            table.id,
            escape(table.title)
        ));
        if table.rows.is_empty() {
            self.put(format_args!("<p>{}</p>", escape(table.empty)));
        } else {
            self.put(format_args!("<div class=\"scroll\"><table>\n<thead><tr>"));
            for column in &table.columns {
                let class = class(column);
                self.put(format_args!("<th scope=\"col\"{class}>{}</th>", escape(column.label)));
            }
            self.put(format_args!("</tr></thead>\n<tbody>"));
            for row in &table.rows {
                self.out.push_str("<tr>");
                for (value, column) in row.iter().zip(&table.columns) {
                    let is_short =
                        value.as_text().is_some_and(|text| text.chars().count() <= STAYS_ON_A_LINE);
                    let class = if is_short { " class=\"t\"" } else { class(column) };
                    let cell = self.cell(value, column);
                    let _ = write!(self.out, "<td{class}>{cell}</td>");
                }
                self.out.push_str("</tr>\n");
            }
            self.put(format_args!("</tbody></table></div>"));
            let cut = table.total_rows - table.rows.len();
            if cut > 0 {
                let cut = count(i64::try_from(cut).unwrap_or(i64::MAX), "more row", "more rows");
                self.put(format_args!("<p>{cut}; the query gives all of them.</p>"));
            }
        }
        self.queries(std::iter::once(table.sql.as_str()));
        self.put(format_args!("</figure>"));
    }

    fn cell(&self, value: &Value, column: &Column) -> String {
        let text = escape(&in_cell(value, column.unit, self.window));
        match (column.id, text.as_str()) {
            ("severity" | "status", word @ ("critical" | "error" | "warning" | "info" | "ok")) => {
                format!("<span class=\"chip {word}\">{word}</span>")
            }
            _ => text,
        }
    }

    fn picture(&mut self, picture: &Picture) {
        let table = &picture.table;
        self.put(format_args!("<figure class=\"chart\" id=\"{}\">", table.id));
        if picture.has_data() {
            let svg = draw(picture, self.window, Scheme::Page);
            self.put(format_args!("<div class=\"scroll\">\n{svg}</div>"));
            if !picture.note.is_empty() {
                self.put(format_args!("<p>{}</p>", escape(&picture.note)));
            }
        } else {
            let (title, empty) = (escape(table.title), escape(table.empty));
            self.put(format_args!("<figcaption>{title}</figcaption>\n<p>{empty}</p>"));
        }
        self.queries(std::iter::once(table.sql.as_str()));
        self.put(format_args!("</figure>"));
    }

    fn advice(&mut self, table: &Table) {
        self.put(format_args!("<figure id=\"{}\">", table.id));
        if table.rows.is_empty() {
            self.put(format_args!("<p>{}</p>", escape(table.empty)));
        } else {
            self.put(format_args!("<ol class=\"advice\">"));
            for row in &table.rows {
                let field = |id: &str| {
                    let position = table.columns.iter().position(|c| c.id == id)?;
                    row.get(position)?.as_text().map(escape)
                };
                self.put(format_args!("<li><p>{}</p>", field("text").unwrap_or_default()));
                if let Some(why) = field("evidence") {
                    self.put(format_args!("<p class=\"why\">Why: {why}.</p>"));
                }
                if let Some(runbook) = field("runbook") {
                    self.put(format_args!("<p class=\"why\">Runbook: <code>{runbook}</code></p>"));
                }
                self.put(format_args!("</li>"));
            }
            self.put(format_args!("</ol>"));
        }
        self.queries(std::iter::once(table.sql.as_str()));
        self.put(format_args!("</figure>"));
    }

    /// The queries behind something, folded away.
    fn queries<'a>(&mut self, queries: impl Iterator<Item = &'a str>) {
        self.put(format_args!("<details><summary>Query</summary>"));
        for query in queries {
            self.put(format_args!("<pre><code>{}</code></pre>", escape(query)));
        }
        self.put(format_args!("</details>"));
    }

    fn foot(&mut self, report: &Report) {
        let versions: Vec<_> =
            report.versions.iter().map(|v| format!("{} version {}", escape(&v.table), v.version)).collect();
        let read = if versions.is_empty() { "no table of a lake".to_owned() } else { versions.join(", ") };
        self.put(format_args!(
            "<footer><p>Read from {read}. Written by tars {}, as of {}.</p></footer>",
            escape(&report.tool_version),
            format_timestamp(report.window.to()),
        ));
    }
}

/// The number before a section's title; what stands after the seven has none.
fn number(position: usize, section: &Section) -> String {
    if section.id == "about" { String::new() } else { format!("{}. ", position + 1) }
}

fn class(column: &Column) -> &'static str {
    match column.unit {
        Unit::Time => " class=\"t\"",
        unit if is_text(unit) => "",
        _ => " class=\"n\"",
    }
}

/// Plain text as HTML that reads the same, between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escape("</td><script>alert('1')</script>\" onload=\"x&y"),
            "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;y"
        );
        assert_eq!(escape("\u{202e}evil\0"), "\\u{202e}evil\\u{0}");
    }
}
