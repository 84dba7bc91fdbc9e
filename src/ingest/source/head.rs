//! What the header lines of a source say about the records behind them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::ingest::csv_layout::CsvLayout;

/// Names of columns, as the latest header gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The header rows, in order; one but for CSV layouts that say otherwise.
    pub(crate) rows: Vec<Vec<String>>,
    /// What separates the fields of CSV.
    pub(crate) delimiter: u8,
    /// The layout that the settings give for this CSV file.
    pub(crate) layout: Option<Arc<CsvLayout>>,
}

impl Head {
    /// What a reject keeps of it. A layout is a setting, and may be another one when the reject is read again.
    pub(crate) fn to_json(&self) -> String {
        let delimiter = char::from(self.delimiter).to_string();
        json!({ "rows": self.rows, "delimiter": delimiter }).to_string()
    }

    /// A header as [`Head::to_json`] wrote it; `None` for anything else.
    pub(crate) fn of_json(text: &str) -> Option<Head> {
        let value: Value = serde_json::from_str(text).ok()?;
        let texts = |row: &Value| {
            row.as_array()?.iter().map(|cell| cell.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let rows = value.get("rows")?.as_array()?.iter().map(texts).collect::<Option<Vec<_>>>()?;
        let delimiter = value.get("delimiter")?.as_str()?.chars().next()?;
        Some(Head { rows, delimiter: u8::try_from(delimiter).ok()?, layout: None })
    }

    /// The column names.
    pub(crate) fn names(&self) -> &[String] {
        self.rows.last().map_or(&[], Vec::as_slice)
    }
}

/// The columns of a `#Fields:` line (W3C extended log file format).
pub(crate) fn fields_line(line: &str) -> Option<Vec<String>> {
    let rest = line.strip_prefix("#Fields:")?;
    Some(rest.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Fields of VPC flow logs, versions 2 to 8 and 10 (Amazon VPC user guide, "Flow log records").
const VPC_FIELDS: &[&str] = &[
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "ecs-cluster-arn",
    "ecs-cluster-name",
    "ecs-container-instance-arn",
    "ecs-container-instance-id",
    "ecs-container-id",
    "ecs-second-container-id",
    "ecs-service-name",
    "ecs-task-definition-arn",
    "ecs-task-arn",
    "ecs-task-id",
    "reject-reason",
    "resource-id",
    "encryption-status",
];
/// How many of them the default format (version 2) has.
pub(crate) const VPC_DEFAULT: usize = 14;

/// The columns of a VPC flow log before any header line.
pub(crate) fn vpc_default() -> Vec<String> {
    VPC_FIELDS[..VPC_DEFAULT].iter().map(|f| (*f).to_owned()).collect()
}

/// The columns of a VPC header line: nothing but known field names, at least three.
pub(crate) fn vpc_line(line: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let known = words.len() >= 3 && words.iter().all(|w| VPC_FIELDS.contains(w));
    known.then(|| words.into_iter().map(str::to_owned).collect())
}

/// The fields of one CSV record.
pub(crate) fn csv_fields(record: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    // Unquoting never makes a record longer.
    let (mut out, mut ends) = (vec![0; record.len() + 1], vec![0; record.len() + 2]);
    let (mut read, mut written, mut found) = (0, 0, 0);
    loop {
        let (result, nin, nout, nend) =
            reader.read_record(&record[read..], &mut out[written..], &mut ends[found..]);
        (read, written, found) = (read + nin, written + nout, found + nend);
        match result {
            // Empty input again tells the reader that the record ends here.
            csv_core::ReadRecordResult::InputEmpty => {}
            _ => break,
        }
    }
    let mut start = 0;
    ends[..found]
        .iter()
        .map(|end| {
            let field = out[start..*end].to_vec();
            start = *end;
            field
        })
        .collect()
}

/// What separates fields, told from a header line: the candidate that stands there most often outside quotes;
/// the comma if none does.
pub(crate) fn delimiter_of(line: &[u8]) -> u8 {
    let count = |candidate: u8| {
        let mut quoted = false;
        line.iter()
            .filter(|b| {
                quoted ^= **b == b'"';
                !quoted && **b == candidate
            })
            .count()
    };
    let mut best = (b',', count(b','));
    for candidate in [b'\t', b';', b'|'] {
        let found = count(candidate);
        if found > best.1 {
            best = (candidate, found);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(record: &str, delimiter: u8) -> Vec<String> {
        csv_fields(record.as_bytes(), delimiter).into_iter().map(|f| String::from_utf8(f).unwrap()).collect()
    }

    #[test]
    fn records_split_as_rfc_4180_says() {
        assert_eq!(texts("a,\"b,\"\"c\"\"\nd\",,e", b','), ["a", "b,\"c\"\nd", "", "e"]);
        assert_eq!(texts("a;b,c;", b';'), ["a", "b,c", ""]);
        assert_eq!(texts("", b','), Vec::<String>::new());
        assert_eq!(texts("\"", b','), [""]);
        assert_eq!(texts("\"open, never closed", b','), ["open, never closed"]);
    }

    #[test]
    fn a_header_reads_back_from_what_a_reject_keeps() {
        for delimiter in [b',', b'\t', b';', 0] {
            let rows = vec![vec!["time".to_owned(), "a \"b\", é".to_owned()], vec![String::new()]];
            let head = Head { rows, delimiter, layout: None };
            assert_eq!(Head::of_json(&head.to_json()), Some(head));
        }
        for other in ["", "[]", "{}", r#"{"rows":[["a"]]}"#, r#"{"rows":[[1]],"delimiter":","}"#] {
            assert_eq!(Head::of_json(other), None, "{other}");
        }
    }

    #[test]
    fn the_delimiter_is_what_stands_there_most() {
        assert_eq!(delimiter_of(b"a;b;\"c,d,e,f\""), b';');
        assert_eq!(delimiter_of(b"a\tb,c\td"), b'\t');
        assert_eq!(delimiter_of(b"alone"), b',');
    }

    #[test]
    fn header_lines_name_their_fields() {
        assert_eq!(fields_line("#Fields: date time").unwrap(), ["date", "time"]);
        assert_eq!(fields_line("#Version: 1.0"), None);
        assert_eq!(vpc_line("action start end").unwrap().len(), 3);
        assert_eq!(vpc_line("2 123456789012 eni-1"), None);
        assert_eq!(vpc_default().last().unwrap(), "log-status");
    }
}
