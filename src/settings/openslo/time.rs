//! Durations and time windows of OpenSLO as periods of the settings.

use toml::Table;

use super::fields::{Fields, Reader};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// Postfixes of the duration shorthand that have one length, with their seconds.
const UNITS: [(char, i64); 4] = [('m', MINUTE), ('h', 3_600), ('d', DAY), ('w', 7 * DAY)];

/// Seconds of a duration such as `5m`, `12h` or `4w`; a bare number counts minutes.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (digits, unit) = match text.chars().last()? {
        last if last.is_ascii_digit() => (text, MINUTE),
        last => (&text[..text.len() - last.len_utf8()], UNITS.iter().find(|(name, _)| *name == last)?.1),
    };
    digits.parse::<i64>().ok().filter(|n| *n > 0)?.checked_mul(unit)
}

/// Reads `timeWindow` into `period` and `time_zone`; without one the settings' usual period holds.
pub(super) fn time_window(reader: &mut Reader<'_>, spec: &mut Fields, slo: &mut Table) {
    let (line, path) = (spec.line, spec.key("timeWindow"));
    let mut windows = spec.list(reader, "timeWindow");
    if windows.len() > 1 {
        let got = format!("{} windows", windows.len());
        reader.wrong((line, &path), got, "one time window", Some("write an SLO for each of them"));
    }
    if windows.is_empty() {
        return;
    }
    let mut window = Fields::of(reader, windows.swap_remove(0), &format!("{path}[0]"));
    let duration = window.text(reader, "duration");
    let calendar = window.map(reader, "calendar");
    let is_rolling = window.flag(reader, "isRolling");
    let place = (window.line, window.key("duration"));
    window.finish(reader);
    if duration.is_none() {
        reader.wrong((place.0, &place.1), "nothing", "a duration such as 28d or 1M", None);
    }
    let Some((duration, line)) = duration else { return };
    match calendar {
        Some(calendar) => {
            if let Some((true, line)) = is_rolling {
                let remedy = Some("leave out calendar, or write isRolling: false");
                reader.wrong(
                    (line, &format!("{path}[0].isRolling")),
                    "true",
                    "false beside a calendar",
                    remedy,
                );
            }
            let period = match duration.as_str() {
                "1d" => "day",
                "1w" => "week",
                "1M" => "month",
                "1Q" => "quarter",
                _ => {
                    let expected = "1d, 1w, 1M or 1Q: one day, week, month or quarter of the calendar";
                    reader.wrong((line, &place.1), format!("`{duration}`"), expected, None);
                    return;
                }
            };
            slo.insert("period".into(), period.into());
            start(reader, calendar, period, slo);
        }
        None => {
            let hours = match duration.as_str() {
                "1Y" => Some(365 * DAY),
                _ => seconds(&duration),
            };
            if let Some((false, line)) = is_rolling {
                let remedy = Some("add calendar with startTime and timeZone, or write isRolling: true");
                reader.wrong(
                    (line, &format!("{path}[0].isRolling")),
                    "false",
                    "true without a calendar",
                    remedy,
                );
            }
            match hours.filter(|s| s % 3_600 == 0) {
                Some(s) if s % DAY == 0 => slo.insert("period".into(), format!("{}d", s / DAY).into()),
                Some(s) => slo.insert("period".into(), format!("{}h", s / 3_600).into()),
                None => {
                    let expected = "whole hours, days or weeks such as 12h, 28d or 4w for a rolling window";
                    let remedy = "months and quarters have no one length: write 30d, or add calendar";
                    reader.wrong((line, &place.1), format!("`{duration}`"), expected, Some(remedy));
                    None
                }
            };
        }
    }
}

/// The zone of a calendar, whose start has to be where days, weeks, months and quarters begin by themselves.
fn start(reader: &mut Reader<'_>, mut calendar: Fields, period: &str, slo: &mut Table) {
    if let Some((zone, _)) = calendar.text(reader, "timeZone") {
        slo.insert("time_zone".into(), zone.into());
    }
    if let Some((text, line)) = calendar.text(reader, "startTime") {
        let at = chrono::NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S");
        let begins = at.is_ok_and(|at| {
            use chrono::{Datelike, NaiveTime, Weekday};
            let date = at.date();
            at.time() == NaiveTime::MIN
                && match period {
                    "week" => date.weekday() == Weekday::Mon,
                    "month" => date.day() == 1,
                    "quarter" => date.day() == 1 && date.month0() % 3 == 0,
                    _ => true,
                }
        });
        if !begins {
            let expected = format!("midnight at the beginning of a {period}, such as 2024-01-01 00:00:00");
            let remedy = "weeks begin on Monday, quarters in January, April, July and October; other starts are \
                          not supported";
            reader.wrong((line, &calendar.key("startTime")), format!("`{text}`"), expected, Some(remedy));
        }
    }
    calendar.finish(reader);
}
