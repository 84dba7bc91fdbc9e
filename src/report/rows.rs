//! Query results as report values.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::Error;
use super::content::{Column, Compared, Figure, Figures, Table, Unit, Value};
use super::picture::{Picture, Plot};
use crate::engine::Timings;

/// Asks the models.
pub(crate) struct Reader<'a> {
    context: &'a SessionContext,
}

/// What a query gave, as one batch.
pub(crate) struct Rows {
    sql: String,
    batch: RecordBatch,
}

/// A table that a section wants.
pub(super) struct Ask<'a> {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) sql: &'static str,
    pub(super) columns: &'a [Column],
    /// Rows shown at most.
    pub(super) top: usize,
    /// Why there is no row, when there is none.
    pub(super) empty: &'static str,
}

/// A column, for the lists of the sections.
pub(super) const fn column(id: &'static str, label: &'static str, unit: Unit) -> Column {
    Column { id, label, unit }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(context: &'a SessionContext) -> Self {
        Reader { context }
    }

    /// Runs a query and collects all of its rows.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Rows, Error> {
        let fail =
            |source: DataFusionError| Error::Query { sql: sql.to_owned(), source: Box::new(source.into()) };
        let start = Instant::now();
        let frame = self.context.sql(sql).await.map_err(fail)?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await.map_err(fail)?;
        Timings::of(self.context).add_rows(sql, start, &batches);
        // A batch may say more about its columns than the plan did (never NULL, for one).
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        let batch = concat_batches(&schema, &batches).map_err(|e| fail(e.into()))?;
        Ok(Rows { sql: sql.to_owned(), batch })
    }

    /// Runs a query whose rows a section draws, all of them.
    pub(super) async fn picture(&self, ask: Ask<'_>, plot: Plot, note: &str) -> Result<Picture, Error> {
        Ok(Picture { table: self.table(ask).await?, plot, note: note.to_owned() })
    }

    /// Runs a query whose rows a section shows.
    pub(super) async fn table(&self, ask: Ask<'_>) -> Result<Table, Error> {
        self.rows(ask.sql).await?.table(ask.id, ask.title, ask.columns, ask.top, ask.empty)
    }
}

impl Rows {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// One value; numbers are rounded to what the unit keeps.
    pub(crate) fn value(&self, row: usize, column: &str, unit: Unit) -> Result<Value, Error> {
        Ok(value(self.column(column)?, row, unit))
    }

    /// A text, or nothing where it is NULL.
    pub(crate) fn text(&self, row: usize, column: &str) -> Result<Option<String>, Error> {
        Ok(self.value(row, column, Unit::Text)?.as_text().map(str::to_owned))
    }

    /// A whole number, or nothing where it is NULL.
    pub(super) fn integer(&self, row: usize, column: &str) -> Result<Option<i64>, Error> {
        Ok(self.value(row, column, Unit::Count)?.as_i64())
    }

    /// A number, or nothing where it is NULL.
    pub(crate) fn number(&self, row: usize, column: &str, unit: Unit) -> Result<Option<f64>, Error> {
        Ok(self.value(row, column, unit)?.as_f64())
    }

    /// An instant, or nothing where it is NULL.
    pub(super) fn time(&self, row: usize, column: &str) -> Result<Option<i64>, Error> {
        Ok(self.value(row, column, Unit::Time)?.as_time())
    }

    /// The first rows as a table.
    pub(super) fn table(
        &self,
        id: &'static str,
        title: &'static str,
        columns: &[Column],
        top: usize,
        empty: &'static str,
    ) -> Result<Table, Error> {
        let arrays: Vec<_> = columns.iter().map(|c| self.column(c.id)).collect::<Result<_, _>>()?;
        let rows = (0..self.len().min(top))
            .map(|row| arrays.iter().zip(columns).map(|(a, c)| value(a, row, c.unit)).collect())
            .collect();
        let (sql, columns, total_rows) = (self.sql.clone(), columns.to_vec(), self.len());
        Ok(Table { id, title, sql, columns, rows, total_rows, empty })
    }

    /// The first row as key figures; all are missing when there is no row.
    pub(super) fn figures(
        &self,
        id: &'static str,
        title: &'static str,
        columns: &[Column],
    ) -> Result<Figures, Error> {
        let figures = columns
            .iter()
            .map(|c| {
                let value = if self.len() == 0 { Value::Missing } else { self.value(0, c.id, c.unit)? };
                Ok(Figure { id: c.id, label: c.label, unit: c.unit, value, before: Value::Missing })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Figures { id, title, sql: self.sql.clone(), compared: None, figures })
    }

    /// Sets what the figures were before, from the first row; a figure without a column here has none.
    pub(super) fn compare(&self, figures: &mut Figures, with: String) -> Result<(), Error> {
        figures.compared = Some(Compared { with, sql: self.sql.clone() });
        for figure in &mut figures.figures {
            if self.len() > 0 && self.batch.column_by_name(figure.id).is_some() {
                figure.before = self.value(0, figure.id, figure.unit)?;
            }
        }
        Ok(())
    }

    fn column(&self, name: &str) -> Result<&ArrayRef, Error> {
        self.batch.column_by_name(name).ok_or_else(|| Error::Column {
            sql: self.sql.clone(),
            expected: name.to_owned(),
            got: self
                .batch
                .schema()
                .fields()
                .iter()
                .map(|f| f.name().as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

fn value(array: &ArrayRef, row: usize, unit: Unit) -> Value {
    if array.is_null(row) {
        return Value::Missing;
    }
    let one = array.slice(row, 1);
    let as_type = |kind: &DataType| cast(&one, kind).ok().filter(|a| a.is_valid(0));
    let found = match array.data_type() {
        DataType::Null => Some(Value::Missing),
        DataType::Boolean => Some(Value::Flag(one.as_boolean().value(0))),
        DataType::Timestamp(_, _) => as_type(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
            .map(|a| Value::Time(a.as_primitive::<TimestampMicrosecondType>().value(0))),
        kind if kind.is_integer() => {
            as_type(&DataType::Int64).map(|a| Value::Integer(a.as_primitive::<Int64Type>().value(0)))
        }
        kind if kind.is_numeric() => {
            as_type(&DataType::Float64).map(|a| Value::number(a.as_primitive::<Float64Type>().value(0), unit))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            as_type(&DataType::Utf8).map(|a| Value::Text(a.as_string::<i32>().value(0).to_owned()))
        }
        _ => None,
    };
    found.unwrap_or_else(|| {
        // Not a type that a report asks for; its text is better than its absence.
        let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default());
        formatter.map_or(Value::Missing, |f| Value::Text(f.value(row).to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(sql: &str, unit: Unit, expected: Value) {
        let rows = Reader::new(&SessionContext::new()).rows(sql).await.unwrap();
        assert_eq!(rows.value(0, "v", unit).unwrap(), expected, "{sql}");
    }

    #[tokio::test]
    async fn every_type_that_sql_gives_becomes_a_value() {
        check("select 1 as v", Unit::Count, Value::Integer(1)).await;
        check("select cast(7 as bigint unsigned) as v", Unit::Count, Value::Integer(7)).await;
        check("select 0.5 as v", Unit::Share, Value::Number(0.5)).await;
        check("select 'a' as v", Unit::Text, Value::Text("a".into())).await;
        check("select arrow_cast('a', 'Utf8View') as v", Unit::Text, Value::Text("a".into())).await;
        check("select true as v", Unit::Text, Value::Flag(true)).await;
        check("select null as v", Unit::Share, Value::Missing).await;
        check("select cast(null as double) as v", Unit::Share, Value::Missing).await;
        check("select cast('NaN' as double) as v", Unit::Share, Value::Missing).await;
        check("select to_timestamp_seconds(60) as v", Unit::Time, Value::Time(60_000_000)).await;
        check("select [1, 2] as v", Unit::Text, Value::Text("[1, 2]".into())).await;
    }

    #[tokio::test]
    async fn a_column_that_is_not_there_is_named_with_those_that_are() {
        let rows = Reader::new(&SessionContext::new()).rows("select 1 as a, 2 as b").await.unwrap();
        let error = rows.text(0, "c").unwrap_err().to_string();
        assert_eq!(error, "report: query `select 1 as a, 2 as b`: expected a column `c`, got: a, b");
    }
}
