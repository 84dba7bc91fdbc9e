//! Lines over time, with a band, marks and limits.

use std::fmt::Write;

use super::axis::{Area, Scale};
use super::ink::{Scheme, dash};
use super::svg::{Svg, WIDTH, legend_height};
use crate::domain::format_timestamp;
use crate::report::content::Unit;

const LEFT: f64 = 76.0;
const RIGHT: f64 = 16.0;
const HEIGHT: f64 = 300.0;
/// Room for the labels of the times and the caption.
pub(super) const BELOW: f64 = 48.0;
/// Room for the title.
pub(super) const ABOVE: f64 = 28.0;

/// A series over time. A point without a value breaks the line: no data is not zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub label: String,
    /// Time in UTC microseconds, ascending, and value.
    pub points: Vec<(i64, Option<f64>)>,
}

/// A chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What the values are, with their unit.
    pub value: String,
    /// The series.
    pub lines: Vec<Line>,
    /// Where values are expected: time, lower and upper end.
    pub band: Vec<(i64, f64, f64)>,
    /// Times and values to point at.
    pub marks: Vec<(i64, f64)>,
    /// A horizontal line with its name.
    pub limits: Vec<(String, f64)>,
    /// The unit that the labels of the values carry; plain numbers without.
    pub unit: Option<Unit>,
    /// The time that the axis shows; without, that of the points.
    pub span: Option<(i64, i64)>,
}

impl Chart {
    /// The picture, to stand alone; one that says so when there is no data.
    pub fn to_svg(&self) -> String {
        self.draw(Scheme::Paper)
    }

    /// The picture for a place.
    pub fn draw(&self, scheme: Scheme) -> String {
        let labels: Vec<String> = self.lines.iter().map(|l| l.label.clone()).collect();
        let top = ABOVE + legend_height(LEFT, &labels) + 8.0;
        let height = top + HEIGHT - ABOVE;
        let mut svg = Svg::new(&self.title, height, scheme);
        svg.title(0.0, &self.title);
        let area = Area { left: LEFT, right: WIDTH - RIGHT, top, bottom: height - BELOW };
        match self.scale(area) {
            None => svg.text(LEFT, height / 2.0, "start", svg.ink.quiet, "No data."),
            Some(scale) => {
                svg.legend(LEFT, ABOVE + 10.0, &labels);
                scale.values(&mut svg, self.unit, 5);
                scale.times(&mut svg);
                scale.caption(&mut svg, &self.value);
                self.band(&mut svg, &scale);
                for (i, line) in self.lines.iter().enumerate() {
                    stroke(&mut svg, &scale, &line.points, i);
                }
                scale.limits(&mut svg, &self.limits);
                self.points(&mut svg, &scale);
            }
        }
        svg.finish()
    }

    fn scale(&self, area: Area) -> Option<Scale> {
        let values = || self.lines.iter().flat_map(|l| &l.points).filter_map(|(t, v)| Some((*t, (*v)?)));
        let values = || values().filter(|(_, v)| v.is_finite());
        let first = values().map(|(t, _)| t).min()?;
        let last = values().map(|(t, _)| t).max()?;
        let also = self.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        let also = also.chain(self.limits.iter().map(|(_, v)| *v)).chain(self.marks.iter().map(|(_, v)| *v));
        Scale::around(area, self.span.unwrap_or((first, last)), values().map(|(_, v)| v).chain(also))
    }

    fn band(&self, svg: &mut Svg, scale: &Scale) {
        let (Some(first), Some(_)) = (self.band.first(), self.band.get(1)) else { return };
        let mut path = format!("M{:.1} {:.1}", scale.x(first.0), scale.y(first.2));
        let upper = self.band.iter().skip(1).map(|b| (b.0, b.2));
        let lower = self.band.iter().rev().map(|b| (b.0, b.1));
        for (time, value) in upper.chain(lower) {
            let _ = write!(path, "L{:.1} {:.1}", scale.x(time), scale.y(value));
        }
        let fill = svg.ink.of_series(0);
        svg.put(format_args!("<path d=\"{path}Z\" fill=\"{fill}\" fill-opacity=\"0.15\"/>"));
    }

    fn points(&self, svg: &mut Svg, scale: &Scale) {
        let alarm = svg.ink.alarm;
        for (time, value) in self.marks.iter().filter(|(_, v)| v.is_finite()) {
            svg.put(format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{alarm}\"><title>{}: {value}</title></circle>",
                scale.x(*time),
                scale.y(*value),
                format_timestamp(*time)
            ));
        }
    }
}

/// One series as a line with gaps.
pub(super) fn stroke(svg: &mut Svg, scale: &Scale, points: &[(i64, Option<f64>)], position: usize) {
    let mut path = String::new();
    let mut is_down = false;
    for (i, (time, value)) in points.iter().enumerate() {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            is_down = false;
            continue;
        };
        let step = if is_down { 'L' } else { 'M' };
        let _ = write!(path, "{step}{:.1} {:.1}", scale.x(*time), scale.y(value));
        let goes_on = points.get(i + 1).is_some_and(|(_, next)| next.is_some_and(f64::is_finite));
        if !is_down && !goes_on {
            // A point between two gaps is a dot.
            path.push_str("h0.1");
        }
        is_down = true;
    }
    if path.is_empty() {
        return;
    }
    let (colour, dash) = (svg.ink.of_series(position), dash(position));
    svg.put(format_args!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.7\" stroke-linejoin=\"round\" \
         stroke-linecap=\"round\"{dash}/>"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(i64, Option<f64>)]) -> Chart {
        let line = Line { label: "a<b".into(), points: points.to_vec() };
        Chart { title: "T & U".into(), value: "ms".into(), lines: vec![line], ..Chart::default() }
    }

    #[test]
    fn a_point_without_a_value_breaks_the_line() {
        let svg =
            chart(&[(0, Some(1.0)), (1, Some(2.0)), (2, None), (3, Some(1.0)), (4, Some(f64::NAN))]).to_svg();
        let path = svg.lines().find(|l| l.starts_with("<path")).unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
        assert_eq!(path.matches("h0.1").count(), 1, "{path}");
        assert!(svg.contains("T &amp; U") && svg.contains("a&lt;b") && !svg.contains("NaN"));
    }

    #[test]
    fn a_chart_without_data_says_so() {
        assert!(chart(&[]).to_svg().contains("No data."));
        assert!(chart(&[(5, None)]).to_svg().contains("No data."));
    }

    #[test]
    fn one_point_and_a_constant_have_a_scale() {
        for points in [&[(7, Some(0.0))][..], &[(7, Some(3.0)), (8, Some(3.0))]] {
            let svg = chart(points).to_svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn a_page_brings_its_own_colours() {
        let svg = chart(&[(0, Some(1.0)), (1, Some(2.0))]).draw(Scheme::Page);
        assert!(svg.contains("var(--s1)") && !svg.contains('#'), "{svg}");
        assert!(!chart(&[(0, Some(1.0))]).to_svg().contains("var("));
    }

    #[test]
    fn limits_close_to_each_other_keep_their_labels_apart() {
        let mut chart = chart(&[(0, Some(0.0)), (1, Some(5000.0))]);
        chart.limits = vec![("target".into(), 150.0), ("threshold".into(), 200.0)];
        let svg = chart.to_svg();
        let x = |name: &str| {
            let line = svg.lines().find(|l| l.ends_with(&format!(">{name}</text>"))).unwrap();
            line.split('"').nth(1).unwrap().parse::<f64>().unwrap()
        };
        assert!(x("threshold") - x("target") > super::super::svg::width("threshold"));
    }
}
