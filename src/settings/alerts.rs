//! Alert rules: conditions over recorded series that hold for some time.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde::Serialize;

use super::Error;
use super::platform::known;
use super::read::Section;
use super::tables::{doubles, integers, texts};
use crate::domain::Severity;

/// How the value of a series is compared with the threshold.
const COMPARISONS: [&str; 5] = [">", "<", ">=", "<=", "absent"];

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertRule {
    /// Name of the alert.
    pub name: String,
    /// What it is about.
    pub group: String,
    /// The recording rule whose series it watches.
    pub series: String,
    /// Only the series of this label.
    pub label: Option<String>,
    /// How a value is compared: `>`, `<`, `>=`, `<=` or `absent`.
    pub comparison: String,
    /// What it is compared with, in the unit of the series.
    pub threshold: f64,
    /// How long the condition has to hold.
    pub for_seconds: i64,
    /// How bad it is.
    #[serde(serialize_with = "super::model::as_text")]
    pub severity: Severity,
    /// What it means, in words.
    pub summary: String,
}

/// Reads a rule.
pub(super) fn alert_rule(section: &mut Section<'_>) -> Option<AlertRule> {
    let (name, group, series) = (section.text("name"), section.text("group"), section.text("series"));
    let label = section.optional_text("label");
    let comparison = known(section, "comparison", &COMPARISONS);
    let threshold = section.number("threshold");
    let for_seconds = section.integer("for_seconds");
    if let Some(seconds) = for_seconds.filter(|s| *s < 0) {
        section.wrong("for_seconds", seconds.to_string(), "a number that is not negative", None);
    }
    let severity = section.word("severity", Severity::ALL);
    let summary = section.text("summary");
    Some(AlertRule {
        name,
        group,
        series,
        label,
        comparison: comparison?,
        threshold: threshold?,
        for_seconds: for_seconds?,
        severity: severity?,
        summary,
    })
}

/// The rules as a table for SQL.
pub(super) fn table(rules: &[AlertRule]) -> Result<(&'static str, RecordBatch), Error> {
    const TABLE: &str = "settings_alert_rules";
    let all = || rules.iter();
    let labels: ArrayRef = Arc::new(all().map(|r| r.label.as_deref()).collect::<StringArray>());
    let columns = [
        ("name", texts(all().map(|r| r.name.as_str())), false),
        ("alert_group", texts(all().map(|r| r.group.as_str())), false),
        ("series", texts(all().map(|r| r.series.as_str())), false),
        ("label", labels, true),
        ("comparison", texts(all().map(|r| r.comparison.as_str())), false),
        ("threshold", doubles(all().map(|r| r.threshold)), false),
        ("for_seconds", integers(all().map(|r| r.for_seconds)), false),
        ("severity", texts(all().map(|r| r.severity.as_str())), false),
        ("summary", texts(all().map(|r| r.summary.as_str())), false),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns);
    batch.map(|batch| (TABLE, batch)).map_err(|source| Error::Table { table: TABLE, source })
}
