//! A length of time on the command line: `250ms`, `30s`, `5m`, `1h`, `1d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// Units, and the milliseconds in one; the first that divides a span names it.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl Span {
    /// Whole seconds.
    pub(super) fn seconds(self) -> Result<i64, Error> {
        let seconds = i64::try_from(self.0.as_secs()).ok().filter(|_| self.0.subsec_nanos() == 0);
        seconds.ok_or_else(|| Error::Usage {
            message: format!("expected whole seconds, got {self}"),
            hint: Some("write a time such as 5m".into()),
        })
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected a time such as 250ms, 30s, 5m, 1h or 1d, got `{text}`");
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
        let number: u64 = trimmed[..digits].parse().map_err(|_| wrong())?;
        let unit = UNITS.iter().find(|(name, _)| *name == &trimmed[digits..]).ok_or_else(wrong)?;
        number.checked_mul(unit.1).map(|ms| Span(Duration::from_millis(ms))).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (name, size) =
            UNITS.into_iter().find(|(_, size)| ms > 0 && ms % size == 0).unwrap_or(("s", 1000));
        write!(f, "{}{name}", ms / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_as_it_is_written_and_needs_a_unit() {
        for (text, ms) in
            [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("2d", 172_800_000)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.0.as_millis(), span.to_string().as_str()), (ms, text));
        }
        for text in ["", "5", "m", "1.5h", "-1s", "5 weeks", "99999999999999999999s"] {
            assert!(text.parse::<Span>().unwrap_err().contains("such as 250ms"), "{text}");
        }
    }
}
