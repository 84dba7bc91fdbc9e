//! Recording rules: the series that dashboards read, computed ahead of time.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde::Serialize;

use super::Error;
use super::platform::known;
use super::read::Section;
use super::tables::texts;

/// What a rule may compute; the model `recording_rules` says how.
const STATISTICS: [&str; 12] =
    ["count", "rate", "total_rate", "mean", "p50", "p95", "p99", "max", "sum", "trend", "ratio", "share"];
/// What may tell the series of a rule apart.
const APART: [&str; 5] = ["all", "region", "service", "region_service", "label"];

/// One rule: a quantity, a statistic over it, and what tells its series apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordingRule {
    /// Name of the series.
    pub name: String,
    /// What it is about, such as `evaluation` or `redis`.
    pub group: String,
    /// A quantity of the model `recorded_facts`.
    pub quantity: String,
    /// For a ratio, what it is of.
    pub of: Option<String>,
    /// What is computed.
    pub statistic: String,
    /// What tells its series apart.
    pub apart: String,
    /// The unit of its values.
    pub unit: String,
}

/// Reads a rule.
pub(super) fn recording_rule(section: &mut Section<'_>) -> Option<RecordingRule> {
    let statistic = known(section, "statistic", &STATISTICS);
    let apart = known(section, "apart", &APART);
    let (name, group) = (section.text("name"), section.text("group"));
    let (quantity, unit) = (section.text("quantity"), section.text("unit"));
    let of = section.optional_text("of");
    match (statistic.as_deref(), &of) {
        (Some("ratio"), None) => {
            let remedy = Some("write of = \"requests\", or another statistic".into());
            section.wrong("of", "nothing", "a quantity for statistic `ratio`", remedy);
        }
        (Some(other), Some(of)) if other != "ratio" => {
            let remedy = Some("remove it, or write statistic = \"ratio\"".into());
            section.wrong("of", format!("`{of}`"), format!("nothing for statistic `{other}`"), remedy);
        }
        _ => {}
    }
    Some(RecordingRule { name, group, quantity, of, statistic: statistic?, apart: apart?, unit })
}

/// The rules as a table for SQL.
pub(super) fn table(rules: &[RecordingRule]) -> Result<(&'static str, RecordBatch), Error> {
    const TABLE: &str = "settings_recording_rules";
    let all = || rules.iter();
    let of: ArrayRef = Arc::new(all().map(|r| r.of.as_deref()).collect::<StringArray>());
    let columns = [
        ("name", texts(all().map(|r| r.name.as_str())), false),
        ("series_group", texts(all().map(|r| r.group.as_str())), false),
        ("quantity", texts(all().map(|r| r.quantity.as_str())), false),
        ("of_quantity", of, true),
        ("statistic", texts(all().map(|r| r.statistic.as_str())), false),
        ("apart", texts(all().map(|r| r.apart.as_str())), false),
        ("unit", texts(all().map(|r| r.unit.as_str())), false),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns);
    batch.map(|batch| (TABLE, batch)).map_err(|source| Error::Table { table: TABLE, source })
}
