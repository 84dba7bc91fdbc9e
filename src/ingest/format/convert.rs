//! One value into one column: without loss, or not at all.
//!
//! | value                         | column          | result                                           |
//! |-------------------------------|-----------------|--------------------------------------------------|
//! | JSON null, an empty identity  | any             | NULL                                             |
//! | number or boolean             | text            | its spelling                                     |
//! | array, object                 | text            | its JSON text                                    |
//! | `"200"`, `200.0`              | integer         | 200                                              |
//! | `"1.5"`                       | double          | 1.5                                              |
//! | `NaN`, `Infinity`, `1e999`    | double          | NULL, kept in the attributes                     |
//! | `"true"`, `"False"`           | boolean         | as said; numbers are not booleans                |
//! | number, unit unknown          | time, duration  | NULL, kept in the attributes (a time: see `row`) |
//! | negative number               | duration        | NULL, kept in the attributes                     |
//! | anything else that does not fit | any           | NULL, kept in the attributes                     |

use std::borrow::Cow;

use super::aliases::Form;
use super::json::{Kind, Value};
use super::units::{common_log_time, instant, millis, millis_of_text};
use crate::contract::ColumnType;
use crate::domain::{Level, parse_timestamp};

/// A value as its format spells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// A number by its text.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// An array or object by its JSON text.
    Json(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    #[inline]
    pub(crate) fn of(value: Value<'a>) -> Scalar<'a> {
        match value.kind() {
            Kind::Null => Scalar::Null,
            Kind::True => Scalar::Bool(true),
            Kind::False => Scalar::Bool(false),
            Kind::Number => Scalar::Number(value.raw().into()),
            Kind::String => Scalar::Text(value.raw().into()),
            Kind::Object | Kind::Array => Scalar::Json(value.raw().into()),
        }
    }

    /// Its text, as the map column keeps it.
    #[inline]
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Scalar::Null => None,
            Scalar::Bool(true) => Some("true".into()),
            Scalar::Bool(false) => Some("false".into()),
            Scalar::Number(text) | Scalar::Text(text) | Scalar::Json(text) => Some(text),
        }
    }
}

/// A value as its column holds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Cell<'a> {
    #[default]
    Null,
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// UTC microseconds.
    Time(i64),
}

/// What became of a conversion.
#[derive(Debug, PartialEq)]
pub(crate) enum Converted<'a> {
    /// It fits.
    Cell(Cell<'a>),
    /// It fits, and the spelling says more than the column keeps.
    Lossy(Cell<'a>),
    /// The value means that there is none.
    Nothing,
    /// It is not of this column, and that is common: no note.
    Elsewhere,
    /// A time or duration without a unit.
    NoUnit,
    /// A value that does not fit.
    Unfit,
}

/// Longest name of a region; it becomes a directory.
const MAX_REGION: usize = 64;

/// Whether a text can name a region.
pub(crate) fn is_region(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_REGION && !text.chars().any(char::is_control)
}

/// The region of a zone: `us-east-1a` (AWS) and `us-central1-a` (Google) lose their letter.
pub(crate) fn region_of_zone(zone: &str) -> &str {
    let b = zone.as_bytes();
    match b {
        [.., digit, b'-', letter] if digit.is_ascii_digit() && letter.is_ascii_lowercase() => {
            &zone[..zone.len() - 2]
        }
        [.., digit, letter]
            if digit.is_ascii_digit() && letter.is_ascii_lowercase() && zone.contains('-') =>
        {
            &zone[..zone.len() - 1]
        }
        _ => zone,
    }
}

/// A trace or span identity: hex in lower case, `projects/P/traces/HEX` by its hex, anything else as it
/// came. All zeros and the empty text are the absence of one (OpenTelemetry trace context).
pub(crate) fn identity(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let (mut zeros, mut hex, mut upper, mut slash) = (true, true, false, false);
    for b in text.bytes() {
        zeros &= b == b'0';
        hex &= b.is_ascii_hexdigit();
        upper |= b.is_ascii_uppercase();
        slash |= b == b'/';
    }
    if slash && let Some(at) = text.rfind(TRACE_PATH) {
        return identity(Cow::Owned(text[at + TRACE_PATH.len()..].to_owned()));
    }
    if zeros {
        return None;
    }
    if hex && upper && matches!(text.len(), 16 | 32) {
        return Some(text.to_ascii_lowercase().into());
    }
    Some(text)
}

/// What stands before the id in Google Cloud's resource name of a trace.
const TRACE_PATH: &str = "/traces/";

/// Whether two spellings of a level differ in no more than case and length (`warning`, `WARN`).
fn same_word(a: &str, b: &str) -> bool {
    let short = a.len().min(b.len());
    a.is_char_boundary(short) && b.is_char_boundary(short) && a[..short].eq_ignore_ascii_case(&b[..short])
}

fn level(scalar: Scalar<'_>) -> Converted<'_> {
    let word = |l: Level| Cell::Text(l.as_str().into());
    match scalar {
        Scalar::Text(text) if text.trim().is_empty() => Converted::Nothing,
        Scalar::Text(text) => match Level::from_text(text.trim()) {
            Some(l) if same_word(text.trim(), l.as_str()) => Converted::Cell(word(l)),
            Some(l) => Converted::Lossy(word(l)),
            None => Converted::Cell(Cell::Text(text)),
        },
        // bunyan's numbers, which pino took over.
        Scalar::Number(n) => match &*n {
            "10" => Converted::Cell(word(Level::Trace)),
            "20" => Converted::Cell(word(Level::Debug)),
            "30" => Converted::Cell(word(Level::Info)),
            "40" => Converted::Cell(word(Level::Warn)),
            "50" => Converted::Cell(word(Level::Error)),
            "60" => Converted::Cell(word(Level::Fatal)),
            _ => Converted::Cell(Cell::Text(n)),
        },
        _ => Converted::Unfit,
    }
}

/// The path of a URL or of a request target, without query and fragment.
pub(crate) fn path_of_url(url: &str) -> &str {
    let path = match url.find("://") {
        Some(at) => {
            let rest = &url[at + 3..];
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        None => url,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

fn cut_path(text: Cow<'_, str>) -> Converted<'_> {
    let kept = path_of_url(&text).len();
    if kept == text.len() {
        return Converted::Cell(Cell::Text(text));
    }
    let path = match text {
        Cow::Borrowed(text) => Cow::Borrowed(path_of_url(text)),
        Cow::Owned(text) => Cow::Owned(path_of_url(&text).to_owned()),
    };
    Converted::Lossy(Cell::Text(path))
}

/// An integer from its text: `200`, `200.0`, `2e2`; exact or not at all.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(value) = text.parse::<i64>() {
        return Some(value);
    }
    // Every whole number up to here has its own double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

/// A number of units of so many bytes: whole bytes for a whole column, or not at all.
fn sized<'a>(number: &str, bytes: u32, kind: ColumnType) -> Option<Cell<'a>> {
    match (kind, integer(number)) {
        (ColumnType::Int32 | ColumnType::Int64, Some(n)) => n.checked_mul(i64::from(bytes)).map(Cell::Int),
        (ColumnType::Int32 | ColumnType::Int64, None) => {
            let value = number.trim().parse::<f64>().ok()? * f64::from(bytes);
            integer(&value.to_string()).map(Cell::Int)
        }
        (ColumnType::Float64, _) => {
            let value = number.trim().parse::<f64>().ok()? * f64::from(bytes);
            value.is_finite().then_some(Cell::Float(value))
        }
        _ => None,
    }
}

fn plain(kind: ColumnType, scalar: Scalar<'_>) -> Converted<'_> {
    let number = |text: &str| match kind {
        ColumnType::Int32 => integer(text).filter(|v| i32::try_from(*v).is_ok()).map(Cell::Int),
        ColumnType::Int64 => integer(text).map(Cell::Int),
        ColumnType::Float64 => text.trim().parse::<f64>().ok().filter(|v| v.is_finite()).map(Cell::Float),
        _ => None,
    };
    match (kind, scalar) {
        (ColumnType::String, scalar) => match scalar.into_text() {
            Some(text) => Converted::Cell(Cell::Text(text)),
            None => Converted::Nothing,
        },
        (ColumnType::Bool, Scalar::Bool(b)) => Converted::Cell(Cell::Bool(b)),
        (ColumnType::Bool, Scalar::Text(t)) if t.eq_ignore_ascii_case("true") => {
            Converted::Cell(Cell::Bool(true))
        }
        (ColumnType::Bool, Scalar::Text(t)) if t.eq_ignore_ascii_case("false") => {
            Converted::Cell(Cell::Bool(false))
        }
        (_, Scalar::Number(t) | Scalar::Text(t)) => number(&t).map_or(Converted::Unfit, Converted::Cell),
        _ => Converted::Unfit,
    }
}

fn lowered<'a>(word: &str, prefix: &str) -> Cow<'a, str> {
    let word = word.trim().to_ascii_lowercase();
    match word.strip_prefix(prefix) {
        Some(rest) => rest.to_owned().into(),
        None => word.into(),
    }
}

/// Reads a value the way its target asks for.
#[inline]
pub(crate) fn convert<'a>(form: Form, kind: ColumnType, scalar: Scalar<'a>) -> Converted<'a> {
    let text_or = |scalar: Scalar<'a>, f: fn(Cow<'a, str>) -> Converted<'a>| match scalar {
        Scalar::Text(text) => f(text),
        other => plain(ColumnType::String, other),
    };
    if scalar == Scalar::Null {
        return Converted::Nothing;
    }
    match form {
        Form::Plain => plain(kind, scalar),
        Form::Time(unit) => match (scalar, unit) {
            (Scalar::Number(n), Some(unit)) => {
                instant(&n, unit).map_or(Converted::Unfit, |t| Converted::Cell(Cell::Time(t)))
            }
            (Scalar::Number(_), None) => Converted::NoUnit,
            (Scalar::Text(text), unit) => {
                match (parse_timestamp(&text).or_else(|| common_log_time(&text)), unit) {
                    (Some(t), _) => Converted::Cell(Cell::Time(t)),
                    (None, Some(unit)) => instant(text.trim(), unit)
                        .map_or(Converted::Unfit, |t| Converted::Cell(Cell::Time(t))),
                    (None, None) if text.trim().parse::<f64>().is_ok() => Converted::NoUnit,
                    (None, None) => Converted::Unfit,
                }
            }
            _ => Converted::Unfit,
        },
        Form::Millis(unit) => {
            let ms = match (&scalar, unit) {
                (Scalar::Number(n), Some(unit)) => millis(n, unit),
                (Scalar::Number(_), None) => return Converted::NoUnit,
                (Scalar::Text(t), None) if t.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                    return Converted::NoUnit;
                }
                (Scalar::Text(t), unit) => millis_of_text(t).or_else(|| unit.and_then(|u| millis(t, u))),
                _ => None,
            };
            ms.map_or(Converted::Unfit, |ms| Converted::Cell(Cell::Float(ms)))
        }
        Form::Size(bytes) => match &scalar {
            Scalar::Number(n) | Scalar::Text(n) => {
                sized(n, bytes, kind).map_or(Converted::Unfit, Converted::Cell)
            }
            _ => Converted::Unfit,
        },
        Form::Level => level(scalar),
        Form::SeverityNumber => match scalar {
            Scalar::Number(n) | Scalar::Text(n) => match integer(&n).and_then(Level::from_otel_number) {
                // The first number of each band is the word itself.
                Some(l) if integer(&n).is_some_and(|n| n % 4 == 1) => {
                    Converted::Cell(Cell::Text(l.as_str().into()))
                }
                Some(l) => Converted::Lossy(Cell::Text(l.as_str().into())),
                None => Converted::Elsewhere,
            },
            _ => Converted::Unfit,
        },
        // RFC 5424, section 6.2.1.
        Form::Syslog => match scalar.into_text().as_deref().and_then(integer) {
            Some(0..=2) => Converted::Lossy(Cell::Text(Level::Fatal.as_str().into())),
            Some(3) => Converted::Lossy(Cell::Text(Level::Error.as_str().into())),
            Some(4) => Converted::Lossy(Cell::Text(Level::Warn.as_str().into())),
            Some(5 | 6) => Converted::Lossy(Cell::Text(Level::Info.as_str().into())),
            Some(7) => Converted::Lossy(Cell::Text(Level::Debug.as_str().into())),
            _ => Converted::Unfit,
        },
        Form::Id => text_or(scalar, |t| match identity(t) {
            Some(id) => Converted::Cell(Cell::Text(id)),
            None => Converted::Nothing,
        }),
        Form::Region | Form::Zone => text_or(scalar, |t| {
            if is_region(&t) {
                Converted::Cell(Cell::Text(match t {
                    Cow::Borrowed(t) => t.trim().into(),
                    Cow::Owned(t) => t.trim().to_owned().into(),
                }))
            } else if t.trim().is_empty() {
                Converted::Nothing
            } else {
                Converted::Unfit
            }
        })
        .zone(form == Form::Zone),
        Form::Path => text_or(scalar, cut_path),
        Form::Status => match plain(kind, scalar) {
            Converted::Unfit => Converted::Elsewhere,
            other => other,
        },
        Form::ErrorText => match &scalar {
            Scalar::Bool(false) => Converted::Elsewhere,
            Scalar::Number(n) if integer(n) == Some(0) => Converted::Elsewhere,
            Scalar::Text(t) if t.trim().is_empty() => Converted::Nothing,
            Scalar::Json(t) if matches!(&**t, "[]" | "{}") => Converted::Elsewhere,
            _ => plain(kind, scalar),
        },
        Form::SpanKind => match &scalar {
            Scalar::Text(t) => Converted::Cell(Cell::Text(lowered(t, "span_kind_"))),
            Scalar::Number(n) => match span_kind(integer(n).unwrap_or(-1)) {
                Some(kind) => Converted::Cell(Cell::Text(kind.into())),
                None => Converted::Elsewhere,
            },
            _ => Converted::Unfit,
        },
        Form::SpanStatus => match &scalar {
            Scalar::Text(t) => match &*lowered(t, "status_code_") {
                "ok" => Converted::Cell(Cell::Text("ok".into())),
                "error" => Converted::Cell(Cell::Text("error".into())),
                "unset" | "" => Converted::Nothing,
                _ => Converted::Elsewhere,
            },
            _ => Converted::Elsewhere,
        },
        Form::Message => text_or(scalar, |t| {
            Converted::Cell(Cell::Text(match t {
                Cow::Borrowed(t) => {
                    t.strip_suffix('\n').map_or(t, |t| t.strip_suffix('\r').unwrap_or(t)).into()
                }
                Cow::Owned(mut t) => {
                    if t.ends_with('\n') {
                        t.truncate(t.trim_end_matches(['\n', '\r']).len());
                    }
                    t.into()
                }
            }))
        }),
    }
}

/// The name of an OTLP span kind number.
pub(crate) fn span_kind(number: i64) -> Option<&'static str> {
    Some(match number {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => return None,
    })
}

impl Converted<'_> {
    fn zone(self, is_zone: bool) -> Self {
        match self {
            Converted::Cell(Cell::Text(zone)) if is_zone => {
                let region = region_of_zone(&zone);
                if region.len() == zone.len() {
                    Converted::Cell(Cell::Text(zone))
                } else {
                    Converted::Lossy(Cell::Text(region.to_owned().into()))
                }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::format::units::Unit;

    fn text(t: &str) -> Scalar<'_> {
        Scalar::Text(t.into())
    }

    fn number(t: &str) -> Scalar<'_> {
        Scalar::Number(t.into())
    }

    fn cell(form: Form, kind: ColumnType, scalar: Scalar<'_>) -> Cell<'_> {
        match convert(form, kind, scalar) {
            Converted::Cell(cell) | Converted::Lossy(cell) => cell,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_table_above_holds() {
        use ColumnType::*;
        let plain = |kind, scalar| convert(Form::Plain, kind, scalar);
        assert_eq!(plain(String, Scalar::Null), Converted::Nothing);
        assert_eq!(plain(String, number("1.10")), Converted::Cell(Cell::Text("1.10".into())));
        assert_eq!(plain(Int32, text("200")), Converted::Cell(Cell::Int(200)));
        assert_eq!(plain(Int32, number("200.0")), Converted::Cell(Cell::Int(200)));
        assert_eq!(plain(Int32, number("3000000000")), Converted::Unfit);
        assert_eq!(
            plain(Int64, number("9007199254740993")),
            Converted::Cell(Cell::Int(9_007_199_254_740_993))
        );
        assert_eq!(plain(Int64, number("1e30")), Converted::Unfit);
        assert_eq!(plain(Float64, text("1.5")), Converted::Cell(Cell::Float(1.5)));
        assert_eq!(plain(Float64, text("NaN")), Converted::Unfit);
        assert_eq!(plain(Float64, number("1e999")), Converted::Unfit);
        assert_eq!(cell(Form::Size(1024), Int64, number("1.5")), Cell::Int(1536));
        assert_eq!(convert(Form::Size(1000), Int64, number("1.0001")), Converted::Unfit);
        assert_eq!(plain(Bool, text("False")), Converted::Cell(Cell::Bool(false)));
        assert_eq!(plain(Bool, number("1")), Converted::Unfit);
        assert_eq!(convert(Form::Millis(None), Float64, number("12")), Converted::NoUnit);
        assert_eq!(convert(Form::Millis(Some(Unit::Seconds)), Float64, number("-1")), Converted::Unfit);
        assert_eq!(cell(Form::Millis(None), Float64, text("12us")), Cell::Float(0.012));
        assert_eq!(convert(Form::Time(None), Timestamp, number("1700000000")), Converted::NoUnit);
        assert_eq!(convert(Form::Time(None), Timestamp, text("1700000000")), Converted::NoUnit);
        assert_eq!(cell(Form::Time(Some(Unit::Seconds)), Timestamp, text("1.5")), Cell::Time(1_500_000));
    }

    #[test]
    fn levels_share_one_scale_and_say_when_a_spelling_said_more() {
        let level = |s| convert(Form::Level, ColumnType::String, s);
        assert_eq!(level(text("warning")), Converted::Cell(Cell::Text("WARN".into())));
        assert_eq!(level(text("NOTICE")), Converted::Lossy(Cell::Text("INFO".into())));
        assert_eq!(level(text("loud")), Converted::Cell(Cell::Text("loud".into())));
        assert_eq!(level(number("50")), Converted::Cell(Cell::Text("ERROR".into())));
        assert_eq!(level(number("7")), Converted::Cell(Cell::Text("7".into())));
        assert_eq!(cell(Form::Syslog, ColumnType::String, text("3")), Cell::Text("ERROR".into()));
    }

    #[test]
    fn identities_and_regions_have_one_spelling() {
        let id = |t| convert(Form::Id, ColumnType::String, text(t));
        let hex = "5B8EFFF798038103D269B633813FC60C";
        assert_eq!(id(hex), Converted::Cell(Cell::Text(hex.to_lowercase().into())));
        assert_eq!(id("00000000000000000000000000000000"), Converted::Nothing);
        assert_eq!(
            id("projects/p/traces/ABCDEF0123456789"),
            Converted::Cell(Cell::Text("abcdef0123456789".into()))
        );
        assert_eq!(id("1-5759E988"), Converted::Cell(Cell::Text("1-5759E988".into())));
        for (zone, region) in [
            ("us-east-1a", "us-east-1"),
            ("us-central1-a", "us-central1"),
            ("europe-west1", "europe-west1"),
            ("global", "global"),
            ("a", "a"),
        ] {
            assert_eq!(region_of_zone(zone), region);
        }
        assert_eq!(convert(Form::Region, ColumnType::String, text(&"x".repeat(65))), Converted::Unfit);
        assert_eq!(path_of_url("https://shop.example/a/b?x=1#y"), "/a/b");
        assert_eq!(path_of_url("https://shop.example"), "/");
    }

    #[test]
    fn no_error_is_no_error() {
        let error = |s| convert(Form::ErrorText, ColumnType::String, s);
        assert_eq!(error(Scalar::Bool(false)), Converted::Elsewhere);
        assert_eq!(error(text("")), Converted::Nothing);
        assert_eq!(error(text("boom")), Converted::Cell(Cell::Text("boom".into())));
    }
}
