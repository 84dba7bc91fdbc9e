//! The parts that all pictures share: the frame of a file, texts, a legend.

use std::fmt::Write;

use super::ink::{Ink, Scheme, dash};
use crate::report::plain::visible;

/// Width of every picture, in its own units.
pub(super) const WIDTH: f64 = 860.0;
/// Room that a character of ordinary text takes at most, on average (12 units high, sans-serif).
const CHARACTER: f64 = 6.7;
/// Height of a row of the legend.
const LEGEND_ROW: f64 = 17.0;

/// A picture that is being drawn. Writing to a `String` cannot fail, so results are not looked at.
pub(super) struct Svg {
    pub(super) out: String,
    pub(super) ink: Ink,
}

impl Svg {
    /// Starts a picture with its title.
    pub(super) fn new(title: &str, height: f64, scheme: Scheme) -> Svg {
        let ink = scheme.ink();
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"{}\" aria-label=\"{title}\">\n\
             <title>{title}</title>\n",
            ink.text,
            title = escape(title)
        );
        if scheme == Scheme::Paper {
            let _ = writeln!(out, "<rect width=\"{WIDTH}\" height=\"{height:.0}\" fill=\"{}\"/>", ink.paper);
        }
        Svg { out, ink }
    }

    /// A piece of SVG.
    pub(super) fn put(&mut self, piece: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(piece);
        self.out.push('\n');
    }

    /// A text; `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: &str, fill: &str, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{text}</text>"
        ));
    }

    /// A text over lines: a rim in the colour of the background keeps it readable.
    pub(super) fn label(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let (fill, rim, text) = (self.ink.quiet, self.ink.paper, escape(text));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{fill}\" stroke=\"{rim}\" \
             stroke-width=\"3\" paint-order=\"stroke\">{text}</text>"
        ));
    }

    /// The title, on the top left.
    pub(super) fn title(&mut self, x: f64, title: &str) {
        let title = escape(&fit(title, WIDTH - x));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"17\" font-size=\"14\" font-weight=\"600\">{title}</text>"
        ));
    }

    /// A thin line.
    pub(super) fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str) {
        self.put(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{stroke}\"/>"
        ));
    }

    /// The series' names, each beside a piece of its line.
    pub(super) fn legend(&mut self, left: f64, top: f64, labels: &[String]) {
        for (i, (x, y, label)) in places(left, labels).into_iter().enumerate() {
            let y = top + y;
            let (colour, dash) = (self.ink.of_series(i), dash(i));
            self.put(format_args!(
                "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" \
                 stroke-width=\"2.5\"{dash}/>",
                y - 4.0,
                x + 22.0,
                y - 4.0
            ));
            self.text(x + 28.0, y, "start", self.ink.text, &label);
        }
    }

    /// The finished picture.
    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// How high the legend of these names is.
pub(super) fn legend_height(left: f64, labels: &[String]) -> f64 {
    places(left, labels).last().map_or(0.0, |(_, y, _)| y + LEGEND_ROW)
}

/// Where the names of a legend stand: from left to right, in as many rows as they need.
fn places(left: f64, labels: &[String]) -> Vec<(f64, f64, String)> {
    let (mut x, mut y) = (left, 0.0);
    let mut places = Vec::with_capacity(labels.len());
    for label in labels {
        let label = fit(label, 300.0);
        let width = 28.0 + width(&label) + 18.0;
        if x > left && x + width > WIDTH {
            (x, y) = (left, y + LEGEND_ROW);
        }
        places.push((x, y, label));
        x += width;
    }
    places
}

/// About how wide a text is.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

/// A text cut so that it fits.
pub(super) fn fit(text: &str, room: f64) -> String {
    let text = visible(text);
    let most = (room / CHARACTER).floor().max(2.0) as usize;
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Text as XML that reads the same.
pub(super) fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_more_than_text() {
        assert_eq!(
            escape("</text><script>\u{202e}\u{7}&"),
            "&lt;/text&gt;&lt;script&gt;\\u{202e}\\u{7}&amp;"
        );
        assert_eq!(fit(&"ü".repeat(50), 67.0), format!("{}…", "ü".repeat(9)));
        assert_eq!(fit("short", 67.0), "short");
    }

    #[test]
    fn a_legend_takes_as_many_rows_as_it_needs() {
        let few = ["p50", "p95"].map(str::to_owned);
        let many: Vec<String> = (0..6).map(|i| format!("ap-southeast-{i} evaluation-api")).collect();
        assert_eq!(legend_height(70.0, &few), 17.0);
        assert_eq!(legend_height(70.0, &many), 34.0);
        assert!(places(70.0, &many).iter().all(|(x, _, label)| x + 28.0 + width(label) <= WIDTH));
    }
}
