//! A run: one session in which the lake's tables, the settings and every model are in place, with the
//! run's parameters bound. From then on everything is `select … from view`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use tokio::task::JoinSet;

use super::graph::tables_of;
use super::held::{Held, keep};
use super::past::register_built;
use super::shared::held_schema;
use super::views::Views;
use super::{Error, Materialization, Model, models, selected};
use crate::engine::{self, Engine, Params, TableVersion, Timings, Value, register_lake};
use crate::lake::Lake;

/// Models that are computed side by side, at most: each takes memory while it is.
const MODELS_AT_A_TIME: usize = 4;

/// A session with every table and model of a lake, for one window.
pub struct Run {
    engine: Engine,
    params: Params,
    versions: Vec<TableVersion>,
    /// Incremental models that are computed, because no version of their table fits the view of the past.
    computed: BTreeSet<String>,
    /// The models; none without a lake.
    views: Option<Arc<Views>>,
}

impl Run {
    /// Registers the lake's tables and every model. The models are names yet: nothing is planned or computed.
    pub async fn open(engine: Engine, lake: &Lake, params: Params) -> Result<Self, Error> {
        let mut versions = register_lake(engine.context(), lake).await?;
        let computed = match lake.is_past() {
            true => register_built(engine.context(), lake, &mut versions).await?,
            false => BTreeSet::new(),
        };
        let is_view = |model: &Model| !is_incremental(model) || computed.contains(&model.name);
        let views = install(engine.context(), &params, is_view).await?;
        Ok(Run { engine, params, versions, computed, views: Some(views) })
    }

    /// A session without a lake: functions, settings, and files queried by their path.
    pub fn without_lake(engine: Engine) -> Self {
        let (params, versions) = (Params::default(), Vec::new());
        Run { engine, params, versions, computed: BTreeSet::new(), views: None }
    }

    /// Sets a parameter and binds the models anew.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let mut params = self.params.clone();
        params.set(name, value)?;
        if let Some(views) = &self.views {
            let is_view = |model: &Model| !is_incremental(model) || self.computed.contains(&model.name);
            views.bind(&params, is_view).map_err(engine::Error::from)?;
        }
        self.params = params;
        Ok(())
    }

    /// Computes each model marked `materialized: run` once and keeps its rows, in memory while they fit
    /// and else in a file. For a report, which reads the same models in many sections.
    ///
    /// Several are computed at a time: planning a model, and the last steps of most, keep one core busy. A model
    /// that others read is computed by whoever needs it first, and the others wait for it.
    pub async fn hold(&self, mut done: impl FnMut(&str, usize)) -> Result<(), Error> {
        let Some(views) = &self.views else { return Ok(()) };
        let at_a_time = self.engine.context().copied_config().target_partitions().min(MODELS_AT_A_TIME);
        let mut waiting = models().iter().filter(|m| m.header.materialized == Materialization::Run);
        let mut running = JoinSet::new();
        loop {
            while running.len() < at_a_time
                && let Some(model) = waiting.next()
            {
                let views = Arc::clone(views);
                running.spawn(async move { (model.name.as_str(), views.compute(&model.name).await) });
            }
            let Some(finished) = running.join_next().await else { return Ok(()) };
            let (model, rows) =
                finished.map_err(|e| engine::Error::from(DataFusionError::ExecutionJoin(Box::new(e))))?;
            let fail = |e: DataFusionError| Error::Sql { model: model.to_owned(), source: e.into() };
            done(model, rows.map_err(fail)?);
        }
    }

    /// Computes the named models once and keeps their rows, in the order in which they depend on each
    /// other. For a command that reads a few models many times.
    ///
    /// Only views have to be: of any other model the rows are kept as it is, once somebody reads them.
    pub async fn hold_only(&self, names: &[&str]) -> Result<(), Error> {
        let Some(views) = &self.views else { return Ok(()) };
        let timings = Timings::of(self.engine.context());
        let is_view = |m: &&Model| m.header.materialized == Materialization::View;
        for model in models().iter().filter(|m| names.contains(&m.name.as_str())).filter(is_view) {
            let fail = |source: engine::Error| Error::Sql { model: model.name.clone(), source };
            let start = Instant::now();
            let frame = self.engine.sql(&format!("select * from {}", model.name)).await.map_err(fail)?;
            let schema = held_schema(frame.schema().as_arrow());
            let stream = frame.execute_stream().await.map_err(|e| fail(e.into()))?;
            let runtime = self.engine.context().runtime_env();
            let held = keep(&runtime, views.budget(), &model.name, schema, stream).await;
            let Held { table, rows, bytes } = held.map_err(|e| fail(e.into()))?;
            timings.add(&model.name, start, rows, bytes);
            views.hold(&model.name, table).map_err(|e| fail(e.into()))?;
        }
        Ok(())
    }

    /// Gives up the rows of models that none of these queries reads any more, and with them memory. For a command of several
    /// stages; a query that is not among them still works, but may compute a model again.
    pub fn release_unread<S: AsRef<str>>(&self, queries: &[S]) -> Result<(), Error> {
        let Some(views) = &self.views else { return Ok(()) };
        let mut wanted = BTreeSet::new();
        for query in queries {
            wanted.extend(tables_of(query.as_ref()).map_err(engine::Error::from)?);
        }
        views.release_all_but(&wanted);
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

/// The models of a session.
pub struct Models(Arc<Views>);

impl Models {
    /// Forgets the rows that models have kept. For sessions whose tables change under them.
    pub fn forget(&self) {
        self.0.forget();
    }
}

/// Puts every model over the tables of a session, with the parameters bound. A model is planned when it is read.
pub async fn register_models(
    context: &SessionContext,
    params: &Params,
    built: Built,
) -> Result<Models, Error> {
    let is_view = |model: &Model| built == Built::AsViews || !is_incremental(model);
    Ok(Models(install(context, params, is_view).await?))
}

async fn install(
    context: &SessionContext,
    params: &Params,
    is_view: impl Fn(&Model) -> bool,
) -> Result<Arc<Views>, Error> {
    let selections = selected::selections(context).await?;
    let made = selected::views(&selections);
    let views = Views::install(context, params, made, is_view).map_err(engine::Error::from)?;
    // What is wrong with a condition is said of its SLO, and at once, not when somebody reads the view.
    selected::check(context, &selections).await?;
    Ok(views)
}

fn is_incremental(model: &Model) -> bool {
    matches!(model.header.materialized, Materialization::Incremental { .. })
}
