//! Lines that AWS Lambda writes (Lambda developer guide, "Viewing CloudWatch logs"):
//!
//! | line                                                    | becomes                                          |
//! |---------------------------------------------------------|--------------------------------------------------|
//! | `START RequestId: … Version: …`                         | event `lambda.start`, request, version           |
//! | `END RequestId: …`                                      | event `lambda.end`, request                      |
//! | `REPORT RequestId: …⇥Duration: 89.34 ms⇥…`              | event `lambda.report`, request, duration, the rest as attributes `lambda.*`, X-Ray's trace |
//! | `2025-…Z⇥request⇥LEVEL⇥text` (Node.js)                  | time, request, level, text                       |
//! | `[LEVEL]⇥2025-…Z⇥request⇥text` (Python)                 | level, time, request, text                       |

use std::borrow::Cow;

use super::aliases::LIFTED_RANK;
use super::convert::Scalar;
use super::lines::xray_trace;
use super::names::{Names, ROOT};
use super::units::millis_of_text;
use crate::domain::{Level, parse_timestamp};
use crate::ingest::row::Row;

/// Takes a line apart; gives the text of a runtime's line, whose frame then is no part of the message.
pub(crate) fn line<'a>(names: &mut Names, row: &mut Row<'a>, text: &'a str) -> Option<&'a str> {
    let mut offer = |row: &mut Row<'a>, key: &str, value: Cow<'a, str>| {
        let name = names.child(ROOT, key);
        row.offer(names, name, Scalar::Text(value), LIFTED_RANK);
    };
    if let Some(rest) = text.strip_prefix("START RequestId: ") {
        let (request, version) = rest.trim_end().split_once(" Version: ").unwrap_or((rest.trim_end(), ""));
        offer(row, "request_id", request.trim().into());
        offer(row, "event", "lambda.start".into());
        if !version.is_empty() {
            offer(row, "version", version.trim().into());
        }
        return None;
    }
    if let Some(request) = text.strip_prefix("END RequestId: ") {
        offer(row, "request_id", request.trim().into());
        offer(row, "event", "lambda.end".into());
        return None;
    }
    if let Some(report) = text.strip_prefix("REPORT RequestId: ") {
        let mut fields = report.split(['\t', '\n']).map(str::trim).filter(|f| !f.is_empty());
        if let Some(request) = fields.next() {
            offer(row, "request_id", request.into());
        }
        offer(row, "event", "lambda.report".into());
        for (key, value) in fields.filter_map(|f| f.split_once(": ")) {
            match (reported(key), key) {
                (Some(key), _) => offer(row, key.0, figure(key.0, key.1, value)),
                (None, "XRAY TraceId") => match xray_trace(value) {
                    Some(trace) => offer(row, "trace_id", trace.into()),
                    None => offer(row, "lambda.xray_trace_id", value.into()),
                },
                (None, _) => {
                    offer(
                        row,
                        &format!("lambda.{}", key.to_ascii_lowercase().replace(' ', "_")),
                        value.into(),
                    );
                }
            }
        }
        return None;
    }
    let mut parts = text.splitn(4, '\t');
    let (first, second, third, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let bracketed = first.strip_prefix('[').and_then(|f| f.strip_suffix(']'));
    let (level, time, request) = match bracketed {
        Some(level) => (level, second, third),
        None => (third, first, second),
    };
    if parse_timestamp(time).is_none() || Level::from_text(level.trim()).is_none() {
        return None;
    }
    offer(row, "timestamp", time.into());
    offer(row, "request_id", request.into());
    offer(row, "level", level.trim().into());
    Some(rest)
}

/// The figures of a report: their key here and the unit that Lambda writes behind them.
fn reported(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key {
        "Duration" => ("duration", ""),
        "Billed Duration" => ("lambda.billed_duration_ms", "ms"),
        "Init Duration" => ("lambda.init_duration_ms", "ms"),
        "Restore Duration" => ("lambda.restore_duration_ms", "ms"),
        "Billed Restore Duration" => ("lambda.billed_restore_duration_ms", "ms"),
        "Memory Size" => ("lambda.memory_size_mb", "MB"),
        "Max Memory Used" => ("lambda.max_memory_used_mb", "MB"),
        "SegmentId" => ("lambda.xray_segment_id", ""),
        "Sampled" => ("lambda.xray_sampled", ""),
        _ => return None,
    })
}

/// A figure without the unit that its key already names; one in another unit as it came.
fn figure<'a>(key: &str, unit: &str, value: &'a str) -> Cow<'a, str> {
    match unit {
        "ms" if key.ends_with("_ms") => {
            millis_of_text(value).map_or(value.into(), |ms| ms.to_string().into())
        }
        "MB" => value.strip_suffix(" MB").unwrap_or(value).into(),
        _ => value.into(),
    }
}
