//! A retrospective: how days went, against what, and whether to take a change back.

use std::fmt::Write as _;

use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use serde_json::{Map, Value, json};

use super::Error;
use crate::engine;
use crate::pipeline::Run;

/// The findings, with the place in order.
const FINDINGS: &str = "select side, topic, subject, finding, evidence from retrospective order by position";
/// One row.
const ROLLBACK: &str = "select recommendation, round(confidence, 3) as confidence, reasons, change_kind, change_name, \
    changed_at, region, service, signals_measured from rollback_recommendation";
const SIGNALS: &str = "select signal, round(observed, 6) as observed, full_at, weight, round(strength, 4) as strength, \
    round(contribution, 4) as contribution, evidence from rollback_signals order by contribution desc nulls last, signal";
const TREND: &str = "select to_char(day, '%Y-%m-%d') as day, requests, round(error_rate, 6) as error_rate, \
    round(p50_ms, 3) as p50_ms, round(p95_ms, 3) as p95_ms, round(p99_ms, 3) as p99_ms, minutes_with_data \
    from daily_requests order by day";
/// Against the baseline: what moved further than its threshold.
const REGRESSION: &str = "select name, category, region, baseline_value, current_value, round(drift_percent, 3) as \
    drift_percent, threshold_percent, status, unit from drift_checks where status in ('warning', 'critical') \
    and (region = 'all' or status = 'critical') order by status, category, name, region";

/// The answers of the models.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrospective(Value);

/// Rows as JSON objects.
pub async fn rows_as_json(run: &Run, sql: &str) -> Result<Vec<Value>, Error> {
    let batches = run.rows(sql).await?;
    let fail = |e: arrow::error::ArrowError| engine::Error::from(datafusion::error::DataFusionError::from(e));
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    for batch in &batches {
        writer.write(batch).map_err(fail)?;
    }
    writer.finish().map_err(fail)?;
    let rows: Option<Vec<Value>> = serde_json::from_slice(&writer.into_inner()).ok();
    // Without any row the writer writes nothing.
    Ok(rows.unwrap_or_default())
}

impl Retrospective {
    /// Asks the models of a run.
    pub async fn of(run: &Run, baseline_note: &str) -> Result<Self, Error> {
        let window = run.params().window()?;
        let baseline = run.params().baseline()?;
        let rollback = rows_as_json(run, ROLLBACK).await?.into_iter().next().unwrap_or(Value::Null);
        Ok(Retrospective(json!({
            "window": window.to_string(),
            "baseline": baseline.to_string(),
            "baseline_note": baseline_note,
            "rollback": rollback,
            "rollback_signals": rows_as_json(run, SIGNALS).await?,
            "findings": rows_as_json(run, FINDINGS).await?,
            "against_baseline": rows_as_json(run, REGRESSION).await?,
            "trend": rows_as_json(run, TREND).await?,
        })))
    }

    /// JSON, two blanks of indent.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Markdown, with the same figures.
    pub fn to_markdown(&self) -> String {
        let part = |key: &str| self.0.get(key).cloned().unwrap_or(Value::Null);
        let list = |key: &str| part(key).as_array().cloned().unwrap_or_default();
        let mut text = format!("# Retrospective for {}\n\n", shown(&part("window")));
        let _ = writeln!(
            text,
            "Compared with {} ({}).\n\n## Rollback\n",
            shown(&part("baseline")),
            shown(&part("baseline_note"))
        );
        let rollback = part("rollback");
        let of = |key: &str| shown(rollback.get(key).unwrap_or(&Value::Null));
        let _ = writeln!(
            text,
            "**{}**, confidence {}. {}.\n",
            of("recommendation"),
            of("confidence"),
            of("reasons")
        );
        if rollback.get("changed_at").is_some_and(|v| !v.is_null()) {
            let (kind, name, at) = (of("change_kind"), of("change_name"), of("changed_at"));
            let _ = writeln!(
                text,
                "What would be taken back: {kind} {name} of {at} ({}, {}).\n",
                of("service"),
                of("region")
            );
        }
        table(
            &mut text,
            &list("rollback_signals"),
            &["signal", "observed", "full_at", "weight", "strength", "contribution", "evidence"],
            "No signal is set.",
        );
        for side in ["went well", "could be improved"] {
            let mut title = side.to_owned();
            title[..1].make_ascii_uppercase();
            let _ = writeln!(text, "## {title}\n");
            let findings: Vec<Value> = list("findings")
                .into_iter()
                .filter(|f| f.get("side").and_then(Value::as_str) == Some(side))
                .collect();
            for finding in &findings {
                let of = |key: &str| shown(finding.get(key).unwrap_or(&Value::Null));
                let _ = writeln!(text, "- {} ({})", of("finding"), of("evidence"));
            }
            text.push_str(if findings.is_empty() { "Nothing that the data shows.\n\n" } else { "\n" });
        }
        text.push_str("## Against the baseline\n\n");
        table(
            &mut text,
            &list("against_baseline"),
            &["name", "category", "region", "baseline_value", "current_value", "drift_percent", "status"],
            "Nothing moved further than its threshold.",
        );
        text.push_str("## Trend\n\n");
        table(
            &mut text,
            &list("trend"),
            &["day", "requests", "error_rate", "p50_ms", "p95_ms", "p99_ms", "minutes_with_data"],
            "The window holds no day.",
        );
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

fn table(text: &mut String, rows: &[Value], columns: &[&str], empty: &str) {
    if rows.is_empty() {
        let _ = writeln!(text, "{empty}\n");
        return;
    }
    let _ =
        writeln!(text, "| {} |\n|{}", columns.join(" | ").replace('_', " "), "---|".repeat(columns.len()));
    let none = Map::new();
    for row in rows {
        let row = row.as_object().unwrap_or(&none);
        let cells = columns.iter().map(|c| shown(row.get(*c).unwrap_or(&Value::Null)));
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text.push('\n');
}

/// A value as Markdown text: what telemetry is called must not become markup, a cell or a line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "no data".to_owned(),
        Value::String(text) => text.clone(),
        other => return other.to_string(),
    };
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                safe.push(' ');
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_of_the_json_stands_in_the_markdown_and_text_stays_text() {
        let content = Retrospective(json!({
            "window": "w", "baseline": "b", "baseline_note": "the GA window",
            "rollback": { "recommendation": "roll back", "confidence": 0.731, "reasons": "<b>bad|x</b>",
                "change_kind": "deployment", "change_name": "2.3.1", "changed_at": "2025-01-15T13:00:00Z",
                "region": "all", "service": "`svc`\n# x" },
            "rollback_signals": [{ "signal": "latency", "observed": 0.5, "full_at": 1.0, "weight": 0.4,
                "strength": 0.5, "contribution": 0.2, "evidence": "p95" }],
            "findings": [{ "side": "went well", "topic": "slo", "subject": "s", "finding": "F", "evidence": "E" }],
            "against_baseline": [], "trend": [],
        }));
        let text = content.to_markdown();
        for part in ["**roll back**, confidence 0.731", "0.2", "- F (E)", "Nothing that the data shows."] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(text.contains("&lt;b&gt;bad\\|x&lt;/b&gt;"), "{text}");
        assert!(text.contains("\\`svc\\` \\# x"), "{text}");
    }
}
