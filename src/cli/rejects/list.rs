//! `tars rejects`: counts by reason, with examples.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};

use super::Filter;
use crate::cli::Global;
use crate::cli::escape;
use crate::cli::rows::{Columns, ints, optional_texts, print, times};
use crate::engine::{Engine, register_lake};
use crate::error::Error;
use crate::ingest::RejectFilter;
use crate::pipeline::models;
use crate::shell::Format;

/// What else than the reason tells groups apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// One group for each reason, table and format.
    #[default]
    Reason,
    /// One for each reason and source.
    Source,
    /// One for each reason and table.
    Table,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    filter: Filter,
    /// What tells groups apart
    #[arg(long, value_enum, default_value = "reason", value_name = "reason|source|table")]
    by: By,
    /// table, csv, json, ndjson or markdown
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

/// The view that says which rejects are open.
const MODEL: &str = "reject_status";

impl List {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let filter = self.filter.check()?;
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let engine = global.engine(&settings)?;
        register_lake(engine.context(), &lake).await?;
        print(self.format, columns(&engine, self.by, &filter).await?).await
    }
}

async fn columns(engine: &Engine, by: By, filter: &RejectFilter) -> Result<Columns, Error> {
    let keys: &[&'static str] = match by {
        By::Reason => &["code", "target", "format"],
        By::Source => &["code", "source"],
        By::Table => &["code", "target"],
    };
    let rows = rows(engine, &query(keys, filter)).await?;
    let text = |column: usize| -> Result<Vec<Option<String>>, Error> {
        let column = as_type(rows.column(column), &DataType::Utf8)?;
        Ok(column.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect())
    };
    let mut columns = Columns::new();
    for (at, key) in keys.iter().enumerate() {
        let name = if *key == "code" { "reason" } else { key };
        // A source's name comes from outside too.
        let values = text(at)?.into_iter().map(|t| t.map(|t| escape::printable(&t)));
        columns.push((name, optional_texts(values)));
    }
    let after = keys.len();
    for (at, name) in ["open", "replayed", "cut"].into_iter().enumerate() {
        let counts = rows.column(after + at).as_primitive::<Int64Type>().values().to_vec();
        columns.push((name, ints(counts)));
    }
    let last = as_type(rows.column(after + 3), rows.column(after + 3).data_type())?;
    let last = last.as_primitive::<TimestampMicrosecondType>();
    columns.push(("last_rejected", times(last.iter())));
    let why = text(after + 4)?.into_iter().map(|t| t.map(|t| escape::printable(&t)));
    columns.push(("why", optional_texts(why)));
    let originals = as_type(rows.column(after + 5), &DataType::Binary)?;
    let examples = originals.as_binary::<i32>().iter().map(|bytes| bytes.map(escape::beginning));
    columns.push(("example", optional_texts(examples)));
    Ok(columns)
}

fn as_type(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef, Error> {
    let fail = |e: arrow::error::ArrowError| {
        let error: datafusion::error::DataFusionError = e.into();
        Error::from(crate::engine::Error::from(error))
    };
    cast(column, kind).map_err(fail)
}

async fn rows(engine: &Engine, sql: &str) -> Result<RecordBatch, Error> {
    let frame = engine.sql(sql).await?;
    let schema = frame.schema().inner().clone();
    let fail = |e: datafusion::error::DataFusionError| Error::from(crate::engine::Error::from(e));
    let batches = frame.collect().await.map_err(fail)?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches).map_err(|e| fail(e.into()))
}

fn query(keys: &[&str], filter: &RejectFilter) -> String {
    let view = models().iter().find(|m| m.name == MODEL).map_or("", |m| m.sql.as_str());
    let view = view.trim_end().trim_end_matches(';');
    let mut wanted = filter.conditions();
    wanted.push("true".to_owned());
    // The example is an open one, where there is one.
    let first = "order by status, timestamp desc, source, \"offset\"";
    let keys = keys.join(", ");
    format!(
        "select {keys}, \
         sum(case when status = 'open' then 1 else 0 end) as open, \
         sum(case when status = 'replayed' then 1 else 0 end) as replayed, \
         sum(case when status = 'open' and not is_replayable then 1 else 0 end) as cut, \
         max(timestamp) as last_rejected, \
         first_value(reason {first}) as why, \
         first_value(original {first}) as example \
         from ({view}\n) where {} group by {keys} order by open desc, replayed desc, {keys}",
        wanted.join(" and ")
    )
}
