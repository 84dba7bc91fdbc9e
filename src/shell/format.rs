//! Query results as text or files. Rows are written as they arrive, so that a large result needs little
//! memory; only the aligned table has to see everything first.
//!
//! What telemetry says cannot steer who reads it: characters that would move a terminal's cursor or reorder a line are
//! spelled out in tables and Markdown, and text that a spreadsheet would take for a formula gets an apostrophe in CSV.

use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::csv;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, WriterBuilder};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;
use datafusion::dataframe::DataFrame;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::Error;
use crate::report::plain::{is_hidden, visible};

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns, for reading.
    Table,
    /// RFC 4180 with a header line. Text that begins as a formula does is preceded by an apostrophe.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// A Markdown table.
    Markdown,
    /// A Parquet file, zstd-compressed.
    Parquet,
}

impl Format {
    /// Every format, as spelled on the command line.
    pub const NAMES: [(&'static str, Format); 6] = [
        ("table", Format::Table),
        ("csv", Format::Csv),
        ("json", Format::Json),
        ("ndjson", Format::Ndjson),
        ("markdown", Format::Markdown),
        ("parquet", Format::Parquet),
    ];
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(Format::NAMES.iter().find(|(_, v)| v == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Format::NAMES.iter().find(|(name, _)| *name == text).map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<_> = Format::NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown format `{text}`; expected one of: {}", names.join(", "))
        })
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Format {
    /// Runs a query and writes its rows. Returns how many there were.
    pub async fn write(self, frame: DataFrame, out: &mut (dyn Write + Send)) -> Result<usize, Error> {
        self.write_each(frame, out, Ok).await
    }

    /// The same, with numbers of six significant digits where the format is one for people.
    pub async fn show(self, frame: DataFrame, out: &mut (dyn Write + Send)) -> Result<usize, Error> {
        let is_for_people = matches!(self, Format::Table | Format::Markdown);
        self.write_each(frame, out, |batch| if is_for_people { rounded(&batch) } else { Ok(batch) }).await
    }

    async fn write_each(
        self,
        frame: DataFrame,
        out: &mut (dyn Write + Send),
        change: impl Fn(RecordBatch) -> Result<RecordBatch, BoxError>,
    ) -> Result<usize, Error> {
        let schema = Arc::clone(frame.schema().inner());
        let mut stream = frame.execute_stream().await.map_err(crate::engine::Error::from)?;
        let mut rows = 0;
        let mut sink =
            Sink::new(self, schema, out).map_err(|source| Error::Write { format: self, source })?;
        while let Some(batch) = stream.try_next().await.map_err(crate::engine::Error::from)? {
            rows += batch.num_rows();
            change(batch)
                .and_then(|batch| sink.write(batch))
                .map_err(|source| Error::Write { format: self, source })?;
        }
        sink.finish().map_err(|source| Error::Write { format: self, source })?;
        Ok(rows)
    }
}

/// A writer for one result.
enum Sink<'a> {
    Table { schema: SchemaRef, batches: Vec<RecordBatch>, out: &'a mut (dyn Write + Send) },
    Csv { writer: Box<csv::Writer<&'a mut (dyn Write + Send)>>, schema: SchemaRef },
    Json(arrow::json::Writer<&'a mut (dyn Write + Send), JsonArray>),
    Ndjson(arrow::json::Writer<&'a mut (dyn Write + Send), LineDelimited>),
    Markdown { out: &'a mut (dyn Write + Send) },
    Parquet(Box<ArrowWriter<&'a mut (dyn Write + Send)>>),
}

fn json<W: Write, F: JsonFormat>(out: W) -> arrow::json::Writer<W, F> {
    // Every object has every key, so that a consumer need not guess which columns there are.
    WriterBuilder::new().with_explicit_nulls(true).build(out)
}

impl<'a> Sink<'a> {
    fn new(format: Format, schema: SchemaRef, out: &'a mut (dyn Write + Send)) -> Result<Self, BoxError> {
        Ok(match format {
            Format::Table => Sink::Table { schema: cells_schema(&schema, printed), batches: Vec::new(), out },
            Format::Csv => {
                let schema = cells_schema(&schema, str::to_owned);
                let mut writer = csv::WriterBuilder::new().with_header(true).build(out);
                // The header is owed even when no row follows.
                writer.write(&RecordBatch::new_empty(Arc::clone(&schema)))?;
                Sink::Csv { writer: Box::new(writer), schema }
            }
            Format::Json => Sink::Json(json(out)),
            Format::Ndjson => Sink::Ndjson(json(out)),
            Format::Markdown => {
                let names: Vec<_> = schema.fields().iter().map(|f| escape_cell(f.name())).collect();
                writeln!(out, "| {} |", names.join(" | "))?;
                let rules: Vec<_> = schema
                    .fields()
                    .iter()
                    .map(|f| if f.data_type().is_numeric() { "---:" } else { "---" })
                    .collect();
                writeln!(out, "| {} |", rules.join(" | "))?;
                Sink::Markdown { out }
            }
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .build();
                Sink::Parquet(Box::new(ArrowWriter::try_new(out, schema, Some(properties))?))
            }
        })
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), BoxError> {
        match self {
            Sink::Table { batches, schema, .. } => batches.push(cells(schema, &batch, printed)?),
            Sink::Csv { writer, schema } => writer.write(&cells(schema, &batch, no_formula)?)?,
            Sink::Json(writer) => writer.write(&batch)?,
            Sink::Ndjson(writer) => writer.write(&batch)?,
            Sink::Markdown { out } => {
                let options = text_options();
                let columns = batch
                    .columns()
                    .iter()
                    .map(|c| ArrayFormatter::try_new(c, &options))
                    .collect::<Result<Vec<_>, _>>()?;
                for row in 0..batch.num_rows() {
                    let cells: Vec<_> =
                        columns.iter().map(|c| escape_cell(&c.value(row).to_string())).collect();
                    writeln!(out, "| {} |", cells.join(" | "))?;
                }
            }
            Sink::Parquet(writer) => writer.write(&batch)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), BoxError> {
        match self {
            Sink::Table { schema, mut batches, out } => {
                if batches.is_empty() {
                    batches.push(RecordBatch::new_empty(schema));
                }
                let options = FormatOptions::new().with_display_error(true);
                writeln!(out, "{}", pretty_format_batches_with_options(&batches, &options)?)?;
            }
            Sink::Csv { .. } => {}
            Sink::Json(mut writer) => {
                writer.finish()?;
                writeln!(writer.into_inner())?;
            }
            Sink::Ndjson(mut writer) => writer.finish()?,
            Sink::Markdown { out } => out.flush()?,
            Sink::Parquet(writer) => {
                writer.close()?;
            }
        }
        Ok(())
    }
}

fn text_options() -> FormatOptions<'static> {
    FormatOptions::new().with_display_error(true)
}

/// Cells hold text: text of any kind, nested and binary columns become it, everything else keeps its type.
fn cells_schema(schema: &SchemaRef, name: fn(&str) -> String) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| {
        let kind = if becomes_text(f.data_type()) { DataType::Utf8 } else { f.data_type().clone() };
        Field::new(name(f.name()), kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn becomes_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            true
        }
        DataType::Dictionary(_, values) => becomes_text(values),
        other => other.is_nested(),
    }
}

fn cells(schema: &SchemaRef, batch: &RecordBatch, cell: fn(&str) -> String) -> Result<RecordBatch, BoxError> {
    let options = text_options();
    let columns = batch
        .columns()
        .iter()
        .map(|column| {
            if !becomes_text(column.data_type()) {
                return Ok(Arc::clone(column));
            }
            let formatter = ArrayFormatter::try_new(column, &options)?;
            let text = |i| cell(&formatter.value(i).to_string());
            let texts = (0..column.len()).map(|i| column.is_valid(i).then(|| text(i)));
            Ok(Arc::new(texts.collect::<StringArray>()) as ArrayRef)
        })
        .collect::<Result<Vec<_>, BoxError>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// A text whose lines stay within their cell of an aligned table.
fn printed(text: &str) -> String {
    text.split('\n')
        .map(|line| if line.contains(is_hidden) { visible(line) } else { line.to_owned() })
        .collect::<Vec<_>>()
        .join("\n")
}

/// A text that a spreadsheet does not take for a formula; a number may begin with a sign. (OWASP, "CSV injection".)
fn no_formula(text: &str) -> String {
    let is_formula = match text.chars().next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => text.parse::<f64>().is_err(),
        _ => false,
    };
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// The batch with its doubles rounded to six significant digits, and large ones to whole numbers.
fn rounded(batch: &RecordBatch) -> Result<RecordBatch, BoxError> {
    let round = |v: f64| {
        if v.abs() >= 1e6 { v.round() } else { format!("{v:.5e}").parse().unwrap_or(v) }
    };
    let columns = batch.columns().iter().map(|column| match column.as_primitive_opt::<Float64Type>() {
        Some(doubles) => Arc::new(doubles.unary::<_, Float64Type>(round)) as ArrayRef,
        None => Arc::clone(column),
    });
    Ok(RecordBatch::try_new(batch.schema(), columns.collect())?)
}

/// A text that cannot leave its cell of a Markdown table or start HTML in it.
fn escape_cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    async fn check(format: Format, sql: &str) -> String {
        let frame = SessionContext::new().sql(sql).await.unwrap();
        let mut out = Vec::new();
        format.write(frame, &mut out).await.unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    const SQL: &str = "select * from (values (1, 'a|b', 1.5), (null, 'c\"<d>', null)) as t(n, text, x)";

    #[tokio::test]
    async fn every_text_format_writes_the_same_rows() {
        assert_eq!(check(Format::Csv, SQL).await, "n,text,x\n1,a|b,1.5\n,\"c\"\"<d>\",\n");
        assert_eq!(
            check(Format::Ndjson, SQL).await,
            "{\"n\":1,\"text\":\"a|b\",\"x\":1.5}\n{\"n\":null,\"text\":\"c\\\"<d>\",\"x\":null}\n"
        );
        assert_eq!(check(Format::Json, "select 1 as n").await, "[{\"n\":1}]\n");
        assert_eq!(
            check(Format::Markdown, SQL).await,
            "| n | text | x |\n| ---: | --- | ---: |\n| 1 | a\\|b | 1.5 |\n|  | c\"&lt;d&gt; |  |\n"
        );
        assert!(check(Format::Table, SQL).await.contains("| 1 | a|b   | 1.5 |"));
    }

    #[tokio::test]
    async fn an_empty_result_still_names_its_columns() {
        let sql = "select 1 as n, 'x' as t where false";
        assert_eq!(check(Format::Csv, sql).await, "n,t\n");
        assert_eq!(check(Format::Json, sql).await, "[]\n");
        assert!(check(Format::Table, sql).await.contains("| n | t |"));
    }

    #[tokio::test]
    async fn nested_values_become_text_in_csv() {
        let csv = check(Format::Csv, "select make_array(1, 2) as list, {'a': 'x,y'} as record").await;
        assert_eq!(csv, "list,record\n\"[1, 2]\",\"{a: x,y}\"\n");
    }

    #[tokio::test]
    async fn text_steers_neither_a_terminal_nor_a_spreadsheet() {
        let sql = "select arrow_cast('a' || chr(27) || '[2Jb' || chr(10) || 'c', 'Dictionary(Int32, Utf8)') as t, \
                   make_array('=1+2' || chr(7)) as l, '=1+2' as f, '-3' as n, '-x' as x";
        let table = check(Format::Table, sql).await;
        assert!(table.contains("| a\\u{1b}[2Jb | [=1+2\\u{7}] | =1+2 | -3 | -x |"), "{table}");
        assert!(table.contains("| c           |"), "{table}");
        let markdown = check(Format::Markdown, sql).await;
        assert!(markdown.contains("| a\\\\u{1b}\\[2Jb c |"), "{markdown}");
        let csv = check(Format::Csv, sql).await;
        assert!(csv.ends_with(",[=1+2\u{7}],'=1+2,-3,'-x\n"), "{csv}");
        let json = check(Format::Json, sql).await;
        assert!(json.contains("\"a\\u001b[2Jb\\nc\"") && json.contains("\"f\":\"=1+2\""), "{json}");
    }

    #[tokio::test]
    async fn numbers_for_people_have_six_digits_and_others_all() {
        let frame = || async {
            let sql = "select 2.0 / 3 as a, 1034405456.5546 as b, 0.00000000017002655794 as c, cast(null as double) as d";
            SessionContext::new().sql(sql).await.unwrap()
        };
        let mut out = Vec::new();
        Format::Markdown.show(frame().await, &mut out).await.unwrap();
        let text = String::from_utf8_lossy(&out).into_owned();
        assert!(text.ends_with("| 0.666667 | 1034405457.0 | 1.70027e-10 |  |\n"), "{text}");
        let mut out = Vec::new();
        Format::Csv.show(frame().await, &mut out).await.unwrap();
        assert!(
            String::from_utf8_lossy(&out).contains("0.6666666666666666,"),
            "{:?}",
            String::from_utf8_lossy(&out)
        );
    }

    #[tokio::test]
    async fn a_parquet_result_reads_back() {
        let frame = SessionContext::new().sql(SQL).await.unwrap();
        let mut out = Vec::new();
        assert_eq!(Format::Parquet.write(frame, &mut out).await.unwrap(), 2);
        let reader =
            parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(bytes::Bytes::from(out), 1024);
        let rows: usize = reader.unwrap().map(|b| b.unwrap().num_rows()).sum();
        assert_eq!(rows, 2);
    }
}
