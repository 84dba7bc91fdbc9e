//! The short way against the general one.

use proptest::prelude::*;

use super::super::decoder::Decoder;
use super::*;
use crate::ingest::options::{Format, Limits};
use crate::ingest::output::Decoded;
use crate::ingest::table::TABLE_COUNT;

fn decode(text: &str, origin: &Origin, direct: bool) -> Decoded {
    let mut decoder = Decoder::new(&[], Limits::default());
    if !direct {
        decoder.direct = None;
    }
    decoder.lines(origin, 0, text.as_bytes());
    decoder.output.take().unwrap()
}

fn origin() -> Origin {
    let done = [0; TABLE_COUNT + 1];
    Origin {
        format: Format::Ndjson,
        table: None,
        hint: None,
        region: None,
        path_region: None,
        stem: None,
        done,
    }
}

/// Decodes both ways and compares everything that comes out.
fn check(text: &str, origin: &Origin) {
    let (short, general) = (decode(text, origin, true), decode(text, origin, false));
    assert_eq!(short.counts, general.counts, "{text}");
    assert_eq!(short.rejects, general.rejects, "{text}");
    assert_eq!(short.rows.len(), general.rows.len(), "{text}");
    for (short, general) in short.rows.iter().zip(&general.rows) {
        assert_eq!(short.table, general.table, "{text}");
        assert_eq!(short.batch, general.batch, "{text}");
        assert_eq!(short.times, general.times, "{text}");
        assert_eq!((&short.parts, &short.part_of), (&general.parts, &general.part_of), "{text}");
    }
}

fn goes_direct(line: &str) -> bool {
    let (mut names, mut output) = (Names::new(&[]), Output::default());
    Direct::default().line(&mut names, &mut output, &origin(), line, 0) == Some(line.len())
}

#[test]
fn plain_records_of_every_kind_go_the_short_way() {
    for line in [
        r#"{"timestamp":"2025-01-15T13:00:00Z","level":"INFO","message":"a \"b\" \u00e9","status_code":200,"duration_ms":1.50,"timeout":false,"who":null,"x":{"y":{"z":-1e3}}}"#,
        r#"{ "timestamp" : "2025-01-15T13:00:00.123456Z" , "service" : "api" }"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","service":"a","trace_id":"5b8a","span_id":"05","duration_ms":3,"name":"GET","kind":"server","status":"ok"}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","metric":"cpu","value":0.1,"labels":{"zone":"a"}}"#,
    ] {
        assert!(goes_direct(line), "{line}");
        check(line, &origin());
    }
}

#[test]
fn a_record_that_needs_a_second_look_leaves_no_trace() {
    for line in [
        r#"{"timestamp":"2025-01-15T13:00:00Z","message":"{\"msg\":\"inner\"}"}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","tags":["a"]}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","level":"warning"}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","status_code":200,"status_code":500}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","status_code":"x"}"#,
        r#"{"timestamp":1736946000,"message":"no unit"}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","message":{"a":1}}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","x":{}}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z"} x"#,
        r#"{"message":"no time"}"#,
        r#"{}"#,
        r#"{"timestamp":"2025-01-15T13:00:00Z","x":01}"#,
    ] {
        assert!(!goes_direct(line), "{line}");
        check(line, &origin());
    }
}

#[test]
fn lines_end_where_the_general_way_ends_them() {
    let line = r#"{"timestamp":"2025-01-15T13:00:00Z","x":1}"#;
    let span = r#"{"timestamp":"2025-01-15T13:00:00Z","service":"a","trace_id":"5b8a","span_id":"05","duration_ms":3,"name":"GET","kind":"server","status":"ok"}"#;
    for text in [
        format!("{line}\r\n{line} \t\r\n\n  \n{line}\n"),
        format!(" {line}\n\u{feff}{line}\n{line}\u{c}\n{line}x\n{line}"),
        format!("\u{feff}{line}\n{line}"),
        format!("{line}\n{{\"timestamp\":\n\"2025-01-15T13:00:00Z\"}}\n{line},\n"),
        format!("{line}\n{span}\n{line}\n{span}\n{span}"),
        format!("{line}{line}\n[{line}]\n\n"),
    ] {
        let short = decode(&text, &origin(), true);
        check(&text, &origin());
        assert!(short.counts.landed >= 1, "{text}");
    }
}

#[test]
fn what_has_landed_is_counted_and_not_added_again() {
    let line = r#"{"timestamp":"2025-01-15T13:00:00Z","service":"a","x":1}"#;
    let text = format!("{line}\n{}\n{}", line.replace("\"a\"", "\"b\""), line.replace("\"a\"", "\"c\""));
    let mut origin = origin();
    origin.done = [2 * line.len() as u64 + 1; TABLE_COUNT + 1];
    check(&text, &origin);
    let short = decode(&text, &origin, true);
    assert_eq!((short.counts.already, short.counts.landed), (2, 1));
}

fn key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "timestamp",
        "time",
        "@timestamp",
        "ts",
        "level",
        "severity",
        "message",
        "msg",
        "log",
        "status",
        "status_code",
        "duration_ms",
        "duration",
        "latency",
        "value",
        "metric",
        "labels",
        "attributes",
        "region",
        "zone",
        "service",
        "trace_id",
        "span_id",
        "name",
        "kind",
        "error",
        "route",
        "path",
        "bytes_sent",
        "timeout",
        "retry_count",
        "reward_mean",
        "agent_type",
        "verdict",
        "from",
        "to",
        "alert",
        "x",
        "y.z",
        "k\\u0041",
        "é",
        "",
    ]);
    known.prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1",
            "200",
            "-1",
            "1.5",
            "0.10",
            "1e3",
            "1E400",
            "01",
            "-",
            "1.",
            "2147483648",
            "9223372036854775808",
            "123456789012345678901234567890",
            "1736946000123",
            "[]",
            "[1,2]",
            "{}",
            r#""""#,
            r#""INFO""#,
            r#""warn""#,
            r#""eu-west-1""#,
            r#""eu-west-1a""#,
            r#""../../x""#,
            r#""2025-01-15T13:00:00.123456789Z""#,
            r#""2025-01-15 13:00""#,
            r#""00000000""#,
            r#""5B8AA5A2D2C872E8""#,
            r#""ok""#,
            r#""server""#,
            r#""200""#,
            r#""12ms""#,
            r#""/a?b""#,
            r#""http://h/p""#,
            r#""line\n""#,
            r#"" {\"msg\":\"in\"}""#,
            r#""\ud83d\ude00 \ud800""#,
            r#""\q""#,
            r#""é""#,
            "\"tab\tin\"",
        ])
        .prop_map(str::to_owned),
        any::<f64>().prop_map(|v| v.to_string()),
        any::<i64>().prop_map(|v| v.to_string()),
        ".{0,12}".prop_map(|s| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec((key(), inner), 1..3).prop_map(|fields| object(&fields, ""))
    })
}

fn object(fields: &[(String, String)], space: &str) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(k, v)| format!("{space}\"{k}\"{space}:{space}{v}{space}")).collect();
    format!("{{{}}}", fields.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn both_ways_lead_to_the_same_rows(
        lines in prop::collection::vec((prop::collection::vec((key(), value()), 0..7), any::<bool>(), any::<bool>()), 1..5),
        region in any::<bool>(),
        path in any::<bool>(),
    ) {
        let lines: Vec<String> = lines
            .into_iter()
            .map(|(mut fields, good, spaced)| {
                if good {
                    fields.insert(0, ("timestamp".to_owned(), r#""2025-01-15T13:00:00Z""#.to_owned()));
                }
                object(&fields, if spaced { " " } else { "" })
            })
            .collect();
        let origin = Origin { region: region.then(|| "eu".to_owned()), path_region: path.then(|| "us".to_owned()), ..origin() };
        check(&lines.join("\n"), &origin);
    }

    #[test]
    fn damaged_lines_are_the_same_both_ways(cut in 0usize..200, byte in any::<char>()) {
        let line = r#"{"timestamp":"2025-01-15T13:00:00Z","level":"INFO","message":"a\tb","status_code":200,"x":{"y":1.5},"t":true,"n":null}"#;
        let at = (0..=cut.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap();
        let mut changed = line.to_owned();
        changed.insert(at, byte);
        check(&format!("{line}\n{}\n{}", &line[..at], changed.replace('\n', " ")), &origin());
    }
}
