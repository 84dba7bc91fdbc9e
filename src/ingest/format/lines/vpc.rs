//! VPC flow logs (Amazon VPC user guide, "Flow log records"): space-separated, by a header line or in the
//! default order of version 2; `start` and `end` are seconds since 1970.

use crate::ingest::format::aliases::Form;
use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::fill::{default, keep, put};
use crate::ingest::format::units::Unit;
use crate::ingest::output::{Origin, Place};
use crate::ingest::source::vpc_line;
use crate::ingest::table::TableId;

/// Whether a line is a header of a flow log or a record in the default format.
pub(crate) fn is_flow(line: &str) -> bool {
    if vpc_line(line).is_some() {
        return true;
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [version, account, interface, .., action, status] = words[..] else { return false };
    words.len() == 14
        && version == "2"
        && account.len() == 12
        && interface.starts_with("eni-")
        && matches!(action, "ACCEPT" | "REJECT" | "-")
        && matches!(status, "OK" | "NODATA" | "SKIPDATA")
}

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    line: &'v str,
) -> Result<(), String> {
    let head = decoder.output.head.clone().unwrap_or_default();
    let (columns, values) = (head.names(), line.split_ascii_whitespace().collect::<Vec<_>>());
    if values.len() != columns.len() {
        return Err(format!(
            "expected the {} fields of the header (or of the default format), found {}",
            columns.len(),
            values.len()
        ));
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (column, value) in columns.iter().zip(&values).filter(|(_, v)| **v != "-") {
            let scalar = Scalar::Text((*value).into());
            match column.as_str() {
                "start" => {
                    put(names, row, column, "timestamp", Form::Time(Some(Unit::Seconds)), scalar);
                }
                "region" => put(names, row, column, "region", Form::Region, scalar),
                "instance-id" => put(names, row, column, "host", Form::Plain, scalar),
                "ecs-service-name" => put(names, row, column, "service", Form::Plain, scalar),
                _ => keep(names, row, column, *value),
            }
        }
        default(row, "event", "vpc.flow");
    });
    Ok(())
}
