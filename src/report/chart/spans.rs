//! Stretches of time in lanes: what happened where, and when.

use super::axis::{Area, Scale};
use super::heat::distinct;
use super::ink::Scheme;
use super::svg::{Svg, WIDTH, escape, fit, width};
use crate::domain::format_timestamp;

/// One stretch.
pub(super) struct Span {
    pub(super) lane: String,
    pub(super) from: i64,
    pub(super) to: i64,
    /// Position among the classes.
    pub(super) class: usize,
}

const LANE: f64 = 26.0;
const TOP: f64 = 54.0;
/// A stretch is at least as wide as this, to be seen at all.
const THINNEST: f64 = 2.5;

pub(super) fn draw(
    title: &str,
    spans: &[Span],
    classes: &[&str],
    window: (i64, i64),
    scheme: Scheme,
) -> String {
    let lanes = distinct(spans.iter().map(|s| &s.lane));
    let longest = lanes.iter().map(|lane| width(lane)).fold(0.0, f64::max);
    let left = longest.min(WIDTH * 0.36) + 12.0;
    let bottom = TOP + LANE * lanes.len() as f64;
    let mut svg = Svg::new(title, bottom + 46.0, scheme);
    svg.title(0.0, title);
    let mut x = 0.0;
    for (class, name) in classes.iter().enumerate() {
        draw_span(&mut svg, (x, 26.0), 22.0, class, classes.len(), "");
        svg.text(x + 28.0, 37.0, "start", svg.ink.text, name);
        x += 50.0 + width(name);
    }
    let area = Area { left, right: WIDTH - 16.0, top: TOP, bottom };
    let scale = Scale { area, from: window.0, to: window.1.max(window.0 + 1), low: 0.0, high: 1.0 };
    for (i, lane) in lanes.iter().enumerate() {
        let y = TOP + LANE * i as f64;
        svg.rule((left, y + LANE), (area.right, y + LANE), svg.ink.grid);
        svg.text(left - 8.0, y + 17.0, "end", svg.ink.text, &fit(lane, left - 10.0));
    }
    scale.times(&mut svg);
    scale.caption(&mut svg, "");
    for span in spans {
        let lane = lanes.iter().position(|l| **l == span.lane).unwrap_or_default();
        let (x, y) = (scale.x(span.from), TOP + LANE * lane as f64 + 3.0);
        let length = (scale.x(span.to) - x).max(THINNEST);
        let name = classes.get(span.class).copied().unwrap_or_default();
        let told = format!("{name}, {} to {}", format_timestamp(span.from), format_timestamp(span.to));
        draw_span(&mut svg, (x, y), length, span.class, classes.len(), &told);
    }
    svg.finish()
}

/// The last class is what is known, drawn as an outline under what was found.
fn draw_span(svg: &mut Svg, (x, y): (f64, f64), length: f64, class: usize, classes: usize, told: &str) {
    let title = if told.is_empty() { String::new() } else { format!("<title>{}</title>", escape(told)) };
    if class + 1 == classes {
        let stroke = svg.ink.text;
        svg.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"5\" fill=\"none\" stroke=\"{stroke}\" \
             stroke-dasharray=\"3 2\">{title}</rect>",
            y + 14.0
        ));
    } else {
        let fill = svg.ink.of_series(class);
        // Every second class has a rim, so that classes differ without colour.
        let stroke = if class % 2 == 1 { svg.ink.text } else { "none" };
        svg.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"12\" fill=\"{fill}\" \
             stroke=\"{stroke}\">{title}</rect>"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_beyond_the_window_ends_with_it_and_a_short_one_is_seen() {
        let span = |from, to, class| Span { lane: "api · us-east-1".into(), from, to, class };
        let day = 86_400_000_000;
        let svg = draw(
            "T",
            &[span(-day, 2 * day, 0), span(5, 6, 1)],
            &["Regression", "Incident"],
            (0, day),
            Scheme::Paper,
        );
        let wide: Vec<f64> = svg
            .lines()
            .filter(|l| l.contains("<title>Regression") || l.contains("<title>Incident"))
            .map(|l| l.split('"').nth(5).unwrap().parse().unwrap())
            .collect();
        let lane = width("api · us-east-1") + 12.0;
        assert_eq!(wide.len(), 2);
        assert!((wide[0] - (WIDTH - 16.0 - lane)).abs() < 0.1 && wide[1] >= THINNEST, "{wide:?}");
    }
}
