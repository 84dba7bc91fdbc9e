//! Colours, which depend on where a chart stands.

/// Where a chart is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Alone, in a file or on paper: fixed colours on white.
    #[default]
    Paper,
    /// In a page that defines the colours as CSS variables, for light and dark.
    Page,
}

/// What is drawn with which colour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    /// Background; a page has its own.
    pub(super) paper: &'static str,
    pub(super) text: &'static str,
    pub(super) quiet: &'static str,
    pub(super) grid: &'static str,
    pub(super) limit: &'static str,
    pub(super) warning: &'static str,
    pub(super) alarm: &'static str,
    pub(super) series: [&'static str; 6],
}

/// Colours that people with colour-blindness tell apart (Okabe and Ito, "Color universal design", 2008).
const PAPER: Ink = Ink {
    paper: "#ffffff",
    text: "#1b2733",
    quiet: "#5b6875",
    grid: "#e3e7eb",
    limit: "#7a8590",
    warning: "#e69f00",
    alarm: "#d55e00",
    series: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"],
};

/// The names under which a page defines them (see the style sheet of the HTML report).
const PAGE: Ink = Ink {
    paper: "var(--paper)",
    text: "var(--ink)",
    quiet: "var(--quiet)",
    grid: "var(--grid)",
    limit: "var(--limit)",
    warning: "var(--warning)",
    alarm: "var(--alarm)",
    series: ["var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)", "var(--s6)"],
};

/// Dashes of the series, so that they differ without colour.
const DASHES: [&str; 6] = ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"];

impl Scheme {
    pub(super) const fn ink(self) -> Ink {
        match self {
            Scheme::Paper => PAPER,
            Scheme::Page => PAGE,
        }
    }
}

impl Ink {
    pub(super) fn of_series(&self, position: usize) -> &'static str {
        self.series[position % self.series.len()]
    }
}

/// The attribute that dashes a series.
pub(super) fn dash(position: usize) -> String {
    match DASHES[position % DASHES.len()] {
        "" => String::new(),
        dashes => format!(" stroke-dasharray=\"{dashes}\""),
    }
}
