//! Records that cannot land: they go to the table `rejects`, with the place, the reason and their bytes.
//!
//! | code              | meaning                                                                     |
//! |-------------------|-----------------------------------------------------------------------------|
//! | `truncated`       | the JSON text ends too early                                                |
//! | `bad_json`        | not JSON                                                                    |
//! | `bad_line`        | a line or CSV record that is not what the format writes                     |
//! | `too_deep`        | nested deeper than `max_nesting` of the settings (128)                      |
//! | `bad_utf8`        | bytes that are no UTF-8                                                     |
//! | `not_an_object`   | JSON, but a number, a text or a list where a record is expected             |
//! | `too_large`       | a record larger than the memory limit allows (a sixteenth of it)            |
//! | `unknown_shape`   | an object that is none of the format's records                              |
//! | `bad_envelope`    | packed data (base64, gzip) that cannot be unpacked                          |
//! | `missing_time`    | no time in it                                                               |
//! | `time_unit`       | a time as a number, and nothing says in what unit                           |
//! | `bad_time`        | a time that is none, or outside years 1 to 9999                             |
//! | `missing_field`   | a column that the contract requires is missing                              |
//! | `bad_value`       | a value outside a closed vocabulary, or ends before it starts               |

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, Schema};

use super::error::{Error, Result};
use super::source::Head;
use crate::contract;

/// Why a record was rejected, as a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Code {
    Truncated,
    BadJson,
    BadLine,
    TooDeep,
    BadUtf8,
    NotAnObject,
    TooLarge,
    UnknownShape,
    BadEnvelope,
    MissingTime,
    TimeUnit,
    BadTime,
    MissingField,
    BadValue,
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Code::Truncated => "truncated",
            Code::BadJson => "bad_json",
            Code::BadLine => "bad_line",
            Code::TooDeep => "too_deep",
            Code::BadUtf8 => "bad_utf8",
            Code::NotAnObject => "not_an_object",
            Code::TooLarge => "too_large",
            Code::UnknownShape => "unknown_shape",
            Code::BadEnvelope => "bad_envelope",
            Code::MissingTime => "missing_time",
            Code::TimeUnit => "time_unit",
            Code::BadTime => "bad_time",
            Code::MissingField => "missing_field",
            Code::BadValue => "bad_value",
        }
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Fault {
        Fault { code, reason: reason.into() }
    }
}

/// Longest original that is kept whole; a longer one is cut, and its reason says so.
pub(crate) const MAX_ORIGINAL: usize = 1 << 20;

/// Longest header that is kept with a reject. One that is longer is not kept: a replay needs the source then.
const MAX_HEAD: usize = 16 << 10;

/// Begins what a reason says of an original that was cut.
pub(crate) const CUT: &str = "; original cut from ";

/// One rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) offset: u64,
    pub(crate) target: Option<&'static str>,
    pub(crate) fault: Fault,
    pub(crate) original: Vec<u8>,
    /// The header that the record stood behind.
    pub(crate) head: Option<Arc<Head>>,
}

impl Reject {
    pub(crate) fn new(
        offset: u64,
        target: Option<&'static str>,
        mut fault: Fault,
        original: &[u8],
    ) -> Reject {
        let kept = &original[..original.len().min(MAX_ORIGINAL)];
        if kept.len() < original.len() {
            fault.reason.push_str(&format!("{CUT}{} to {MAX_ORIGINAL} bytes", original.len()));
        }
        Reject { offset, target, fault, original: kept.to_vec(), head: None }
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.original.len() + self.fault.reason.len() + 96
    }
}

/// Rejects of one source as a batch of the table `rejects`, all of the same instant.
pub(crate) fn batch(rejects: &[Reject], source: &str, format: &str, now: i64) -> Result<RecordBatch> {
    let table = contract::table("rejects").expect("the contract is embedded");
    let mut sources = StringBuilder::new();
    let mut offsets = Int64Builder::new();
    let mut targets = StringBuilder::new();
    let mut formats = StringBuilder::new();
    let mut codes = StringBuilder::new();
    let mut reasons = StringBuilder::new();
    // Many rejects stand behind one header.
    let mut heads = StringDictionaryBuilder::<Int32Type>::new();
    let mut originals = BinaryBuilder::new();
    let mut last: Option<(&Arc<Head>, Option<String>)> = None;
    for reject in rejects {
        sources.append_value(source);
        offsets.append_value(i64::try_from(reject.offset).unwrap_or(i64::MAX));
        targets.append_option(reject.target);
        formats.append_value(format);
        codes.append_value(reject.fault.code.as_str());
        reasons.append_value(&reject.fault.reason);
        if let Some(head) = &reject.head
            && !last.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(head, known))
        {
            last = Some((head, Some(head.to_json()).filter(|text| text.len() <= MAX_HEAD)));
        }
        let text = reject.head.as_ref().and(last.as_ref()).and_then(|(_, text)| text.as_deref());
        heads.append_option(text);
        originals.append_value(&reject.original);
    }
    let schema = table.file_schema();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "timestamp" => {
                    Arc::new(TimestampMicrosecondArray::from(vec![now; rejects.len()]).with_timezone("UTC"))
                }
                "source" => Arc::new(sources.finish()),
                "offset" => Arc::new(offsets.finish()),
                "target" => Arc::new(targets.finish()),
                "format" => Arc::new(formats.finish()),
                "code" => Arc::new(codes.finish()),
                "reason" => Arc::new(reasons.finish()),
                "head" => Arc::new(heads.finish()),
                _ => Arc::new(originals.finish()),
            }
        })
        .collect();
    let fields = schema.fields().iter().zip(&columns);
    let fields: Vec<_> =
        fields.map(|(f, c)| f.as_ref().clone().with_data_type(c.data_type().clone())).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| Error::Columns { table: "rejects", source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, BinaryArray};

    #[test]
    fn a_reject_keeps_its_bytes_and_says_when_they_were_cut() {
        let whole = Reject::new(7, Some("logs"), Fault::new(Code::BadUtf8, "r"), &[0xff, 0]);
        let long = Reject::new(9, None, Fault::new(Code::TooLarge, "r"), &vec![b'x'; MAX_ORIGINAL + 1]);
        assert!(long.fault.reason.ends_with("original cut from 1048577 to 1048576 bytes"));
        let batch = batch(&[whole, long], "a.json", "ndjson", 5).unwrap();
        let table = contract::table("rejects").unwrap();
        let names = |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(&batch.schema()), names(&table.file_schema()));
        let originals = batch.column_by_name("original").unwrap();
        let originals = originals.as_any().downcast_ref::<BinaryArray>().unwrap();
        assert_eq!(originals.value(0), [0xff, 0]);
        assert_eq!(originals.value(1).len(), MAX_ORIGINAL);
        assert!(batch.column_by_name("target").unwrap().is_null(1));
    }

    #[test]
    fn a_header_is_kept_once_for_all_rejects_behind_it_unless_it_is_too_long() {
        let head =
            |name: String| Some(Arc::new(Head { rows: vec![vec![name]], delimiter: b',', layout: None }));
        let (short, long) = (head("time".into()), head("x".repeat(MAX_HEAD)));
        let reject = |head: &Option<Arc<Head>>| {
            let reject = Reject::new(0, None, Fault::new(Code::BadLine, "r"), b"a,b");
            Reject { head: head.clone(), ..reject }
        };
        let rejects = [reject(&short), reject(&None), reject(&long), reject(&short)];
        let batch = batch(&rejects, "a.csv", "csv", 5).unwrap();
        let heads = batch.column_by_name("head").unwrap().as_dictionary::<Int32Type>();
        assert_eq!((heads.values().len(), heads.null_count()), (1, 2));
        let expected = r#"{"rows":[["time"]],"delimiter":","}"#;
        assert_eq!(heads.values().as_string::<i32>().value(0), expected);
        assert!(heads.is_valid(0) && heads.is_valid(3));
    }
}
