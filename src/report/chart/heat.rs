//! A grid of numbers, coloured by status.

use super::ink::Scheme;
use super::svg::{Svg, WIDTH, escape, fit, width};
use crate::report::content::{Unit, Value};
use crate::report::format::show;

/// A number of the grid.
pub(super) struct Cell {
    pub(super) row: String,
    pub(super) column: String,
    pub(super) value: (Value, Unit),
    /// `ok`, `warning`, `critical`; anything else is no data.
    pub(super) status: String,
}

const ROW: f64 = 24.0;
const TOP: f64 = 54.0;
const LEGEND: f64 = 42.0;

pub(super) fn draw(title: &str, cells: &[Cell], scheme: Scheme) -> String {
    let rows = distinct(cells.iter().map(|c| &c.row));
    let columns = distinct(cells.iter().map(|c| &c.column));
    let longest = rows.iter().map(|row| width(row)).fold(0.0, f64::max);
    let left = longest.min(WIDTH * 0.3) + 12.0;
    let step = (WIDTH - left) / columns.len().max(1) as f64;
    let step = step.min(150.0);
    let bottom = TOP + ROW * rows.len() as f64;
    let mut svg = Svg::new(title, bottom + LEGEND, scheme);
    svg.title(0.0, title);
    for (i, column) in columns.iter().enumerate() {
        let middle = left + step * (i as f64 + 0.5);
        svg.text(middle, TOP - 8.0, "middle", svg.ink.quiet, &fit(column, step - 2.0));
    }
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + ROW * i as f64 + 16.0;
        svg.text(left - 8.0, y, "end", svg.ink.text, &fit(row, left - 10.0));
    }
    for cell in cells {
        let place =
            |names: &[&String], name| names.iter().position(|n| *n == name).unwrap_or_default() as f64;
        let (x, y) = (left + step * place(&columns, &cell.column), TOP + ROW * place(&rows, &cell.row));
        let text = match cell.value.0 {
            Value::Missing => "–".to_owned(),
            ref value => show(value, cell.value.1),
        };
        draw_cell(&mut svg, (x, y), step, &cell.status, &text);
    }
    let mut x = left;
    for (status, name) in [("ok", "ok"), ("warning", "warning"), ("critical", "critical"), ("", "– no data")]
    {
        draw_cell(&mut svg, (x, bottom + 8.0), 34.0, status, "");
        svg.text(x + 40.0, bottom + 24.0, "start", svg.ink.quiet, name);
        x += 60.0 + width(name);
    }
    svg.finish()
}

fn draw_cell(svg: &mut Svg, (x, y): (f64, f64), step: f64, status: &str, text: &str) {
    let (fill, opacity, stroke, weight) = match status {
        "critical" => (svg.ink.alarm, "0.42", svg.ink.alarm, "700"),
        "warning" => (svg.ink.warning, "0.28", "none", "600"),
        "ok" => (svg.ink.grid, "0.55", "none", "400"),
        _ => ("none", "1", svg.ink.grid, "400"),
    };
    svg.put(format_args!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" fill=\"{fill}\" \
         fill-opacity=\"{opacity}\" stroke=\"{stroke}\"/>",
        x + 1.5,
        y + 1.5,
        step - 3.0,
        ROW - 3.0
    ));
    if !text.is_empty() {
        let text = escape(&fit(text, step - 4.0));
        svg.put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"{weight}\">{text}</text>",
            x + step / 2.0,
            y + 16.0
        ));
    }
}

/// The names in the order in which they first appear.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut seen: Vec<&String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_its_number_and_its_status_without_colour() {
        let cell = |row: &str, column: &str, value, status: &str| Cell {
            row: row.into(),
            column: column.into(),
            value: (value, Unit::Percent),
            status: status.into(),
        };
        let cells = [
            cell("error_rate", "us-east-1", Value::Number(12.5), "critical"),
            cell("error_rate", "us-west-2", Value::Number(f64::INFINITY), "warning"),
            cell("cpu", "us-east-1", Value::Missing, ""),
        ];
        let svg = draw("T", &cells, Scheme::Paper);
        let weight = |text: &str| {
            let line = svg
                .lines()
                .find(|l| l.ends_with(&format!(">{text}</text>")))
                .unwrap_or_else(|| panic!("{svg}"));
            line.split("font-weight=\"").nth(1).map(|w| w[..3].to_owned()).unwrap()
        };
        assert_eq!(
            (weight("12.5 %"), weight("∞ %"), weight("–")),
            ("700".into(), "600".into(), "400".into())
        );
    }
}
