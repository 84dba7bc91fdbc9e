//! The run log: a table of the lake with a row for each step of each run.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::TimeRange;
use crate::engine;
use crate::lake::{Lake, Transaction};
use crate::pipeline;

/// The table.
pub const TABLE: &str = "runs";
/// The application id of its commits.
const APP_ID: &str = "tars-nightly";
/// The region of its rows: a run is about all of them.
const REGION: &str = "all";

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did its work.
    Done,
    /// Its outputs were there, made from the same inputs.
    Skipped,
    /// It failed.
    Failed,
    /// A message went out.
    Sent,
}

impl Status {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Sent => "sent",
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When it began, UTC microseconds.
    pub started_at: i64,
    /// The step.
    pub step: String,
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub seconds: f64,
    /// Rows or documents.
    pub rows: Option<i64>,
    /// SHA-256 over what it was made from.
    pub inputs: String,
    /// SHA-256 over the files that it wrote.
    pub outputs: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// The log of one run.
#[derive(Debug, Clone)]
pub struct Journal {
    lake: Lake,
    profile: String,
    window: TimeRange,
    started_at: i64,
}

impl Journal {
    /// The log of a run that begins now.
    pub fn new(lake: Lake, profile: &str, window: TimeRange, started_at: i64) -> Self {
        Journal { lake, profile: profile.to_owned(), window, started_at }
    }

    /// Adds a row, in a commit of its own, so that it stays whatever comes after.
    pub async fn add(&self, record: &Record) -> Result<(), Error> {
        let time = |micros: i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
        };
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let optional = |text: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let columns: [(&str, ArrayRef, bool); 14] = [
            ("started_at", time(record.started_at), false),
            ("region", text(REGION), false),
            ("run_started_at", time(self.started_at), false),
            ("profile", text(&self.profile), false),
            ("window_from", time(self.window.from()), false),
            ("window_to", time(self.window.to()), false),
            ("step", text(&record.step), false),
            ("status", text(record.status.as_str()), false),
            ("seconds", Arc::new(Float64Array::from(vec![record.seconds])), false),
            ("rows", Arc::new(Int64Array::from(vec![record.rows])), true),
            ("inputs", text(&record.inputs), false),
            ("outputs", optional(record.outputs.as_deref()), true),
            ("detail", optional(record.detail.as_deref()), true),
            ("tool_version", text(env!("CARGO_PKG_VERSION")), false),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))?;
        // The lock keeps other runs out; a clock that went back must not keep this one out as well.
        let last = match self.lake.snapshot(TABLE).await? {
            Some(snapshot) => snapshot.transaction(APP_ID).await?,
            None => None,
        };
        let version = last.map_or(record.started_at, |last| record.started_at.max(last + 1));
        let done = Transaction { app_id: APP_ID.to_owned(), version };
        pipeline::append(&self.lake, TABLE, vec![batch], done).await?;
        Ok(())
    }

    /// Whether a step was done before, from these inputs and with these outputs.
    pub async fn is_done(&self, step: &str, inputs: &str, outputs: &str) -> Result<bool, Error> {
        let sql = format!(
            "select outputs from {TABLE} where profile = $1 and step = $2 and inputs = $3 and status = 'done'"
        );
        let found = self.texts(&sql, &[&self.profile, step, inputs]).await?;
        Ok(found.iter().any(|text| text == outputs))
    }

    /// The keys of the messages that went out to a receiver.
    pub async fn sent(&self, step: &str) -> Result<Vec<String>, Error> {
        let sql = format!("select detail from {TABLE} where step = $1 and status = 'sent'");
        self.texts(&sql, &[step]).await
    }

    /// The texts of the first column.
    async fn texts(&self, sql: &str, values: &[&str]) -> Result<Vec<String>, Error> {
        let Some(snapshot) = self.lake.snapshot(TABLE).await? else { return Ok(Vec::new()) };
        let context = SessionContext::new();
        self.lake.register(&context)?;
        let fail = engine::Error::from;
        context.register_table(TABLE, snapshot.provider()).map_err(fail)?;
        let values: Vec<_> = values.iter().map(|v| datafusion::scalar::ScalarValue::from(*v)).collect();
        let frame = context.sql(sql).await.map_err(fail)?.with_param_values(values).map_err(fail)?;
        let mut texts = Vec::new();
        for batch in frame.collect().await.map_err(fail)? {
            let column = cast(batch.column(0), &DataType::Utf8)
                .map_err(|e| fail(datafusion::error::DataFusionError::from(e)))?;
            texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(texts)
    }
}

/// SHA-256 over what a run is made from: the version of every table that models read, and what else decides.
pub async fn inputs_digest(lake: &Lake, others: &[&str]) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for table in crate::contract::tables().iter().filter(|t| !t.journal) {
        if let Some(snapshot) = lake.snapshot(&table.name).await? {
            hash.update(format!("{}={}\n", table.name, snapshot.version()));
        }
    }
    for other in others {
        // The length keeps apart what would run together.
        hash.update(format!("{}:{other}\n", other.len()));
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
