//! What a plan is told of rows that are held in memory: from which to which number the columns go.
//!
//! A join is estimated to give as many rows as its keys can differ in. Of rows in memory the engine knows only how many
//! there are; so a join of millions of rows with the few series that they are of looks like one of a few rows, and
//! the next join would make its hash table of the millions.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::kernels::aggregate::{max, min};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int64Type, Schema, TimestampMicrosecondType};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, Statistics};
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExprs;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};

/// The smallest and the largest number of each column of whole numbers or times.
#[derive(Debug, Clone)]
pub(super) struct Ranges(Vec<Range>);

#[derive(Debug, Clone)]
struct Range {
    kind: DataType,
    /// `None` before the first number.
    ends: Option<(i64, i64)>,
}

impl Ranges {
    /// Of no rows yet.
    pub(super) fn of(schema: &Schema) -> Self {
        let columns = schema.fields().iter();
        Ranges(columns.map(|field| Range { kind: field.data_type().clone(), ends: None }).collect())
    }

    /// Widens the ranges to those of more rows.
    pub(super) fn take_in(&mut self, batch: &RecordBatch) {
        for (range, column) in self.0.iter_mut().zip(batch.columns()) {
            let ends = ends::<Int64Type>(column).or_else(|| ends::<TimestampMicrosecondType>(column));
            range.ends = match (range.ends, ends) {
                (Some((low, high)), Some((least, most))) => Some((low.min(least), high.max(most))),
                (known, new) => known.or(new),
            };
        }
    }

    /// The ranges of some of the columns.
    pub(super) fn of_columns(&self, columns: &[usize]) -> Self {
        Ranges(columns.iter().map(|i| self.0[*i].clone()).collect())
    }

    /// The same plan, whose statistics know the ranges. Plans that read a file stay as they are.
    pub(super) fn tell(&self, plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        match plan.downcast_ref::<DataSourceExec>() {
            Some(source) => Arc::new(DataSourceExec::new(Arc::new(Told {
                source: Arc::clone(source.data_source()),
                ranges: self.clone(),
            }))),
            None => plan,
        }
    }

    fn add_to(&self, statistics: &mut Statistics) {
        for (column, range) in statistics.column_statistics.iter_mut().zip(&self.0) {
            let end = |value| match &range.kind {
                DataType::Int64 => ScalarValue::Int64(Some(value)),
                kind => ScalarValue::Int64(Some(value)).cast_to(kind).unwrap_or(ScalarValue::Null),
            };
            if let Some((low, high)) = range.ends {
                column.min_value = Precision::Inexact(end(low));
                column.max_value = Precision::Inexact(end(high));
            }
        }
    }
}

/// The ends of a column of one type, if it is of that type.
fn ends<T: ArrowPrimitiveType<Native = i64>>(column: &dyn Array) -> Option<(i64, i64)> {
    let column: &PrimitiveArray<T> = column.as_primitive_opt()?;
    min(column).zip(max(column))
}

/// Rows in memory with their ranges.
#[derive(Clone)]
struct Told {
    source: Arc<dyn DataSource>,
    ranges: Ranges,
}

impl Told {
    fn with(&self, source: Arc<dyn DataSource>) -> Arc<dyn DataSource> {
        Arc::new(Told { source, ranges: self.ranges.clone() })
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("ranges", &self.ranges).finish_non_exhaustive()
    }
}

impl DataSource for Told {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.source.open(partition, context)
    }

    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt_as(t, f)
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let source =
            self.source.repartitioned(target_partitions, repartition_file_min_size, output_ordering)?;
        Ok(source.map(|source| self.with(source)))
    }

    fn output_partitioning(&self) -> Partitioning {
        self.source.output_partitioning()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.source.eq_properties()
    }

    fn scheduling_type(&self) -> SchedulingType {
        self.source.scheduling_type()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut statistics = self.source.partition_statistics(partition)?.as_ref().clone();
        self.ranges.add_to(&mut statistics);
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        self.source.with_fetch(limit).map(|source| self.with(source))
    }

    fn fetch(&self) -> Option<usize> {
        self.source.fetch()
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.source.metrics()
    }

    // A projection stays above: the ranges are those of the columns below it.
    fn try_swapping_with_projection(&self, _: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(None)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.source.apply_expressions(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use arrow::datatypes::Field;
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;

    #[tokio::test]
    async fn statistics_know_from_which_to_which_number_a_column_goes() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("text", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ]));
        let batch = |numbers: Vec<Option<i64>>| {
            let texts = arrow::array::StringArray::from(vec!["x"; numbers.len()]);
            RecordBatch::try_new(
                Arc::clone(&schema),
                vec![Arc::new(texts), Arc::new(Int64Array::from(numbers))],
            )
            .unwrap()
        };
        let batches = vec![batch(vec![Some(3), None]), batch(vec![None]), batch(vec![Some(7), Some(-2)])];
        let mut ranges = Ranges::of(&schema);
        batches.iter().for_each(|batch| ranges.take_in(batch));
        let table = MemTable::try_new(Arc::clone(&schema), vec![batches]).unwrap();
        let context = SessionContext::new();
        let scan = async |projection: Option<&Vec<usize>>| {
            use datafusion::catalog::TableProvider;
            table.scan(&context.state(), projection, &[], None).await.unwrap()
        };
        let told = |plan: Arc<dyn ExecutionPlan>| {
            let source = plan.downcast_ref::<DataSourceExec>().unwrap();
            source.data_source().partition_statistics(None).unwrap()
        };
        let all = told(ranges.tell(scan(None).await));
        assert_eq!(all.num_rows, Precision::Exact(5));
        assert_eq!(all.column_statistics[0].min_value, Precision::Absent);
        assert_eq!(all.column_statistics[1].min_value, Precision::Inexact(ScalarValue::Int64(Some(-2))));
        assert_eq!(all.column_statistics[1].max_value, Precision::Inexact(ScalarValue::Int64(Some(7))));
        let told = told(ranges.of_columns(&[1]).tell(scan(Some(&vec![1])).await));
        assert_eq!(told.column_statistics.len(), 1);
        assert_eq!(told.column_statistics[0].max_value, Precision::Inexact(ScalarValue::Int64(Some(7))));
    }
}
