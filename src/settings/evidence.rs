//! What a drift needs besides its size, and what to do about one.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::model::as_text;
use super::read::Section;
use crate::domain::{ChangeKind, DriftCategory, DriftStatus};

/// Which hours of a baseline an interval is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Season {
    /// All of them.
    None,
    /// The same hour of the day.
    HourOfDay,
    /// The same hour of the same day of the week.
    HourOfWeek,
}

impl Season {
    /// All of them.
    pub const ALL: &'static [Season] = &[Season::None, Season::HourOfDay, Season::HourOfWeek];

    /// The spelling in settings and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Season::None => "none",
            Season::HourOfDay => "hour_of_day",
            Season::HourOfWeek => "hour_of_week",
        }
    }
}

impl fmt::Display for Season {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Season {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|s| s.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("expected none, hour_of_day or hour_of_week, got `{text}`"))
    }
}

/// What a movement beyond its limit needs to be a drift, and how long a baseline is good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftEvidence {
    /// Expected share of false ones among the drifts of a run, above 0 and at most 1.
    pub false_alarm_rate: f64,
    /// Intervals that a baseline must have before its own spread counts.
    pub min_intervals: i64,
    /// Which hours of the baseline count.
    #[serde(serialize_with = "as_text")]
    pub season: Season,
    /// Kinds of recorded changes that are drift of the configuration.
    pub change_kinds: Vec<String>,
    /// Age in days from which a baseline is stale.
    pub stale_days: i64,
    /// Requests that a place should have in what is judged at once.
    pub min_events: i64,
    /// Intervals that are judged together for that, at most.
    pub max_pooled: i64,
}

/// The least number of intervals with a standard deviation worth the name.
const LEAST_INTERVALS: i64 = 3;

pub(super) fn drift_evidence(section: &mut Section<'_>) -> DriftEvidence {
    let false_alarm_rate = match section.number("false_alarm_rate") {
        Some(rate) if rate > 0.0 && rate <= 1.0 => rate,
        Some(rate) => {
            let remedy =
                (rate > 1.0 && rate <= 100.0).then(|| format!("write false_alarm_rate = {}", rate / 100.0));
            section.wrong("false_alarm_rate", rate.to_string(), "a share above 0 and at most 1", remedy);
            1.0
        }
        None => 1.0,
    };
    let min_intervals = at_least(section, "min_intervals", LEAST_INTERVALS);
    let season = section.word("season", Season::ALL).unwrap_or(Season::None);
    let change_kinds = section.texts("change_kinds").unwrap_or_default();
    for kind in &change_kinds {
        if kind.parse::<ChangeKind>().is_err() {
            let known = ChangeKind::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            section.wrong("change_kinds", format!("`{kind}`"), format!("kinds of changes: {known}"), None);
        }
    }
    let stale_days = at_least(section, "stale_days", 1);
    let (min_events, max_pooled) = (at_least(section, "min_events", 1), at_least(section, "max_pooled", 1));
    DriftEvidence {
        false_alarm_rate,
        min_intervals,
        season,
        change_kinds,
        stale_days,
        min_events,
        max_pooled,
    }
}

fn at_least(section: &mut Section<'_>, name: &'static str, least: i64) -> i64 {
    match section.integer(name) {
        Some(value) if value >= least => value,
        Some(value) => {
            section.wrong(name, value.to_string(), format!("a whole number of at least {least}"), None);
            least
        }
        None => least,
    }
}

/// What to do about drifts of a category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mitigation {
    /// The category.
    #[serde(serialize_with = "as_text")]
    pub category: DriftCategory,
    /// How bad they are.
    #[serde(serialize_with = "as_text")]
    pub status: DriftStatus,
    /// The advice.
    pub text: String,
}

pub(super) fn mitigation(section: &mut Section<'_>) -> Option<Mitigation> {
    let category = section.word("category", DriftCategory::ALL);
    let status = section.word("status", DriftStatus::ALL);
    let text = section.text("text");
    if status == Some(DriftStatus::Ok) {
        section.wrong(
            "status",
            "`ok`",
            "warning or critical",
            Some("nothing is to be done about what is ok".into()),
        );
        return None;
    }
    Some(Mitigation { category: category?, status: status?, text })
}
