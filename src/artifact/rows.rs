//! Query results for documents: typed columns by name.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::error::DataFusionError;

use super::Error;
use crate::engine::{self, Timings};
use crate::pipeline::Run;

/// What a query gave.
pub(super) struct Rows {
    document: &'static str,
    batch: RecordBatch,
}

/// A column of one type; NULL reads as `None`.
pub(super) struct Cells(ArrayRef);

impl Rows {
    /// Asks the models.
    pub(super) async fn of(run: &Run, document: &'static str, sql: &str) -> Result<Rows, Error> {
        let fail = |source| Error::Query { document, source };
        let bound = run.params().bind(sql)?;
        let start = Instant::now();
        let frame = run.engine().sql(&bound).await.map_err(|e| fail(e.into()))?;
        let planned = Arc::clone(frame.schema().inner());
        let broken = |e: DataFusionError| fail(engine::Error::from(e).into());
        let batches = frame.collect().await.map_err(broken)?;
        Timings::of(run.engine().context()).add_rows(sql, start, &batches);
        // A batch may say more about its columns than the plan did.
        let schema = batches.first().map_or(planned, RecordBatch::schema);
        let batch = concat_batches(&schema, &batches).map_err(|e| broken(e.into()))?;
        Ok(Rows { document, batch })
    }

    /// A part of what a query gave.
    pub(super) fn part(document: &'static str, batch: RecordBatch) -> Rows {
        Rows { document, batch }
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub(super) fn texts(&self, name: &str) -> Result<Cells, Error> {
        self.column(name, &DataType::Utf8, "texts")
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Cells, Error> {
        self.column(name, &DataType::Float64, "numbers")
    }

    pub(super) fn integers(&self, name: &str) -> Result<Cells, Error> {
        self.column(name, &DataType::Int64, "whole numbers")
    }

    pub(super) fn times(&self, name: &str) -> Result<Cells, Error> {
        self.column(name, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), "times")
    }

    pub(super) fn flags(&self, name: &str) -> Result<Cells, Error> {
        self.column(name, &DataType::Boolean, "true and false")
    }

    fn column(&self, name: &str, wanted: &DataType, kind: &'static str) -> Result<Cells, Error> {
        let found = self.batch.column_by_name(name).and_then(|column| cast(column, wanted).ok());
        found.map(Cells).ok_or_else(|| {
            let schema = self.batch.schema();
            let got = schema.fields().iter().map(|f| format!("{} ({})", f.name(), f.data_type()));
            let got = got.collect::<Vec<_>>().join(", ");
            Error::Column { document: self.document, expected: name.to_owned(), kind, got }
        })
    }
}

impl Cells {
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        let column = self.0.as_string::<i32>();
        column.is_valid(row).then(|| column.value(row))
    }

    /// A finite number.
    pub(super) fn number(&self, row: usize) -> Option<f64> {
        let column = self.0.as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row)).filter(|v| v.is_finite())
    }

    pub(super) fn integer(&self, row: usize) -> Option<i64> {
        let column = self.0.as_primitive::<Int64Type>();
        column.is_valid(row).then(|| column.value(row))
    }

    /// UTC microseconds.
    pub(super) fn time(&self, row: usize) -> Option<i64> {
        let column = self.0.as_primitive::<TimestampMicrosecondType>();
        column.is_valid(row).then(|| column.value(row))
    }

    pub(super) fn flag(&self, row: usize) -> bool {
        let column = self.0.as_boolean();
        column.is_valid(row) && column.value(row)
    }
}
