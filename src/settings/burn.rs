//! How fast an error budget may burn before somebody is told.

use serde::Serialize;

use super::read::Section;
use crate::domain::{AlertAction, Severity};

/// Error events are counted in slots of this many seconds (`slo_events`), so windows are whole slots.
const SLOT: i64 = 300;
/// The longest window that an alert may look back: four weeks.
const LONGEST: i64 = 28 * 86_400;
const UNITS: [(char, i64); 3] = [('d', 86_400), ('h', 3_600), ('m', 60)];

/// One pair of windows over which a budget must not burn too fast: a long one that makes sure that it
/// matters and a short one that makes sure that it still goes on (Beyer et al., The Site Reliability Workbook,
/// 2018, chapter 5).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BurnTier {
    /// Its name.
    pub name: String,
    /// Only for this SLO, which then has no other tiers than its own.
    pub slo: Option<String>,
    /// How fast is too fast.
    pub limit: BurnLimit,
    /// The long window, in seconds.
    pub long_seconds: i64,
    /// The short window, in seconds.
    pub short_seconds: i64,
    /// What the alert asks for.
    #[serde(serialize_with = "super::model::as_text")]
    pub action: AlertAction,
    /// How bad it is.
    #[serde(serialize_with = "super::model::as_text")]
    pub severity: Severity,
}

/// How fast is too fast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum BurnLimit {
    /// This share of the period's budget within the long window.
    Share(f64),
    /// So many times as fast as spends the budget exactly.
    Rate(f64),
}

impl BurnLimit {
    /// The share of the budget, where it is one.
    pub fn share(self) -> Option<f64> {
        if let BurnLimit::Share(share) = self { Some(share) } else { None }
    }

    /// The burn rate, where it is one.
    pub fn rate(self) -> Option<f64> {
        if let BurnLimit::Rate(rate) = self { Some(rate) } else { None }
    }
}

impl BurnTier {
    /// The order of tiers: the fastest first.
    pub fn rank(&self) -> (i64, i64) {
        (self.long_seconds, self.short_seconds)
    }

    /// Both windows as people write them, such as `1h+5m`.
    pub fn windows(&self) -> String {
        format!("{}+{}", span_name(self.long_seconds), span_name(self.short_seconds))
    }
}

/// A length of time in its largest whole unit.
pub(super) fn span_name(seconds: i64) -> String {
    let (unit, length) = UNITS.into_iter().find(|(_, length)| seconds % length == 0).unwrap_or(('s', 1));
    format!("{}{unit}", seconds / length)
}

/// Seconds of a length such as `5m`, `6h` or `3d`.
pub(super) fn span(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    text[..text.len() - 1].parse::<i64>().ok().filter(|n| *n > 0)?.checked_mul(length)
}

/// Reads a tier.
pub(super) fn burn_tier(section: &mut Section<'_>) -> Option<BurnTier> {
    let name = section.text("name");
    let slo = section.optional_text("slo");
    let share = section.optional_number("share");
    let rate = section.optional_number("burn_rate");
    let long = window(section, "long");
    let short = window(section, "short");
    let action = section.word("action", AlertAction::ALL);
    let severity = section.optional_word("severity", Severity::ALL);
    let limit = match (share, rate) {
        (Some(share), None) if share > 0.0 && share <= 1.0 => Some(BurnLimit::Share(share)),
        (Some(share), None) => {
            let remedy = (share > 1.0 && share <= 100.0).then(|| format!("write share = {}", share / 100.0));
            section.wrong("share", share.to_string(), "a share of the budget above 0 and at most 1", remedy);
            None
        }
        (None, Some(rate)) if rate > 0.0 => Some(BurnLimit::Rate(rate)),
        (None, Some(rate)) => {
            section.wrong("burn_rate", rate.to_string(), "a number above 0", None);
            None
        }
        (given, _) => {
            let got = if given.is_some() { "both" } else { "neither" };
            let remedy = "write share = 0.02 for 2 % of the period's budget within the long window, or burn_rate = \
                          14.4 for so many times the speed that just spends it";
            section.wrong("share", got, "either share or burn_rate", Some(remedy.into()));
            None
        }
    };
    if let (Some(long), Some(short)) = (long, short)
        && short >= long
    {
        let expected = format!("less than long, which is {}", span_name(long));
        let remedy = "the workbook takes a twelfth of the long window; swap them if they were mixed up";
        section.wrong("short", span_name(short), expected, Some(remedy.into()));
    }
    let action = action?;
    let usual = if action == AlertAction::Page { Severity::Critical } else { Severity::Warning };
    Some(BurnTier {
        name,
        slo,
        limit: limit?,
        long_seconds: long?,
        short_seconds: short?,
        action,
        severity: severity.unwrap_or(usual),
    })
}

fn window(section: &mut Section<'_>, name: &'static str) -> Option<i64> {
    let text = section.text(name);
    let seconds = span(&text).filter(|s| s % SLOT == 0 && *s <= LONGEST);
    if seconds.is_none() && !text.is_empty() {
        let expected = "whole 5 minutes such as 5m, 6h or 3d, at most 28d";
        section.wrong(name, format!("`{text}`"), expected, Some(format!("write {name} = \"1h\"")));
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_reads_as_it_is_written() {
        for (text, seconds) in [("5m", 300), ("6h", 21_600), ("3d", 259_200)] {
            assert_eq!(span(text), Some(seconds));
            assert_eq!(span_name(seconds), text);
        }
        assert_eq!(span_name(5_400), "90m");
        for text in ["", "h", "5", "5s", "-5m", "1.5h", "5µ", "99999999999999999d"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
