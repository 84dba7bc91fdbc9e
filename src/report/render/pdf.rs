//! The report as a document for the typesetter.

use crate::domain::{TimeRange, format_timestamp};
use crate::report::chart::{Scheme, draw};
use crate::report::content::{Block, Figures, Report, Table, Unit};
use crate::report::format::{count, in_cell, is_text};
use crate::report::pdf::{Align, Block as Set, Document, Run};
use crate::report::picture::Picture;

/// The pages of a report, before they are set.
pub(in crate::report) fn document(report: &Report) -> Document {
    let mut blocks =
        vec![heading(1, &report.title), Set::Paragraph { runs: vec![Run::strong(&report.headline)] }];
    for (position, section) in report.sections.iter().enumerate() {
        let number = if section.id == "about" { String::new() } else { format!("{}. ", position + 1) };
        blocks.push(heading(2, &format!("{number}{}", section.title)));
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => blocks.push(paragraph(text)),
                Block::List(items) => {
                    let items = items.iter().map(|item| vec![paragraph(item)]).collect();
                    blocks.push(Set::List { start: None, items });
                }
                Block::Figures(figures) => key_figures(&mut blocks, figures, report.window),
                Block::Table(table) => rows(&mut blocks, table, report.window),
                Block::Picture(picture) => chart(&mut blocks, picture, report.window),
                Block::Advice(table) => advice(&mut blocks, table),
            }
        }
    }
    blocks.push(Set::Rule);
    blocks.push(paragraph(&provenance(report)));
    Document { title: report.title.clone(), footer: report.title.clone(), blocks }
}

fn heading(level: u8, text: &str) -> Set {
    Set::Heading { level, runs: vec![Run::plain(text)] }
}

fn paragraph(text: &str) -> Set {
    Set::Paragraph { runs: vec![Run::plain(text)] }
}

fn key_figures(blocks: &mut Vec<Set>, figures: &Figures, window: TimeRange) {
    let mut head = vec!["Figure".to_owned(), "Value".to_owned()];
    if let Some(compared) = &figures.compared {
        head.extend([format!("In {}", compared.with), "Change".to_owned()]);
    }
    let rows = figures.figures.iter().map(|figure| {
        let mut row = vec![figure.label.to_owned(), in_cell(&figure.value, figure.unit, window)];
        if figures.compared.is_some() {
            row.push(in_cell(&figure.before, figure.unit, window));
            row.push(in_cell(&figure.change(), Unit::Percent, window));
        }
        row
    });
    let mut align = vec![Align::Right; head.len()];
    align[0] = Align::Left;
    blocks.push(heading(3, figures.title));
    blocks.push(table(align, &head, rows));
}

fn rows(blocks: &mut Vec<Set>, shown: &Table, window: TimeRange) {
    blocks.push(heading(3, shown.title));
    if shown.rows.is_empty() {
        blocks.push(paragraph(shown.empty));
        return;
    }
    let align =
        shown.columns.iter().map(|c| if is_text(c.unit) { Align::Left } else { Align::Right }).collect();
    let head: Vec<_> = shown.columns.iter().map(|c| c.label.to_owned()).collect();
    let rows = shown.rows.iter().map(|row| {
        row.iter().zip(&shown.columns).map(|(value, column)| in_cell(value, column.unit, window)).collect()
    });
    blocks.push(table(align, &head, rows));
    let cut = shown.total_rows - shown.rows.len();
    if cut > 0 {
        let cut = count(i64::try_from(cut).unwrap_or(i64::MAX), "more row", "more rows");
        blocks.push(paragraph(&format!("{cut}; the JSON form holds the query that gives all of them.")));
    }
}

fn table(align: Vec<Align>, head: &[String], rows: impl Iterator<Item = Vec<String>>) -> Set {
    let cells = |row: &[String]| row.iter().map(|cell| vec![Run::plain(cell)]).collect();
    Set::Table { align, head: cells(head), rows: rows.map(|row| cells(&row)).collect() }
}

fn chart(blocks: &mut Vec<Set>, picture: &Picture, window: TimeRange) {
    if picture.has_data() {
        let svg = draw(picture, window, Scheme::Paper);
        blocks.push(Set::Picture { svg, alt: picture.table.title.to_owned() });
        if !picture.note.is_empty() {
            blocks.push(paragraph(&picture.note));
        }
    } else {
        blocks.extend([heading(3, picture.table.title), paragraph(picture.table.empty)]);
    }
}

fn advice(blocks: &mut Vec<Set>, table: &Table) {
    if table.rows.is_empty() {
        blocks.push(paragraph(table.empty));
        return;
    }
    let items = table.rows.iter().map(|row| {
        let field = |id: &str| {
            let position = table.columns.iter().position(|c| c.id == id)?;
            row.get(position)?.as_text()
        };
        let mut runs = vec![Run::strong(field("text").unwrap_or_default())];
        for (name, id) in [("Why", "evidence"), ("Runbook", "runbook")] {
            if let Some(text) = field(id) {
                runs.push(Run { ends_line: true, ..Run::default() });
                runs.push(Run::plain(format!("{name}: {text}")));
            }
        }
        vec![Set::Paragraph { runs }]
    });
    let items = items.collect();
    blocks.push(Set::List { start: Some(1), items });
}

fn provenance(report: &Report) -> String {
    let versions: Vec<_> =
        report.versions.iter().map(|v| format!("{} version {}", v.table, v.version)).collect();
    let read = if versions.is_empty() { "no table of a lake".to_owned() } else { versions.join(", ") };
    let at = format_timestamp(report.window.to());
    format!("Read from {read}. Written by tars {}, as of {at}.", report.tool_version)
}
