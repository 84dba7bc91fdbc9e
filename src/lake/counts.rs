//! Rows counted by region and hour are counted by the log: it knows the folder and the rows of each file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::default_table_source::{DefaultTableSource, source_as_provider};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, exec_datafusion_err, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::logical_plan::{Aggregate, Projection, TableScanBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, TableType, expr_rewriter::unnormalize_cols};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_plan::ExecutionPlan;

use super::provider::LakeTable;
use super::snapshot::DataFile;
use crate::domain::PARTITION_COLUMNS;

/// What the rows of a group are called in the table that stands for the aggregate.
const ROWS: &str = "rows";

/// Rewrites `count(*) … group by region` over a table of the lake, with no filter or one that files alone decide, to the
/// counts of its log, so that no file is read.
#[derive(Debug, Default)]
pub struct CountByLog;

impl OptimizerRule for CountByLog {
    fn name(&self) -> &str {
        "count_by_log"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match counted(aggregate)? {
            Some(counts) => Ok(Transformed::yes(counts)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// The same rows and columns from the log, where it knows them.
fn counted(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let (name, input) = match aggregate.input.as_ref() {
        LogicalPlan::SubqueryAlias(named) => (Some(&named.alias), named.input.as_ref()),
        input => (None, input),
    };
    let LogicalPlan::TableScan(scan) = input else { return Ok(None) };
    let name = name.unwrap_or(&scan.table_name).clone();
    let Some(groups) = aggregate.group_expr.iter().map(partition).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    // Without groups there is a row even where there are no files, and statistics count already.
    if groups.is_empty() || !aggregate.aggr_expr.iter().all(counts_rows) {
        return Ok(None);
    }
    let Some(counts) = Counts::of(scan, groups)? else { return Ok(None) };
    let source = Arc::new(DefaultTableSource::new(Arc::new(counts)));
    let rows = Expr::Column(Column::new(Some(name.clone()), ROWS));
    let mut columns = aggregate.group_expr.clone();
    for (table, field) in aggregate.schema.iter().skip(columns.len()) {
        columns.push(rows.clone().alias_qualified(table.cloned(), field.name()));
    }
    let input = LogicalPlan::TableScan(TableScanBuilder::new(name, source).build()?);
    Ok(Some(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?)))
}

/// The partition column that an expression is, whatever it is called.
fn partition(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Alias(alias) => partition(&alias.expr),
        Expr::Column(column) => PARTITION_COLUMNS.into_iter().find(|name| *name == column.name),
        _ => None,
    }
}

/// Whether an aggregate counts all rows: `count(*)`, which is `count(1)` by now.
fn counts_rows(expr: &Expr) -> bool {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else { return false };
    func.name() == "count"
        && !params.distinct
        && params.filter.is_none()
        && params.order_by.is_empty()
        && params.args.iter().all(|arg| matches!(arg, Expr::Literal(value, _) if !value.is_null()))
}

/// The rows of each group of files.
#[derive(Debug)]
struct Counts {
    table: Arc<dyn TableProvider>,
    filters: Vec<Expr>,
    groups: Vec<&'static str>,
    schema: SchemaRef,
}

impl Counts {
    /// Nothing where rows have to be looked at to be counted.
    fn of(scan: &TableScan, groups: Vec<&'static str>) -> Result<Option<Self>> {
        // Tables of other kinds have other sources.
        let Ok(table) = source_as_provider(&scan.source) else { return Ok(None) };
        let filters = unnormalize_cols(scan.filters.clone());
        let known = table.downcast_ref::<LakeTable>().is_some_and(|table| table.counts(&filters));
        if !known || scan.fetch.is_some() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        for name in &groups {
            fields.push(scan.source.schema().field_with_name(name)?.clone());
        }
        fields.push(Field::new(ROWS, DataType::Int64, false));
        Ok(Some(Counts { filters, groups, schema: Arc::new(Schema::new(fields)), table }))
    }

    fn batch(&self, files: &[&DataFile]) -> Result<RecordBatch> {
        let mut counts = BTreeMap::<Vec<String>, u64>::new();
        for file in files {
            let value = |name: &&str| match *name {
                "region" => file.region.clone(),
                _ => file.hour.to_string(),
            };
            *counts.entry(self.groups.iter().map(value).collect()).or_default() += file.rows;
        }
        let mut columns: Vec<ArrayRef> = Vec::new();
        for place in 0..self.groups.len() {
            let values = counts.keys().map(|group| &group[place]);
            columns.push(Arc::new(StringViewArray::from_iter_values(values)));
        }
        let rows = counts.values().map(|rows| i64::try_from(*rows)).collect::<Result<Vec<_>, _>>();
        let rows = rows.map_err(|_| exec_datafusion_err!("the log counts more rows than bigint holds"))?;
        columns.push(Arc::new(Int64Array::from(rows)));
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

#[async_trait]
impl TableProvider for Counts {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(table) = self.table.downcast_ref::<LakeTable>() else {
            return internal_err!("counts of another table than one of the lake");
        };
        let batch = self.batch(&table.select(state, &self.filters)?)?;
        Ok(MemorySourceConfig::try_new_exec(&[vec![batch]], self.schema.clone(), projection.cloned())?)
    }
}
