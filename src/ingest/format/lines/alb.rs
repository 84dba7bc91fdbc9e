//! Access logs of Application Load Balancers (AWS: "Access logs for your Application Load Balancer", syntax).
//! Fields are appended to the format over the years: a line may have fewer or more than are listed here.
//!
//! The duration is the sum of the three processing times; -1 (a stage that was not reached) leaves it unknown.

use super::request::{request_line, xray_trace};
use super::tokens::split;
use crate::domain::parse_timestamp;
use crate::ingest::format::aliases::Form;
use crate::ingest::format::convert::{Cell, Scalar};
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::fill::{default, keep, put};
use crate::ingest::format::names::Names;
use crate::ingest::format::region;
use crate::ingest::format::units::{Unit, millis};
use crate::ingest::output::{Origin, Place};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

const FIELDS: [&str; 30] = [
    "type",
    "time",
    "elb",
    "client:port",
    "target:port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target:port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
];
/// Up to the user agent every line has them.
const LEAST: usize = 14;

/// Whether a line is one of an ALB.
pub(crate) fn is_alb(line: &str) -> bool {
    let types = ["http", "https", "h2", "grpcs", "ws", "wss"];
    let Ok(tokens) = split(line) else { return false };
    tokens.len() >= LEAST
        && types.contains(&tokens[0].text())
        && parse_timestamp(tokens[1].text()).is_some()
        && tokens[5..8].iter().all(|t| t.text().parse::<f64>().is_ok())
}

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    line: &'v str,
) -> Result<(), String> {
    let tokens = split(line)?;
    if tokens.len() < LEAST {
        return Err(format!(
            "expected at least {LEAST} fields from `type` to `user_agent`, found {}",
            tokens.len()
        ));
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (position, token) in tokens.iter().enumerate() {
            let Some(text) = token.value() else { continue };
            match FIELDS.get(position) {
                Some(key) => field(names, row, key, text),
                None => keep(names, row, &format!("field_{}", position + 1), text),
            }
        }
        let times: Vec<f64> = tokens[5..8].iter().filter_map(|t| millis(t.text(), Unit::Seconds)).collect();
        if let (3, Some(column)) = (times.len(), row.facts().column("duration_ms")) {
            // Each has three to six decimals; the sum of doubles gets its nanoseconds back.
            row.set(column, Cell::Float((times.iter().sum::<f64>() * 1e6).round() / 1e6));
        }
        let arns = [16, 19].into_iter().filter_map(|p| tokens.get(p)).filter_map(|t| t.value());
        if let Some(region) = arns.filter_map(region::of_arn).next() {
            default(row, "region", region);
        }
        if let Some(name) = tokens[2].text().split('/').nth(1) {
            default(row, "service", name);
        }
    });
    Ok(())
}

fn field<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, text: &'v str) {
    let scalar = Scalar::Text(text.into());
    match key {
        "time" => put(names, row, key, "timestamp", Form::Time(None), scalar),
        "elb_status_code" => put(names, row, key, "status_code", Form::Status, scalar),
        "sent_bytes" => put(names, row, key, "bytes_sent", Form::Plain, scalar),
        "error_reason" => put(names, row, key, "error_type", Form::Plain, scalar),
        "request" => match request_line(text) {
            Some((method, target, protocol)) => {
                put(names, row, "request_method", "method", Form::Plain, Scalar::Text(method.into()));
                put(names, row, "request_url", "route", Form::Path, Scalar::Text(target.into()));
                if let Some(protocol) = protocol {
                    keep(names, row, "request_protocol", protocol);
                }
            }
            // `- http://host:80- -` is what a request that never came is written as.
            None => keep(names, row, key, text),
        },
        "trace_id" => {
            if let Some(trace) = xray_trace(text) {
                put(names, row, key, "trace_id", Form::Id, Scalar::Text(trace.into()));
            }
            put(names, row, "amzn_trace_id", "request_id", Form::Plain, scalar);
        }
        _ => keep(names, row, key, text),
    }
}
