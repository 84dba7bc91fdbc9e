//! The one way to build a session: memory limit, spilling, parallelism, Parquet options, functions.

use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{Error, Timings};
use crate::functions::{self, Judge, RuleSet};
use crate::gbm::Model;
use crate::lake::CountByLog;
use crate::settings::Settings;

/// Resources a session may use.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Bytes that operators may hold before they spill to disk.
    pub memory_limit: u64,
    /// Partitions that run at a time.
    pub threads: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions { memory_limit: default_memory_limit(), threads: default_threads() }
    }
}

/// Threads when none are asked for: the cores this process may use.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Memory when no limit is given: half of what the machine, or its container, has.
///
/// Half, because the page cache makes scans fast and decoders and writers need room beside the operators.
/// Where neither can be read the limit is 2 GiB.
pub fn default_memory_limit() -> u64 {
    const FALLBACK: u64 = 2 << 30;
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let cgroup = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match (total, cgroup) {
        (Some(total), Some(cgroup)) => total.min(cgroup) / 2,
        (Some(one), None) | (None, Some(one)) => one / 2,
        (None, None) => FALLBACK,
    }
}

/// The fewest streams of rows in a plan. With one, plans have no exchange, which is what puts small batches together
/// again, and sorting what window functions give in many small batches is slow beyond measure: `tars slo` over the
/// demo's day had not ended after six minutes, and takes three seconds with two streams on the same single thread.
const LEAST_PARTITIONS: usize = 2;

/// The part of the memory limit that a sort sets aside at most: one in this many.
const LIMIT_PER_SORT_RESERVATION: u64 = 512;

/// A session with every function and setting in place.
pub struct Engine {
    context: SessionContext,
}

impl Engine {
    /// Builds the session and registers functions and the settings tables.
    pub fn new(options: &EngineOptions, settings: &Settings) -> Result<Self, Error> {
        let mut config = SessionConfig::new()
            .with_target_partitions(options.threads.max(LEAST_PARTITIONS))
            .with_information_schema(true)
            // Results keep the types of the contracts, in every output format.
            .with_collect_statistics(true)
            .with_extension(Arc::new(Timings::default()));
        // What a join has built would be asked for each row while Parquet is decoded, which costs more than the join
        // that it saves: the metrics of a day with their roles took 1.0 s of CPU with it and 0.3 s without.
        config.options_mut().optimizer.enable_join_dynamic_filter_pushdown = false;
        // What each sort sets aside to merge what it has spilled. A plan may hold dozens of sorts of a few rows each, which
        // would refuse to begin under a small limit.
        let reserved = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        let share = options.memory_limit / LIMIT_PER_SORT_RESERVATION;
        *reserved = (*reserved).min(usize::try_from(share).unwrap_or(usize::MAX));
        let parquet = &mut config.options_mut().execution.parquet;
        // Filters run while rows are decoded and skip pages that cannot match: measured level with or
        // ahead of other engines on the same files.
        parquet.pushdown_filters = true;
        parquet.reorder_filters = true;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(
                usize::try_from(options.memory_limit).unwrap_or(usize::MAX),
            )))
            .build_arc()?;
        // Files are queried in place by their path: select * from 'x.csv'.
        let context = SessionContext::new_with_config_rt(config, runtime).enable_url_table();
        super::ndjson::register(&context)?;
        context.add_optimizer_rule(Arc::new(CountByLog));
        functions::register_all(&context, RuleSet::try_from(settings)?);
        super::register_settings(&context, settings)?;
        Ok(Engine { context })
    }

    /// Lets a model judge windows, instead of the rules of the settings.
    pub fn judge_by(&self, settings: &Settings, model: Arc<Model>) -> Result<(), Error> {
        let judge = Judge::model(RuleSet::try_from(settings)?, model)?;
        functions::register_judge(&self.context, &judge);
        Ok(())
    }

    /// What this session has spent its time on so far.
    pub fn timings(&self) -> Arc<Timings> {
        Timings::of(&self.context)
    }

    /// The DataFusion session, for everything not wrapped here.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Plans a query.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame, Error> {
        Ok(self.context.sql(sql).await?)
    }

    /// Runs a query and collects its rows.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        let start = Instant::now();
        let rows = self.sql(sql).await?.collect().await?;
        Timings::of(&self.context).add_rows(sql, start, &rows);
        Ok(rows)
    }
}
