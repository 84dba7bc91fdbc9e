//! From a picture of the content to SVG.

use super::ink::Scheme;
use super::lines::{Chart, Line};
use super::{bars, heat, panels, spans};
use crate::domain::TimeRange;
use crate::report::content::{Table, Unit, Value};
use crate::report::picture::{Limit, Picture, Plot};

/// A picture as SVG, for a place. Its time axis is the window.
pub(in crate::report) fn draw(picture: &Picture, window: TimeRange, scheme: Scheme) -> String {
    let cells = Cells(&picture.table);
    let title = picture.table.title;
    match &picture.plot {
        Plot::Lines { values, band, mark, limits } => {
            let lines = values.iter().map(|id| cells.line(id)).collect();
            let marks = mark.map_or_else(Vec::new, |id| {
                cells.line(id).points.into_iter().filter_map(|(t, v)| Some((t, v?))).collect()
            });
            let band = band.map_or_else(Vec::new, |(lower, upper)| {
                let ends = cells.times().zip(cells.numbers(lower)).zip(cells.numbers(upper));
                ends.filter_map(|((time, low), high)| Some((time?, low?, high?))).collect()
            });
            let unit = values.first().map(|id| cells.unit(id));
            chart(title, window, lines, limits, unit, scheme, band, marks)
        }
        Plot::Series { series, value, limits } => {
            let mut lines: Vec<Line> = Vec::new();
            for ((name, time), number) in cells.texts(series).zip(cells.times()).zip(cells.numbers(value)) {
                let Some(time) = time else { continue };
                match lines.iter_mut().find(|l| l.label == name) {
                    Some(line) => line.points.push((time, number)),
                    None => lines.push(Line { label: name, points: vec![(time, number)] }),
                }
            }
            chart(title, window, lines, limits, Some(cells.unit(value)), scheme, Vec::new(), Vec::new())
        }
        Plot::Panels { panel, values, limits } => {
            let mut panels: Vec<panels::Panel> = Vec::new();
            let columns: Vec<Vec<Option<f64>>> =
                values.iter().map(|id| cells.numbers(id).collect()).collect();
            for (row, (name, time)) in cells.texts(panel).zip(cells.times()).enumerate() {
                let Some(time) = time else { continue };
                let at = panels.iter().position(|p| p.name == name).unwrap_or_else(|| {
                    panels.push(panels::Panel { name, lines: vec![Vec::new(); columns.len()] });
                    panels.len() - 1
                });
                for (line, column) in panels[at].lines.iter_mut().zip(&columns) {
                    line.push((time, column[row]));
                }
            }
            let labels: Vec<String> = values.iter().map(|id| cells.label(id).to_owned()).collect();
            let unit = values.first().map_or(Unit::Plain, |id| cells.unit(id));
            let span = (window.from(), window.to());
            panels::draw(
                &panels::Panels { title, panels, labels, unit, span, limits: &named(limits) },
                scheme,
            )
        }
        Plot::Heat { row, column, value, status } => {
            let values = cells.values(value).map(|v| (v.clone(), cells.unit(value)));
            let places = cells.texts(row).zip(cells.texts(column)).zip(values).zip(cells.texts(status));
            let cells =
                places.map(|(((row, column), value), status)| heat::Cell { row, column, value, status });
            heat::draw(title, &cells.collect::<Vec<_>>(), scheme)
        }
        Plot::Spans { lane, ends, class, classes } => {
            let times = |id| cells.values(id).map(Value::as_time);
            let rows = cells.texts(lane).zip(times(ends.0)).zip(times(ends.1)).zip(cells.texts(class));
            let spans = rows.filter_map(|(((lane, from), to), class)| {
                let class = classes.iter().position(|(id, _)| *id == class)?;
                Some(spans::Span { lane, from: from?, to: to?, class })
            });
            let names: Vec<&str> = classes.iter().map(|(_, name)| *name).collect();
            spans::draw(title, &spans.collect::<Vec<_>>(), &names, (window.from(), window.to()), scheme)
        }
        Plot::Bars { label, value } => {
            let bars = cells.texts(label).zip(cells.values(value).cloned()).collect::<Vec<_>>();
            bars::draw(title, &bars, cells.unit(value), scheme)
        }
    }
}

#[allow(clippy::too_many_arguments)] // The parts of one struct, gathered where they are known.
fn chart(
    title: &str,
    window: TimeRange,
    lines: Vec<Line>,
    limits: &[Limit],
    unit: Option<Unit>,
    scheme: Scheme,
    band: Vec<(i64, f64, f64)>,
    marks: Vec<(i64, f64)>,
) -> String {
    let span = Some((window.from(), window.to()));
    let (title, value, limits) = (title.to_owned(), String::new(), named(limits));
    Chart { title, value, lines, band, marks, limits, unit, span }.draw(scheme)
}

fn named(limits: &[Limit]) -> Vec<(String, f64)> {
    limits.iter().map(|l| (l.label.clone(), l.value)).collect()
}

/// A table by the ids of its columns. A column that is not there has no values.
struct Cells<'t>(&'t Table);

impl<'t> Cells<'t> {
    fn values(&self, id: &str) -> impl Iterator<Item = &'t Value> + use<'t> {
        let position = self.0.columns.iter().position(|c| c.id == id);
        let rows = &self.0.rows;
        rows.iter().map(move |row| position.and_then(|p| row.get(p)).unwrap_or(&Value::Missing))
    }

    fn numbers(&self, id: &str) -> impl Iterator<Item = Option<f64>> + use<'t> {
        self.values(id).map(Value::as_f64)
    }

    fn times(&self) -> impl Iterator<Item = Option<i64>> + use<'t> {
        self.values("time").map(Value::as_time)
    }

    fn texts(&self, id: &str) -> impl Iterator<Item = String> + use<'t> {
        self.values(id).map(|v| v.as_text().unwrap_or_default().to_owned())
    }

    fn line(&self, id: &str) -> Line {
        let points = self.times().zip(self.numbers(id)).filter_map(|(time, value)| Some((time?, value)));
        Line { label: self.label(id).to_owned(), points: points.collect() }
    }

    fn label(&self, id: &str) -> &'static str {
        self.0.columns.iter().find(|c| c.id == id).map_or("", |c| c.label)
    }

    fn unit(&self, id: &str) -> Unit {
        self.0.columns.iter().find(|c| c.id == id).map_or(Unit::Plain, |c| c.unit)
    }
}
