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
use super::{Error, Materialization, Model, models};
use crate::engine::{self, Engine, Params, TableVersion, Value, register_lake};
use crate::lake::Lake;

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
    for model in models() {
        let incremental = matches!(model.header.materialized, Materialization::Incremental { .. });
        if !(incremental && in_lake(&model.name)) {
            register_view(context, params, &model.name, &model.sql).await?;
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
