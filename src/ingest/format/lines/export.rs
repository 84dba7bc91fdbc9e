//! CloudWatch Logs as exported to S3: `2025-01-15T09:00:00.123Z message`, lines without a time continue the
//! message before them.

use crate::domain::parse_timestamp;
use crate::ingest::format::aliases::{FIRST_RANK, Form, Target};
use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::names::ROOT;
use crate::ingest::format::{fill, lift};
use crate::ingest::output::{Origin, Place};
use crate::ingest::table::TableId;

/// `2025-01-15T09:00:00.123Z`.
const TIME: usize = 24;

/// Whether a line begins a message.
pub(crate) fn begins(line: &[u8]) -> bool {
    const PATTERN: &[u8; TIME] = b"0000-00-00T00:00:00.000Z";
    let Some(time) = line.get(..TIME) else { return false };
    let fits = |(b, p): (&u8, &u8)| if *p == b'0' { b.is_ascii_digit() } else { b == p };
    time.iter().zip(PATTERN).all(fits) && line.get(TIME).is_none_or(|b| b.is_ascii_whitespace())
}

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    text: &'v str,
) -> Result<(), String> {
    if !begins(text.as_bytes()) || parse_timestamp(&text[..TIME]).is_none() {
        return Err("expected a time such as `2025-01-15T09:00:00.123Z` and a message, found a line that \
                    continues no message"
            .to_owned());
    }
    let (time, message) = text.split_at(TIME);
    let message = message.strip_prefix(' ').unwrap_or(message);
    decoder.row(origin, TableId::Logs, place, |names, row| {
        fill::put(names, row, "timestamp", "timestamp", Form::Time(None), Scalar::Text(time.into()));
        let column = row.facts().column("message").unwrap_or(0) as u8;
        let name = names.child(ROOT, "message");
        let target = Target { column, rank: FIRST_RANK, form: Form::Message };
        row.offer_to(target, name, Scalar::Text(message.into()), 0);
        lift::lambda(names, row);
    });
    Ok(())
}
