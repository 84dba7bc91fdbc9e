//! Which files can hold rows that a filter wants, from what the log says about them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::snapshot::DataFile;
use crate::domain::PARTITION_COLUMNS;

/// What the log says about files, column by column, so that thousands of them are compared at once.
#[derive(Debug)]
pub(super) struct FileFacts {
    time_column: String,
    region: ArrayRef,
    hour: ArrayRef,
    min_time: ArrayRef,
    max_time: ArrayRef,
    rows: ArrayRef,
    len: usize,
}

/// Whether a filter is decided by the folder of a file alone.
pub(super) fn is_partition_filter(filter: &Expr) -> bool {
    expr_applicable_for_cols(&PARTITION_COLUMNS, filter) && !filter.is_volatile()
}

/// A filter that compares the time of a row with a constant.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeBound {
    operator: Operator,
    micros: i64,
}

impl TimeBound {
    /// The filter as such, if it is one.
    pub(super) fn of(filter: &Expr, time_column: &str) -> Option<Self> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
        let (column, operator, literal) = match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(literal, _)) => (column, *op, literal),
            (Expr::Literal(literal, _), Expr::Column(column)) => (column, op.swap()?, literal),
            _ => return None,
        };
        match literal {
            ScalarValue::TimestampMicrosecond(Some(micros), _) if column.name == time_column => {
                Some(TimeBound { operator, micros: *micros })
            }
            _ => None,
        }
    }

    /// Whether it holds for all rows of a file, or for none; nothing where it may hold for some.
    pub(super) fn decides(&self, file: &DataFile) -> Option<bool> {
        let at = self.micros;
        let (all, none) = match self.operator {
            Operator::GtEq => (file.min_time >= at, file.max_time < at),
            Operator::Gt => (file.min_time > at, file.max_time <= at),
            Operator::LtEq => (file.max_time <= at, file.min_time > at),
            Operator::Lt => (file.max_time < at, file.min_time >= at),
            _ => return None,
        };
        match (file.exact, all, none) {
            (true, true, _) => Some(true),
            (_, _, true) => Some(false),
            _ => None,
        }
    }
}

impl FileFacts {
    pub(super) fn new(time_column: &str, files: &[DataFile]) -> Self {
        let times = |of: fn(&DataFile) -> i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from_iter_values(files.iter().map(of)).with_timezone("UTC"))
        };
        FileFacts {
            time_column: time_column.to_owned(),
            region: Arc::new(StringArray::from_iter_values(files.iter().map(|f| &f.region))),
            hour: Arc::new(StringArray::from_iter_values(files.iter().map(|f| f.hour.to_string()))),
            min_time: times(|f| f.min_time),
            max_time: times(|f| f.max_time),
            rows: Arc::new(UInt64Array::from_iter(files.iter().map(|f| (f.rows > 0).then_some(f.rows)))),
            len: files.len(),
        }
    }

    /// One flag per file: whether it has to be read. `schema` is the table's.
    pub(super) fn keep(
        &self,
        state: &dyn Session,
        schema: &SchemaRef,
        filters: &[Expr],
    ) -> Result<Vec<bool>> {
        let (exact, others): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(is_partition_filter);
        let mut keep = self.evaluate(state, schema, exact)?;
        if let Some(filter) = conjunction(others) {
            let df_schema = DFSchema::try_from(schema.clone())?;
            let physical = state.create_physical_expr(filter, &df_schema)?;
            let predicate =
                PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(physical)?;
            if !predicate.always_true() {
                for (flag, may_match) in keep.iter_mut().zip(predicate.prune(self)?) {
                    *flag &= may_match;
                }
            }
        }
        Ok(keep)
    }

    /// Evaluates filters on region and hour for each file. The engine does not repeat them on the rows.
    fn evaluate(&self, state: &dyn Session, schema: &SchemaRef, filters: Vec<Expr>) -> Result<Vec<bool>> {
        let Some(filter) = conjunction(filters) else { return Ok(vec![true; self.len]) };
        let fields: Vec<_> = PARTITION_COLUMNS
            .iter()
            .map(|name| schema.field_with_name(name).cloned())
            .collect::<Result<_, _>>()?;
        let columns = fields
            .iter()
            .zip([&self.region, &self.hour])
            .map(|(field, values)| cast(values, field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        let df_schema = DFSchema::try_from(batch.schema())?;
        let result =
            state.create_physical_expr(filter, &df_schema)?.evaluate(&batch)?.into_array(self.len)?;
        let flags = cast(&result, &arrow::datatypes::DataType::Boolean)?;
        let flags = flags.as_any().downcast_ref::<BooleanArray>().expect("just cast");
        // NULL is not true.
        Ok(flags.iter().map(|flag| flag == Some(true)).collect())
    }

    fn bounds(&self, column: &Column, time: &ArrayRef) -> Option<ArrayRef> {
        match column.name.as_str() {
            "region" => Some(self.region.clone()),
            "hour" => Some(self.hour.clone()),
            name if name == self.time_column => Some(time.clone()),
            _ => None,
        }
    }
}

impl PruningStatistics for FileFacts {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, &self.min_time)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, &self.max_time)
    }

    fn num_containers(&self) -> usize {
        self.len
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let zeros = || Arc::new(UInt64Array::from_value(0, self.len)) as ArrayRef;
        self.bounds(column, &self.min_time).map(|_| zeros())
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(self.rows.clone())
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let known = match column.name.as_str() {
            "region" => &self.region,
            "hour" => &self.hour,
            _ => return None,
        };
        let known = known.as_any().downcast_ref::<StringArray>()?;
        let wanted: HashSet<&str> =
            values.iter().map(|v| v.try_as_str().flatten()).collect::<Option<HashSet<_>>>()?;
        Some(known.iter().map(|value| value.map(|v| wanted.contains(v))).collect())
    }
}
