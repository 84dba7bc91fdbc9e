//! One version of a table as a table of the query engine.
//!
//! The plan is DataFusion's own Parquet scan over the files that the log lists, with what the log knows about
//! them (partition values, row counts, time range). It prunes files before it starts, filters rows while it
//! reads, and travels to another machine as it is.

use std::sync::{Arc, OnceLock};

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue, Statistics, project_schema};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::metrics::MetricBuilder;
use datafusion_datasource::{PartitionedFile, TableSchema, compute_all_files_statistics};
use object_store::ObjectMeta;

use super::prune::{FileFacts, TimeBound, is_partition_filter};
use super::reader::Readers;
use super::snapshot::DataFile;
use super::storage::Storage;
use crate::contract::Table;
use crate::domain::PARTITION_COLUMNS;

/// Name of the metric of a scan that tells how many of the table's files it left out and read.
const FILES_METRIC: &str = "lake_files";

/// A table's schema as queries over the lake see it: the contract's columns, then `region` and `hour`, with text as
/// string views.
///
/// Parquet text decodes into views without copying, and comparisons look at the first bytes only.
pub fn query_schema(table: &Table) -> SchemaRef {
    as_views(&table.table_schema())
}

fn as_views(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Files of one version of a table.
#[derive(Debug)]
pub(super) struct LakeTable {
    contract: &'static Table,
    storage: Arc<Storage>,
    /// By time; see `snapshot::sort`.
    files: Arc<[DataFile]>,
    schema: SchemaRef,
    facts: OnceLock<FileFacts>,
}

impl LakeTable {
    pub(super) fn new(contract: &'static Table, storage: Arc<Storage>, files: Arc<[DataFile]>) -> Self {
        LakeTable { contract, storage, files, schema: query_schema(contract), facts: OnceLock::new() }
    }

    /// Whether the files alone tell which rows a filter wants. A window of whole hours takes files as a whole, and then
    /// nobody has to read the times of their rows, nor to count rows that the log has counted.
    fn is_decided(&self, filter: &Expr) -> bool {
        is_partition_filter(filter)
            || TimeBound::of(filter, &self.contract.time)
                .is_some_and(|bound| self.files.iter().all(|file| bound.decides(file).is_some()))
    }

    /// Whether the log knows how many rows filters leave of each file.
    pub(super) fn counts(&self, filters: &[Expr]) -> bool {
        self.files.iter().all(|file| file.exact) && filters.iter().all(|filter| self.is_decided(filter))
    }

    /// The files that a scan has to read.
    pub(super) fn select(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&DataFile>> {
        if filters.is_empty() {
            return Ok(self.files.iter().collect());
        }
        let facts = self.facts.get_or_init(|| FileFacts::new(&self.contract.time, &self.files));
        let keep = facts.keep(state, &self.schema, filters)?;
        Ok(self.files.iter().zip(keep).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }

    fn partitioned(&self, file: &DataFile, time: usize, unknown: &Statistics) -> PartitionedFile {
        let text = |value: &str| ScalarValue::Utf8View(Some(value.to_owned()));
        let at = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
        let mut statistics = unknown.clone();
        statistics.total_byte_size = Precision::Inexact(usize::try_from(file.size).unwrap_or(usize::MAX));
        let column = &mut statistics.column_statistics[time];
        column.null_count = Precision::Exact(0);
        if file.exact {
            statistics.num_rows = Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX));
            column.min_value = Precision::Exact(at(file.min_time));
            column.max_value = Precision::Exact(at(file.max_time));
        } else {
            column.min_value = Precision::Inexact(at(file.min_time));
            column.max_value = Precision::Inexact(at(file.max_time));
        }
        PartitionedFile::new_from_meta(ObjectMeta {
            location: self.storage.path(&file.path),
            last_modified: chrono::DateTime::from_timestamp_millis(file.modified).unwrap_or_default(),
            size: file.size,
            e_tag: None,
            version: None,
        })
        .with_partition_values(vec![text(&file.region), text(&file.hour.to_string())])
        .with_statistics(Arc::new(statistics))
    }
}

/// Cuts files into runs of about the same size. Runs, not a deal: each then covers its own part of time.
fn balance(files: Vec<PartitionedFile>, groups: usize) -> Vec<FileGroup> {
    let groups = groups.clamp(1, files.len().max(1)) as u64;
    let total: u64 = files.iter().map(|f| f.object_meta.size).sum();
    let mut balanced: Vec<Vec<PartitionedFile>> = (0..groups).map(|_| Vec::new()).collect();
    let mut before = 0;
    for file in files {
        // A file belongs where its middle lies.
        let middle = before + file.object_meta.size / 2;
        before += file.object_meta.size;
        let group = (u128::from(middle) * u128::from(groups) / u128::from(total.max(1))) as usize;
        balanced[group.min(groups as usize - 1)].push(file);
    }
    balanced.into_iter().filter(|group| !group.is_empty()).map(FileGroup::new).collect()
}

/// Whether reading the files one after the other gives the rows in order of time.
fn in_order(files: &[&DataFile]) -> bool {
    files.iter().all(|f| f.exact) && files.windows(2).all(|pair| pair[0].max_time <= pair[1].min_time)
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| {
                if self.is_decided(filter) {
                    TableProviderFilterPushDown::Exact
                } else {
                    TableProviderFilterPushDown::Inexact
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut selected = self.select(state, filters)?;
        let mut cut = false;
        // Such filters leave whole files, so a limit needs only as many as hold that many rows.
        if let Some(limit) = limit
            && filters.iter().all(|filter| self.is_decided(filter))
        {
            let mut rows = 0;
            let enough = selected.iter().position(|file| {
                rows += if file.exact { file.rows } else { 0 };
                rows >= limit as u64
            });
            if let Some(last) = enough {
                cut = last + 1 < selected.len();
                selected.truncate(last + 1);
            }
        }
        if selected.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }

        let url = ObjectStoreUrl::parse(self.storage.store_url())?;
        if state.runtime_env().object_store(&url).is_err() {
            state.runtime_env().register_object_store(url.as_ref(), self.storage.store().clone());
        }

        let file_schema = as_views(&self.contract.file_schema());
        let time = file_schema.index_of(&self.contract.time)?;
        let unknown = Statistics::new_unknown(&file_schema);
        let mut ordering = Vec::new();
        if in_order(&selected) {
            let options = SortOptions { descending: false, nulls_first: false };
            ordering.extend(LexOrdering::new([PhysicalSortExpr::new(
                col(&self.contract.time, &self.schema)?,
                options,
            )]));
        }
        let files: Vec<_> = selected.iter().map(|file| self.partitioned(file, time, &unknown)).collect();
        let (read, known) = (files.len(), self.files.len());
        let groups = balance(files, state.config().target_partitions());
        let (groups, statistics) = compute_all_files_statistics(groups, self.schema.clone(), true, cut)?;

        let partitions = PARTITION_COLUMNS.map(|name| Arc::new(Field::new(name, DataType::Utf8View, false)));
        let schema = TableSchema::builder(file_schema).with_table_partition_cols(partitions.to_vec()).build();
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..Default::default()
        };
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let store = state.runtime_env().object_store(&url)?;
        let source = ParquetSource::new(schema)
            .with_table_parquet_options(options)
            .with_pushdown_filters(true)
            .with_parquet_file_reader_factory(Arc::new(Readers::new(store, cache)));
        let metric = MetricBuilder::new(source.metrics()).pruning_metrics(FILES_METRIC, 0);
        metric.add_matched(read);
        metric.add_pruned(known - read);

        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_output_ordering(ordering)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows: u64 = self.files.iter().map(|f| f.rows).sum();
        let rows = usize::try_from(rows).ok()?;
        let exact = self.files.iter().all(|f| f.exact);
        let num_rows = if exact { Precision::Exact(rows) } else { Precision::Inexact(rows) };
        Some(Statistics { num_rows, ..Statistics::new_unknown(&self.schema) })
    }
}
