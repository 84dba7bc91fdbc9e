//! JSON, for programs. The document describes itself under `about`.

use serde_json::{Map, Number, Value as Json, json};

use crate::domain::{TimeRange, format_timestamp};
use crate::report::content::{Block, Figures, Report, Table, Unit, Value};
use crate::report::picture::Picture;

/// Version of the JSON document's shape. It changes when a field goes away or changes its meaning, not when one
/// is added.
pub const JSON_SCHEMA_VERSION: u32 = 1;

pub(super) fn render(report: &Report) -> String {
    let document = json!({
        "schema_version": JSON_SCHEMA_VERSION,
        "about": about(),
        "title": report.title,
        "period": report.period.as_str(),
        "window": range(report.window),
        "baseline": { "from": time(report.baseline.from()), "to": time(report.baseline.to()), "is": report.baseline_note },
        "generated_at": time(report.window.to()),
        "tool_version": report.tool_version,
        "headline": report.headline,
        "health_score": report.health_score.map_or(Json::Null, |score| value(&Value::number(score, Unit::Points))),
        "parameters": report.parameters.iter().map(|(name, text)| (name.clone(), json!(text))).collect::<Map<_, _>>(),
        "tables_read": report
            .versions
            .iter()
            .map(|v| json!({ "table": v.table, "version": v.version }))
            .collect::<Vec<_>>(),
        "sections": report
            .sections
            .iter()
            .map(|s| json!({
                "id": s.id,
                "title": s.title,
                "blocks": s.blocks.iter().map(block).collect::<Vec<_>>(),
            }))
            .collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&document).expect("every key is a text");
    text.push('\n');
    text
}

/// What the fields mean, in the document itself.
fn about() -> Json {
    let rounding: Map<String, Json> = [
        Unit::Count,
        Unit::Milliseconds,
        Unit::Share,
        Unit::Percent,
        Unit::PerSecond,
        Unit::Points,
        Unit::Plain,
    ]
    .into_iter()
    .map(|u| (u.as_str().to_owned(), json!(u.decimals())))
    .collect();
    json!({
        "window": "[from, to) in UTC; also baseline, which drift and regressions are measured against",
        "generated_at": "the end of the window: a report depends on its inputs, not on when it was written",
        "health_score": "0 to 100; null when nothing was measured",
        "parameters": "what the models were bound to",
        "tables_read": "version of each table of the lake that was read",
        "sections": "blocks of kind paragraph (text), list (items), figures (id, label, unit, value; before and \
                     change_percent where they are compared), table, advice and chart (columns, rows by column id, \
                     total_rows, sql; for a chart how it is drawn); rows holds the first rows, for a chart all, \
                     sql gives all",
        "null": "no data: never measured, which is neither zero nor healthy",
        "numbers": "rounded to the digits after the point that `rounding` gives for the unit; the text \
                    \"Infinity\" stands for a change from zero or a bucket without upper end",
        "units": "ms; share (of 1); percent (of 100); per_second; count; points (of a score); 1 (no unit)",
        "rounding": rounding,
    })
}

fn block(block: &Block) -> Json {
    match block {
        Block::Paragraph(text) => json!({ "kind": "paragraph", "text": text }),
        Block::List(items) => json!({ "kind": "list", "items": items }),
        Block::Figures(figures) => self::figures(figures),
        Block::Table(table) => self::table("table", table),
        Block::Picture(picture) => self::picture(picture),
        Block::Advice(table) => self::table("advice", table),
    }
}

fn figures(figures: &Figures) -> Json {
    let list: Vec<_> = figures
        .figures
        .iter()
        .map(|f| {
            let mut figure =
                json!({ "id": f.id, "label": f.label, "unit": f.unit.as_str(), "value": value(&f.value) });
            if figures.compared.is_some() {
                figure["before"] = value(&f.before);
                figure["change_percent"] = value(&f.change());
            }
            figure
        })
        .collect();
    let mut object = json!({
        "kind": "figures",
        "id": figures.id,
        "title": figures.title,
        "sql": figures.sql,
        "figures": list,
    });
    if let Some(compared) = &figures.compared {
        object["compared_with"] = json!(compared.with);
        object["compared_sql"] = json!(compared.sql);
    }
    object
}

fn picture(picture: &Picture) -> Json {
    let mut object = table("chart", &picture.table);
    let limits: Vec<_> =
        picture.plot.limits().iter().map(|l| json!({ "label": l.label, "value": l.value })).collect();
    object["plot"] = json!({ "kind": picture.plot.as_str(), "limits": limits, "note": picture.note });
    object
}

fn table(kind: &str, table: &Table) -> Json {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|c| json!({ "id": c.id, "label": c.label, "unit": c.unit.as_str() }))
        .collect();
    let rows: Vec<Json> = table
        .rows
        .iter()
        .map(|row| {
            Json::Object(row.iter().zip(&table.columns).map(|(v, c)| (c.id.to_owned(), value(v))).collect())
        })
        .collect();
    let mut object = json!({
        "kind": kind,
        "id": table.id,
        "title": table.title,
        "sql": table.sql,
        "columns": columns,
        "rows": rows,
        "total_rows": table.total_rows,
    });
    if table.rows.is_empty() {
        object["empty"] = json!(table.empty);
    }
    object
}

fn value(value: &Value) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Text(text) => json!(text),
        Value::Integer(i) => json!(i),
        // JSON has no infinity.
        Value::Number(n) => Number::from_f64(*n)
            .map_or_else(|| json!(if *n > 0.0 { "Infinity" } else { "-Infinity" }), Json::Number),
        Value::Time(micros) => json!(time(*micros)),
        Value::Flag(flag) => json!(flag),
    }
}

fn time(micros: i64) -> String {
    format_timestamp(micros)
}

fn range(range: TimeRange) -> Json {
    json!({ "from": time(range.from()), "to": time(range.to()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_meaning_in_json() {
        assert_eq!(value(&Value::Missing), Json::Null);
        assert_eq!(value(&Value::Number(f64::INFINITY)), json!("Infinity"));
        assert_eq!(value(&Value::number(0.1234567, Unit::Share)).to_string(), "0.123457");
        assert_eq!(value(&Value::Integer(1_000)).to_string(), "1000");
        assert_eq!(value(&Value::Text("a|\"\n".into())).to_string(), r#""a|\"\n""#);
    }
}
