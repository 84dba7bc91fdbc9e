//! Error budgets of SLOs: how much may go wrong, in which period, and what does not count.

use serde::Serialize;

use crate::domain::{Budgeting, CalendarPeriod, SloType, format_timestamp, parse_timestamp};

use super::decode::as_share;
use super::read::Section;

/// The period of a budget where the settings name none: four weeks, which hold the same weekdays always.
const DEFAULT_PERIOD: &str = "28d";
const DEFAULT_TIME_ZONE: &str = "UTC";
/// Time slices of a throughput SLO that have to be good where the settings do not say.
const DEFAULT_OBJECTIVE: f64 = 0.99;
const SECONDS_PER_HOUR: i64 = 3600;
/// The longest rolling period: a year.
const LONGEST: i64 = 366 * 24 * SECONDS_PER_HOUR;

/// The error budget of an SLO.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// The share of events, or of time slices, that has to be good.
    pub objective: f64,
    /// What the share is taken of.
    #[serde(serialize_with = "super::model::as_text")]
    pub budgeting: Budgeting,
    /// How long a budget has to last.
    pub period: Period,
    /// Where a calendar period begins at midnight: a name of the IANA database.
    pub time_zone: String,
}

/// How long a budget has to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Period {
    /// The last so many seconds.
    Rolling(i64),
    /// From the start of one to the start of the next.
    #[serde(serialize_with = "super::model::as_text")]
    Calendar(CalendarPeriod),
}

impl Period {
    /// The spelling of the settings.
    pub fn name(self) -> String {
        match self {
            Period::Rolling(seconds) if seconds % (24 * SECONDS_PER_HOUR) == 0 => {
                format!("{}d", seconds / (24 * SECONDS_PER_HOUR))
            }
            Period::Rolling(seconds) => format!("{}h", seconds / SECONDS_PER_HOUR),
            Period::Calendar(period) => period.to_string(),
        }
    }

    /// Its length; calendar periods at their usual one, for the scale of burn rates.
    pub fn seconds(self) -> i64 {
        let days = match self {
            Period::Rolling(seconds) => return seconds,
            Period::Calendar(CalendarPeriod::Day) => 1,
            Period::Calendar(CalendarPeriod::Week) => 7,
            Period::Calendar(CalendarPeriod::Month) => 30,
            Period::Calendar(CalendarPeriod::Quarter) => 91,
        };
        days * 24 * SECONDS_PER_HOUR
    }

    fn parse(text: &str) -> Option<Period> {
        if let Ok(period) = text.parse() {
            return Some(Period::Calendar(period));
        }
        let unit = text.chars().last()?;
        let count: i64 = text[..text.len() - unit.len_utf8()].parse().ok().filter(|n| *n > 0)?;
        let seconds = match unit {
            'h' => SECONDS_PER_HOUR,
            'd' => 24 * SECONDS_PER_HOUR,
            'w' => 7 * 24 * SECONDS_PER_HOUR,
            _ => return None,
        };
        count.checked_mul(seconds).filter(|s| *s <= LONGEST).map(Period::Rolling)
    }
}

/// Reads the budget of an SLO; what is left out follows from its type, target and percentile.
pub(super) fn budget(
    section: &mut Section<'_>,
    kind: SloType,
    target: Option<f64>,
    percentile: Option<f64>,
) -> Budget {
    let derived = match kind {
        SloType::Latency => percentile,
        SloType::ErrorRate => target.map(|t| 1.0 - t),
        SloType::Availability | SloType::EvaluationSuccess => target,
        SloType::Throughput => Some(DEFAULT_OBJECTIVE),
    };
    let objective = objective(section).or(derived).unwrap_or(DEFAULT_OBJECTIVE);
    let usual = if kind == SloType::Throughput { Budgeting::Timeslices } else { Budgeting::Occurrences };
    let budgeting = section.optional_word("budgeting", Budgeting::ALL).unwrap_or(usual);
    if kind == SloType::Throughput && budgeting != Budgeting::Timeslices {
        let remedy =
            Some("write budgeting = \"timeslices\": a request that never came cannot be counted".into());
        section.wrong("budgeting", format!("`{budgeting}`"), "`timeslices` for type `throughput`", remedy);
    }
    let (period, time_zone) = period(section);
    Budget { objective, budgeting, period, time_zone }
}

/// Reads how long a budget has to last, and where a calendar period begins.
pub(super) fn period(section: &mut Section<'_>) -> (Period, String) {
    let text = section.optional_text("period").unwrap_or_else(|| DEFAULT_PERIOD.into());
    let period = Period::parse(text.trim()).unwrap_or_else(|| {
        let expected =
            "day, week, month or quarter, or the last hours, days or weeks such as 28d, at most a year";
        section.wrong("period", format!("`{text}`"), expected, Some("write period = \"28d\"".into()));
        Period::Rolling(28 * 24 * SECONDS_PER_HOUR)
    });
    let time_zone = section.optional_text("time_zone").unwrap_or_else(|| DEFAULT_TIME_ZONE.into());
    if time_zone.parse::<chrono_tz::Tz>().is_err() {
        let remedy = Some("write time_zone = \"UTC\", or a place such as \"Europe/Berlin\"".into());
        section.wrong("time_zone", format!("`{time_zone}`"), "a name of the IANA time zone database", remedy);
    }
    (period, time_zone)
}

/// Reads a share that is an objective.
pub(super) fn objective(section: &mut Section<'_>) -> Option<f64> {
    let value = section.optional_number("objective")?;
    if value > 0.0 && value <= 1.0 {
        return Some(value);
    }
    let remedy = as_share("objective", value);
    section.wrong("objective", value.to_string(), "a share above 0 and at most 1", remedy);
    None
}

/// A stretch of time that does not count, such as a maintenance window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correction {
    /// Its name.
    pub name: String,
    /// Start, UTC microseconds.
    pub from: i64,
    /// End, not part of it.
    pub to: i64,
    /// Why it does not count.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// Only this SLO.
    pub slo: Option<String>,
    /// Only this region.
    pub region: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// Only this route, of SLOs that are judged by route or are for it alone.
    pub route: Option<String>,
}

/// Reads a correction. One without a reason and an author is none: somebody has to answer for it.
pub(super) fn correction(section: &mut Section<'_>) -> Option<Correction> {
    let name = section.text("name");
    let from = instant(section, "from");
    let to = instant(section, "to");
    let reason = section.text("reason");
    let author = section.text("author");
    let slo = section.optional_text("slo");
    let region = section.optional_text("region");
    let service = section.optional_text("service");
    let route = section.optional_text("route");
    let (from, to) = (from?, to?);
    if from >= to {
        section.wrong("to", format_timestamp(to), format!("a time after {}", format_timestamp(from)), None);
    }
    Some(Correction { name, from, to, reason, author, slo, region, service, route })
}

fn instant(section: &mut Section<'_>, name: &'static str) -> Option<i64> {
    let text = section.text(name);
    let parsed = parse_timestamp(&text);
    if parsed.is_none() && !text.is_empty() {
        let remedy = Some(format!("write {name} = \"2025-01-15T13:00:00Z\""));
        section.wrong(name, format!("`{text}`"), "a time in quotes", remedy);
    }
    parsed
}
