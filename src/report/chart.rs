//! Line charts as SVG: a time axis, a value axis, lines, a band, marks. Standing alone, readable in light and
//! dark, and the same bytes for the same data.

use std::fmt::Write;

use crate::domain::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, format_timestamp};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 56.0;
/// Colours that people with colour-blindness tell apart (Okabe and Ito, "Color universal design", 2008).
const COLOURS: [&str; 6] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
const ALARM: &str = "#d55e00";
const LIMIT: &str = "#999999";

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
}

/// From data to the picture.
struct Scale {
    from: i64,
    to: i64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, time: i64) -> f64 {
        LEFT + (time - self.from) as f64 / (self.to - self.from) as f64 * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

impl Chart {
    /// The picture; one that says so when there is no data.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"12\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"18\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n",
            title = escape(&self.title)
        );
        match self.scale() {
            None => {
                let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">No data.</text>", HEIGHT / 2.0);
            }
            Some(scale) => self.draw(&mut svg, &scale),
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn scale(&self) -> Option<Scale> {
        let values = || self.lines.iter().flat_map(|l| &l.points).filter_map(|(t, v)| Some((*t, (*v)?)));
        let values = || values().filter(|(_, v)| v.is_finite());
        let from = values().map(|(t, _)| t).min()?;
        let to = values().map(|(t, _)| t).max()?;
        let also = self.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        let also = also.chain(self.limits.iter().map(|(_, v)| *v)).chain(self.marks.iter().map(|(_, v)| *v));
        let all: Vec<f64> = values().map(|(_, v)| v).chain(also).filter(|v| v.is_finite()).collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let room = if high > low { (high - low) * 0.05 } else { high.abs().max(1.0) * 0.1 };
        // A quantity that cannot be negative starts at 0.
        let low = if low >= 0.0 { 0.0 } else { low - room };
        Some(Scale { from, to: to.max(from + 1), low, high: high + room })
    }

    fn draw(&self, svg: &mut String, scale: &Scale) {
        self.axes(svg, scale);
        if let (Some(first), Some(_)) = (self.band.first(), self.band.get(1)) {
            let mut path = format!("M{:.1} {:.1}", scale.x(first.0), scale.y(first.2));
            self.band.iter().skip(1).for_each(|b| {
                let _ = write!(path, "L{:.1} {:.1}", scale.x(b.0), scale.y(b.2));
            });
            self.band.iter().rev().for_each(|b| {
                let _ = write!(path, "L{:.1} {:.1}", scale.x(b.0), scale.y(b.1));
            });
            let _ = writeln!(svg, "<path d=\"{path}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>", COLOURS[0]);
        }
        for (label, value) in &self.limits {
            let y = scale.y(*value);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{LIMIT}\" stroke-dasharray=\"5 4\"/>\n\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555555\">{}</text>",
                WIDTH - RIGHT,
                WIDTH - RIGHT,
                y - 4.0,
                escape(label)
            );
        }
        for (i, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let mut path = String::new();
            let mut is_down = false;
            for (time, value) in &line.points {
                let Some(value) = value.filter(|v| v.is_finite()) else {
                    is_down = false;
                    continue;
                };
                let step = if is_down { 'L' } else { 'M' };
                let _ = write!(path, "{step}{:.1} {:.1}", scale.x(*time), scale.y(value));
                is_down = true;
            }
            let x = LEFT + 130.0 * i as f64;
            let _ = writeln!(
                svg,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-linecap=\"round\"/>\n\
                 <rect x=\"{x:.1}\" y=\"26\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"36\">{}</text>",
                x + 14.0,
                escape(&line.label)
            );
        }
        for (time, value) in &self.marks {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{ALARM}\"><title>{}: {value}</title></circle>",
                scale.x(*time),
                scale.y(*value),
                format_timestamp(*time)
            );
        }
    }

    fn axes(&self, svg: &mut String, scale: &Scale) {
        for value in ticks(scale.low, scale.high) {
            let y = scale.y(value);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e5e5e5\"/>\n\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(value)
            );
        }
        let step = time_step(scale.to - scale.from);
        let mut time = (scale.from + step - 1).div_euclid(step) * step;
        while time <= scale.to {
            let text = format_timestamp(time);
            let label = if step < MICROS_PER_DAY { text.get(11..16) } else { text.get(5..10) };
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                scale.x(time),
                HEIGHT - BOTTOM + 16.0,
                label.unwrap_or(&text)
            );
            time += step;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{}\" fill=\"#555555\">{}, {} to {} UTC</text>",
            HEIGHT - 14.0,
            escape(&self.value),
            format_timestamp(scale.from),
            format_timestamp(scale.to)
        );
    }
}

/// Round values between two ends, about five: 1, 2 or 5 times a power of ten apart.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A tick's value without the noise of its multiplication.
fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A distance of labels that leaves at most ten of them.
fn time_step(span: i64) -> i64 {
    let minute = 60 * MICROS_PER_SECOND;
    let steps = [1, 5, 15, 30].map(|m| m * minute).into_iter();
    let steps = steps.chain([1, 2, 3, 6, 12].map(|h| h * MICROS_PER_HOUR));
    let mut steps = steps.chain([1, 2, 7, 14, 28, 91, 182].map(|d| d * MICROS_PER_DAY));
    steps.find(|s| span / s <= 10).unwrap_or(365 * MICROS_PER_DAY * (1 + span / (3650 * MICROS_PER_DAY)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
    fn ticks_are_round_and_within_the_ends() {
        assert_eq!(ticks(0.0, 10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(-1.0, 1.1), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(short(0.1 * 3.0), "0.3");
    }
}
