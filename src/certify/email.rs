//! `EMAIL_SUMMARY.txt`: the outcome in plain text, ready to be sent.

use super::criteria::{Criterion, Level, Outcome, Verdict};
use super::placeholders::Values;
use crate::report::visible;

/// The name of the file.
pub(super) const EMAIL: &str = "EMAIL_SUMMARY.txt";

/// Figures that the summary shows: what they are called there, and the placeholder.
const FIGURES: [(&str, &str); 8] = [
    ("Requests", "TOTAL_REQUESTS"),
    ("Availability", "OVERALL_AVAILABILITY"),
    ("Error rate", "OVERALL_ERROR_RATE"),
    ("P99 latency", "P99_LATENCY_MS"),
    ("WebSocket uptime", "WS_UPTIME"),
    ("Critical drifts", "CRITICAL_DRIFTS"),
    ("Checks passed", "TESTS_PASSED"),
    ("Coverage", "COVERAGE"),
];

/// The placeholders that the summary needs.
pub(super) fn needed() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|(_, name)| *name)
}

/// Writes the summary. The first line is a subject that holds nothing of telemetry or settings; every other
/// text loses its line breaks and control characters, so that none can add a header or steer a terminal.
pub(super) fn render(title: &str, outcome: &Outcome, values: &Values) -> String {
    let mut lines = vec![format!("Subject: {title}: {}", outcome.status), String::new()];
    lines.push(format!("Status: {}", outcome.status));
    lines.push(visible(&outcome.reason));
    lines.push(String::new());
    for (label, name) in FIGURES {
        let shown = values.get(name).map_or("no data", |v| v.text.as_str());
        lines.push(format!("{label:<18}{}", visible(shown)));
    }
    lines.push(String::new());
    lines.push("Criteria".to_owned());
    lines.extend(outcome.criteria.iter().map(criterion));
    let failed: Vec<_> = outcome.checks.iter().filter(|c| c.verdict != Verdict::Pass).collect();
    lines.push(String::new());
    if failed.is_empty() {
        lines.push(format!("All {} checks passed.", outcome.checks.len()));
    } else {
        lines.push(format!("Checks that did not pass: {} of {}", failed.len(), outcome.checks.len()));
        lines.extend(failed.into_iter().map(criterion));
    }
    lines.push(String::new());
    lines.push("The package holds the report, every figure with its query, and MANIFEST.sha256.".to_owned());
    lines.push("Check it with: tars verify ga_certification_package.tar.gz".to_owned());
    lines.push(String::new());
    lines.join("\n")
}

fn criterion(c: &Criterion) -> String {
    let mark = match (c.verdict, c.level) {
        (Verdict::Pass, _) => "pass",
        (Verdict::NoData, _) => "no data",
        (Verdict::Fail, Level::Warning) => "warning",
        (Verdict::Fail, Level::Required) => "FAIL",
    };
    visible(&format!("  {mark:<8} {}: {} (limit {})", c.title, c.shown(&c.observed), c.limit()))
}
