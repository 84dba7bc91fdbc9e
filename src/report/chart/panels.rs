//! Small multiples: the same chart for each of several places, with the same axes.

use super::axis::{Area, Scale};
use super::ink::Scheme;
use super::lines::stroke;
use super::svg::{Svg, WIDTH, escape, fit, legend_height};
use crate::report::content::Unit;

/// One of the charts.
pub(super) struct Panel {
    pub(super) name: String,
    /// The points of each line.
    pub(super) lines: Vec<Vec<(i64, Option<f64>)>>,
}

/// All of them.
pub(super) struct Panels<'a> {
    pub(super) title: &'a str,
    pub(super) panels: Vec<Panel>,
    /// What the lines are.
    pub(super) labels: Vec<String>,
    pub(super) unit: Unit,
    pub(super) span: (i64, i64),
    pub(super) limits: &'a [(String, f64)],
}

const ACROSS: usize = 3;
const HEIGHT: f64 = 142.0;
/// Room in each panel: for values, at the right, for its name, for times.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const ABOVE: f64 = 24.0;
const BELOW: f64 = 26.0;

pub(super) fn draw(all: &Panels<'_>, scheme: Scheme) -> String {
    let down = all.panels.len().div_ceil(ACROSS);
    let top = 32.0 + legend_height(0.0, &all.labels);
    let mut svg = Svg::new(all.title, top + HEIGHT * down as f64 + 18.0, scheme);
    svg.title(0.0, all.title);
    svg.legend(0.0, 38.0, &all.labels);
    let width = WIDTH / ACROSS as f64;
    let values = || all.panels.iter().flat_map(|p| p.lines.iter().flatten()).filter_map(|(_, value)| *value);
    let values = || values().chain(all.limits.iter().map(|(_, value)| *value));
    for (i, panel) in all.panels.iter().enumerate() {
        let (x, y) = (width * (i % ACROSS) as f64, top + HEIGHT * (i / ACROSS) as f64);
        let area =
            Area { left: x + LEFT, right: x + width - RIGHT, top: y + ABOVE, bottom: y + HEIGHT - BELOW };
        svg.put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"600\">{}</text>",
            area.left,
            y + 16.0,
            escape(&fit(&panel.name, width - LEFT))
        ));
        if !panel.lines.iter().flatten().any(|(_, value)| value.is_some()) {
            svg.text(area.left, (area.top + area.bottom) / 2.0, "start", svg.ink.quiet, "No data.");
            continue;
        }
        let Some(scale) = Scale::around(area, all.span, values()) else { continue };
        scale.values(&mut svg, Some(all.unit), 3);
        scale.times(&mut svg);
        for (_, value) in all.limits {
            let (y, stroke) = (scale.y(*value), svg.ink.limit);
            svg.put(format_args!(
                "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{stroke}\" \
                 stroke-width=\"1.3\" stroke-dasharray=\"5 4\"/>",
                area.left, area.right
            ));
        }
        for (position, points) in panel.lines.iter().enumerate() {
            stroke(&mut svg, &scale, points, position);
        }
    }
    let limits: Vec<_> = all.limits.iter().map(|(name, _)| name.as_str()).collect();
    let dashed = if limits.is_empty() { String::new() } else { format!("; dashed: {}", limits.join(", ")) };
    let note = format!("All with the same axes; times are UTC{dashed}");
    let bottom = top + HEIGHT * down as f64 + 8.0;
    svg.text(0.0, bottom, "start", svg.ink.quiet, &fit(&note, WIDTH));
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_share_their_axes_and_one_without_data_says_so() {
        let panel = |name: &str, values: [Option<f64>; 2]| Panel {
            name: name.into(),
            lines: vec![vec![(0, values[0]), (60_000_000, values[1])]],
        };
        let panels = vec![
            panel("a", [Some(1.0), Some(2.0)]),
            panel("<b>", [Some(1.0), Some(900.0)]),
            panel("c", [None, None]),
        ];
        let limits = [("target".to_owned(), 150.0)];
        let all = Panels {
            title: "T",
            panels,
            labels: vec!["p95".into()],
            unit: Unit::Milliseconds,
            span: (0, 60_000_000),
            limits: &limits,
        };
        let svg = draw(&all, Scheme::Paper);
        assert_eq!(svg.matches(">500 ms</text>").count(), 2, "{svg}");
        assert_eq!((svg.matches("No data.").count(), svg.matches("&lt;b&gt;").count()), (1, 1));
        assert_eq!(svg.matches("stroke-dasharray=\"5 4\"").count(), 2);
    }
}
