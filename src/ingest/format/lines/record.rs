//! Which decoder a text record goes to.

use super::{alb, cloudfront, combined, cri, docker, export, logfmt, vpc};
use crate::ingest::format::decoder::Decoder;
use crate::ingest::options::Format;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// Whether the records of a format are text, and land in `logs`.
pub(crate) fn is_text(format: Format) -> bool {
    matches!(
        format,
        Format::CloudwatchExport
            | Format::Logfmt
            | Format::Docker
            | Format::Cri
            | Format::Nginx
            | Format::Alb
            | Format::Cloudfront
            | Format::VpcFlow
    )
}

/// Decodes one record of text.
pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, text: &str) {
    // A frame of Docker's or CRI's may hold several records, which only shows when it is read.
    let parts = matches!(origin.format, Format::Docker | Format::Cri);
    if !parts && Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    let result = match origin.format {
        Format::CloudwatchExport => export::record(decoder, origin, place, text),
        Format::Docker => {
            docker::frame(decoder, origin, place, text);
            Ok(())
        }
        Format::Cri => {
            cri::frame(decoder, origin, place, text);
            Ok(())
        }
        Format::Logfmt => logfmt::record(decoder, origin, place, text),
        Format::Nginx => combined::record(decoder, origin, place, text),
        Format::Alb => alb::record(decoder, origin, place, text),
        Format::Cloudfront => cloudfront::record(decoder, origin, place, text),
        _ => vpc::record(decoder, origin, place, text),
    };
    if let Err(reason) = result {
        let fault = Fault::new(Code::BadLine, reason);
        decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
}
