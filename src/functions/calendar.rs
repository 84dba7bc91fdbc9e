//! Periods of the calendar in a time zone: where they begin and end on the UTC time line.

use super::Error;
use crate::domain::CalendarPeriod;
use arrow::array::{Array, AsArray, Int64Array, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use datafusion::common::Result;
use datafusion::common::types::logical_string;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, ScalarFunctionArgs, Signature, TypeSignature, TypeSignatureClass, Volatility,
};
use std::sync::Arc;

/// Which end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

/// A timestamp of any unit, and two texts.
pub(super) fn signature() -> Signature {
    let text = || Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
    let time = Coercion::new_exact(TypeSignatureClass::Timestamp);
    Signature::new(TypeSignature::Coercible(vec![time, text(), text()]), Volatility::Immutable)
}

/// A timestamp of any unit, and a text.
pub(super) fn zoned_signature() -> Signature {
    let text = Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
    let time = Coercion::new_exact(TypeSignatureClass::Timestamp);
    Signature::new(TypeSignature::Coercible(vec![time, text]), Volatility::Immutable)
}

/// The start or the end of the period that each row asks for.
pub(super) fn evaluate(
    function: &'static str,
    args: &ScalarFunctionArgs,
    edge: Edge,
) -> Result<ColumnarValue> {
    let array = |i: usize| args.args[i].to_array(args.number_rows);
    let times = cast(&array(0)?, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let texts = [cast(&array(1)?, &DataType::Utf8)?, cast(&array(2)?, &DataType::Utf8)?];
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let (periods, zones) = (texts[0].as_string::<i32>(), texts[1].as_string::<i32>());
    // Rows mostly ask for the period of the row before them.
    let mut last: Option<(&str, &str, i64, i64)> = None;
    let mut found = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        if times.is_null(row) || periods.is_null(row) || zones.is_null(row) {
            found.push(None);
            continue;
        }
        let (time, period, zone) = (times.value(row), periods.value(row), zones.value(row));
        let known = last.filter(|l| l.0 == period && l.1 == zone && l.2 <= time && time < l.3);
        let (start, end) = match known {
            Some((_, _, start, end)) => (start, end),
            None => bounds(function, time, period, zone)?,
        };
        last = Some((period, zone, start, end));
        found.push(Some(if edge == Edge::Start { start } else { end }));
    }
    Ok(ColumnarValue::Array(Arc::new(TimestampMicrosecondArray::from(found).with_timezone("UTC"))))
}

/// The hour of the local week of each row, 0 on Mondays at midnight.
pub(super) fn hours_of_week(function: &'static str, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let times = args.args[0].to_array(args.number_rows)?;
    let times = cast(&times, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let zones = cast(&args.args[1].to_array(args.number_rows)?, &DataType::Utf8)?;
    let (times, zones) = (times.as_primitive::<TimestampMicrosecondType>(), zones.as_string::<i32>());
    // Rows mostly are of the zone of the row before them.
    let mut last: Option<(&str, Tz)> = None;
    let mut found = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        if times.is_null(row) || zones.is_null(row) {
            found.push(None);
            continue;
        }
        let name = zones.value(row);
        let tz = match last {
            Some((known, tz)) if known == name => tz,
            _ => zone(function, name)?,
        };
        last = Some((name, tz));
        let local = local(function, times.value(row), tz)?;
        found.push(Some(i64::from(local.weekday().num_days_from_monday() * 24 + local.hour())));
    }
    Ok(ColumnarValue::Array(Arc::new(found.into_iter().collect::<Int64Array>())))
}

fn wrong(function: &'static str, argument: &'static str, expected: &'static str, got: &str) -> Error {
    Error::Argument { function, argument, expected, got: format!("`{got}`") }
}

fn zone(function: &'static str, name: &str) -> Result<Tz, Error> {
    let expected = "a name of the IANA database such as Europe/Berlin";
    name.parse().map_err(|_| wrong(function, "time_zone", expected, name))
}

fn local(function: &'static str, micros: i64, tz: Tz) -> Result<DateTime<Tz>, Error> {
    let outside = || wrong(function, "timestamp", "a time of the calendar", &micros.to_string());
    Ok(DateTime::from_timestamp_micros(micros).ok_or_else(outside)?.with_timezone(&tz))
}

/// Start and end of the period that holds `micros`.
fn bounds(function: &'static str, micros: i64, period: &str, zone_name: &str) -> Result<(i64, i64), Error> {
    let period: CalendarPeriod =
        period.parse().map_err(|_| wrong(function, "period", "one of day, week, month, quarter", period))?;
    let tz = zone(function, zone_name)?;
    let date = local(function, micros, tz)?.date_naive();
    let outside = || wrong(function, "timestamp", "a time of the calendar", &micros.to_string());
    let month = |date: NaiveDate, month| NaiveDate::from_ymd_opt(date.year(), month, 1);
    let (start, end) = match period {
        CalendarPeriod::Day => (Some(date), date.checked_add_days(Days::new(1))),
        CalendarPeriod::Week => {
            let monday = date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())));
            (monday, monday.and_then(|d| d.checked_add_days(Days::new(7))))
        }
        CalendarPeriod::Month => {
            let first = month(date, date.month());
            (first, first.and_then(|d| d.checked_add_months(Months::new(1))))
        }
        CalendarPeriod::Quarter => {
            let first = month(date, date.month0() / 3 * 3 + 1);
            (first, first.and_then(|d| d.checked_add_months(Months::new(3))))
        }
    };
    let edge = |date: Option<NaiveDate>| date.and_then(|d| midnight(tz, d)).ok_or_else(outside);
    Ok((edge(start)?, edge(end)?))
}

/// The first moment of a local day. Where the clocks skip midnight, the day begins when they have moved.
fn midnight(tz: Tz, date: NaiveDate) -> Option<i64> {
    let mut local = date.and_time(NaiveTime::MIN);
    // No zone of the database ever skipped a whole day of quarter hours without landing in the next one.
    for _ in 0..97 {
        if let Some(first) = tz.from_local_datetime(&local).earliest() {
            return Some(first.timestamp_micros());
        }
        local = local.checked_add_signed(TimeDelta::minutes(15))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{format_timestamp, parse_timestamp};

    fn check(time: &str, period: &str, zone: &str, start: &str, end: &str) {
        let found = bounds("period_start", parse_timestamp(time).unwrap(), period, zone).unwrap();
        let shown = (format_timestamp(found.0), format_timestamp(found.1));
        let expected = [start, end].map(|t| format_timestamp(parse_timestamp(t).unwrap()));
        assert_eq!(shown, (expected[0].clone(), expected[1].clone()), "{time} {period} {zone}");
    }

    // Expected by python3's zoneinfo: datetime(y, m, d, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc).
    #[test]
    fn periods_begin_at_local_midnight_also_when_the_clocks_change() {
        check("2025-01-15T13:00:00Z", "day", "UTC", "2025-01-15T00:00:00Z", "2025-01-16T00:00:00Z");
        check("2025-01-15T13:00:00Z", "week", "UTC", "2025-01-13T00:00:00Z", "2025-01-20T00:00:00Z");
        check("2025-02-15T13:00:00Z", "quarter", "UTC", "2025-01-01T00:00:00Z", "2025-04-01T00:00:00Z");
        check("2025-03-30T13:00:00Z", "day", "Europe/Berlin", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z");
        check(
            "2025-10-26T13:00:00Z",
            "month",
            "Europe/Berlin",
            "2025-09-30T22:00:00Z",
            "2025-10-31T23:00:00Z",
        );
        check(
            "2025-01-01T00:00:00Z",
            "month",
            "America/New_York",
            "2024-12-01T05:00:00Z",
            "2025-01-01T05:00:00Z",
        );
        check("2024-12-30T12:00:00Z", "week", "Asia/Tokyo", "2024-12-29T15:00:00Z", "2025-01-05T15:00:00Z");
    }

    // Beirut moved its clocks from 0:00 to 1:00 on 2024-03-31, so that day began at 1:00 (22:00 UTC).
    #[test]
    fn a_day_without_midnight_begins_when_the_clocks_have_moved() {
        check("2024-03-31T12:00:00Z", "day", "Asia/Beirut", "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z");
    }

    #[test]
    fn unknown_words_are_named() {
        let wrong = |period, zone| bounds("period_start", 0, period, zone).unwrap_err().to_string();
        assert!(wrong("year", "UTC").contains("got `year`"));
        assert!(wrong("day", "Berlin").contains("got `Berlin`"));
    }
}
