//! A run: one session in which the lake's tables, the settings and every model are in place, with the
//! run's parameters bound. From then on everything is `select … from view`.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::past::register_built;
use super::{Error, Materialization, Model, models, selected};
use crate::domain::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, TimeRange};
use crate::engine::{self, Engine, Params, TableVersion, Value, register_lake};
use crate::lake::{DataFile, Lake};

/// A session with every table and model of a lake, for one window.
pub struct Run {
    engine: Engine,
    params: Params,
    versions: Vec<TableVersion>,
    /// Incremental models that are computed, because no version of their table fits the view of the past.
    computed: BTreeSet<String>,
}

impl Run {
    /// Registers the lake's tables and every model. The models are views: nothing is computed yet.
    pub async fn open(engine: Engine, lake: &Lake, params: Params) -> Result<Self, Error> {
        let mut versions = register_lake(engine.context(), lake).await?;
        let computed = match lake.is_past() {
            true => register_built(engine.context(), lake, &mut versions).await?,
            false => BTreeSet::new(),
        };
        let run = Run { engine, params, versions, computed };
        run.register(&run.params).await?;
        Ok(run)
    }

    /// A session without a lake: functions, settings, and files queried by their path.
    pub fn without_lake(engine: Engine) -> Self {
        Run { engine, params: Params::default(), versions: Vec::new(), computed: BTreeSet::new() }
    }

    /// Sets a parameter and binds the models anew.
    pub async fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let mut params = self.params.clone();
        params.set(name, value)?;
        if !self.versions.is_empty() {
            self.register(&params).await?;
        }
        self.params = params;
        Ok(())
    }

    async fn register(&self, params: &Params) -> Result<(), Error> {
        let in_lake = |model: &str| !self.computed.contains(model);
        register_where(self.engine.context(), params, in_lake).await
    }

    /// Computes each model marked `materialized: run` once and keeps its rows in memory, in an order that
    /// serves whoever reads it next. For a report, which reads the same models in many sections.
    pub async fn hold(&self, done: impl FnMut(&str, usize)) -> Result<(), Error> {
        let held = models().iter().filter(|m| m.header.materialized == Materialization::Run);
        self.hold_each(held, done).await
    }

    /// Computes the named models once and keeps their rows in memory, in the order in which they depend on
    /// each other. For a command that reads a few models many times.
    pub async fn hold_only(&self, names: &[&str]) -> Result<(), Error> {
        self.hold_each(models().iter().filter(|m| names.contains(&m.name.as_str())), |_, _| {}).await
    }

    async fn hold_each<'m>(
        &self,
        held: impl Iterator<Item = &'m Model>,
        mut done: impl FnMut(&str, usize),
    ) -> Result<(), Error> {
        let context = self.engine.context();
        for model in held {
            let fail = |source: engine::Error| Error::Sql { model: model.name.clone(), source };
            let frame = self.engine.sql(&format!("select * from {}", model.name)).await.map_err(fail)?;
            // A plan and its batches do not always agree on which columns can be NULL and on which kind of
            // string they hold; the held table takes the plan's types and allows NULL.
            let fields = frame.schema().fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
            let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            let rows = frame.collect().await.map_err(|e| fail(e.into()))?;
            done(&model.name, rows.iter().map(RecordBatch::num_rows).sum());
            let rows = rows
                .into_iter()
                .map(|batch| {
                    let columns = batch.columns().iter().zip(schema.fields());
                    let columns = columns.map(|(c, f)| cast(c, f.data_type())).collect::<Result<_, _>>()?;
                    RecordBatch::try_new(Arc::clone(&schema), columns)
                })
                .collect::<Result<Vec<_>, ArrowError>>()
                .map_err(|e| fail(DataFusionError::from(e).into()))?;
            let table = MemTable::try_new(schema, vec![rows]).map_err(|e| fail(e.into()))?;
            context.deregister_table(model.name.as_str()).map_err(engine::Error::from)?;
            context.register_table(model.name.as_str(), Arc::new(table)).map_err(engine::Error::from)?;
            // Views hold the plans of what they read, so those that read this model are planned again.
            register_dependents(context, &self.params, &model.name).await?;
        }
        Ok(())
    }

    /// The session, for queries that need more than [`Run::rows`].
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The parameters that the models are bound to.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The exact table versions that every query of this run reads.
    pub fn versions(&self) -> &[TableVersion] {
        &self.versions
    }

    /// Runs a query, its `$parameters` bound.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        Ok(self.engine.rows(&self.params.bind(sql)?).await?)
    }
}

/// Where incremental models live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// They are tables of the lake, registered already.
    InLake,
    /// They are computed from their sources like any view (tests, and queries without a lake).
    AsViews,
}

/// Registers every model as a view, in dependency order, with the parameters bound.
pub async fn register_models(context: &SessionContext, params: &Params, built: Built) -> Result<(), Error> {
    register_where(context, params, |_| built == Built::InLake).await
}

async fn register_where(
    context: &SessionContext,
    params: &Params,
    in_lake: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let mut waiting = selected::READS.to_vec();
    for model in models() {
        let incremental = matches!(model.header.materialized, Materialization::Incremental { .. });
        if !(incremental && in_lake(&model.name)) {
            register_view(context, params, &model.name, &model.sql).await?;
        }
        if !waiting.is_empty() {
            waiting.retain(|read| *read != model.name);
            if waiting.is_empty() {
                selected::register(context, params).await?;
            }
        }
    }
    Ok(())
}

/// Plans again every view that reads `name`, directly or through others. Models held already stay held.
async fn register_dependents(context: &SessionContext, params: &Params, name: &str) -> Result<(), Error> {
    let mut stale = vec![name];
    for model in models() {
        if model.name != name && model.reads.iter().any(|r| stale.contains(&r.as_str())) {
            stale.push(&model.name);
            register_view(context, params, &model.name, &model.sql).await?;
        }
    }
    Ok(())
}

async fn register_view(
    context: &SessionContext,
    params: &Params,
    name: &str,
    sql: &str,
) -> Result<(), Error> {
    let fail = |source: engine::Error| Error::Sql { model: name.to_owned(), source };
    let bound = params.bind(sql).map_err(fail)?;
    let plan = context.state().create_logical_plan(&bound).await.map_err(|e| fail(e.into()))?;
    context.deregister_table(name).map_err(|e| fail(e.into()))?;
    context.register_table(name, Arc::new(ViewTable::new(plan, Some(bound)))).map_err(|e| fail(e.into()))?;
    Ok(())
}

/// Models count by whole minutes.
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;

/// The tables whose presence makes a stretch of time comparable.
const MEASURED: [&str; 4] = ["logs", "spans", "metrics", "evaluations"];

/// A baseline for a window, and in words which one.
///
/// The period of the same length just before it, when the lake holds anything of that period; else the
/// first quarter of what the window itself holds, in whole hours where it is that long, so that the first
/// day of a lake can be compared with how it began.
pub async fn default_baseline(lake: &Lake, window: TimeRange) -> Result<(TimeRange, String), Error> {
    let previous = window.previous();
    let mut held: Option<(i64, i64)> = None;
    // Requests decide where there are any: metrics often go on when nothing is served.
    for tables in [&MEASURED[..2], &MEASURED[2..]] {
        let mut spans = Vec::new();
        for table in tables {
            if let Some(snapshot) = lake.snapshot(table).await? {
                spans.extend(snapshot.files().iter().map(span));
            }
        }
        if spans.iter().any(|(from, to)| *from < previous.to() && *to > previous.from()) {
            return Ok((previous, "the period before it".to_owned()));
        }
        let inside = spans.iter().filter(|(from, to)| *from < window.to() && *to > window.from());
        let first = inside.clone().map(|(from, _)| (*from).max(window.from())).min();
        let last = inside.map(|(_, to)| (*to).min(window.to())).max();
        held = held.or(first.zip(last));
    }
    let (first, last) = held.unwrap_or((window.from(), window.to()));
    let from = (first.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR).max(window.from());
    let quarter = (last - from) / 4;
    let to = match quarter / MICROS_PER_HOUR {
        0 => from + (quarter / MICROS_PER_MINUTE).max(1) * MICROS_PER_MINUTE,
        hours => from + hours * MICROS_PER_HOUR,
    };
    let baseline = TimeRange::new(from, to).unwrap_or(window);
    Ok((
        baseline,
        "the first quarter of its data, because the lake holds nothing of the period before".to_owned(),
    ))
}

/// The newest UTC day that holds requests (logs or spans), else any telemetry.
pub async fn last_day_with_requests(lake: &Lake) -> Result<Option<TimeRange>, Error> {
    for tables in [&MEASURED[..2], &MEASURED[2..]] {
        let mut last: Option<i64> = None;
        for table in tables {
            if let Some(snapshot) = lake.snapshot(table).await? {
                last = last.max(snapshot.files().iter().map(|f| span(f).1 - 1).max());
            }
        }
        if let Some(last) = last {
            let from = last.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY;
            return Ok(TimeRange::new(from, from + MICROS_PER_DAY).ok());
        }
    }
    Ok(None)
}

/// All the time in which the lake holds requests (logs or spans), else any telemetry, in whole days.
pub async fn whole_history(lake: &Lake) -> Result<Option<TimeRange>, Error> {
    for tables in [&MEASURED[..2], &MEASURED[2..]] {
        let mut held: Option<(i64, i64)> = None;
        for table in tables {
            for file in lake.snapshot(table).await?.iter().flat_map(|snapshot| snapshot.files()) {
                let (from, to) = span(file);
                held = Some(held.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
            }
        }
        if let Some((first, last)) = held {
            let from = first.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY;
            let to = (last - 1).div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY + MICROS_PER_DAY;
            return Ok(TimeRange::new(from, to).ok());
        }
    }
    Ok(None)
}

/// The half-open stretch of time that a file covers.
fn span(file: &DataFile) -> (i64, i64) {
    (file.min_time, file.max_time + 1)
}
