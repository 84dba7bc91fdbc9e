//! The models of a session, as views that are planned when somebody reads them.
//!
//! A view holds a plan, not text: one planned early would have to be planned again whenever something below it is held
//! in memory or bound anew, and of all models a query reads a few. So a model is a name here until it is asked for,
//! and its plan is kept until a table that it reads changes. Models that others read many times keep their rows as well.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::{TableType, ViewTable};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;

use super::held::Budget;
use super::selected::{SLO_READS, SLO_VIEWS};
use super::shared::Shared;
use super::{Materialization, Model, models};
use crate::engine::{self, Params};

/// What a session can name: its tables, and over them the models.
pub(super) struct Views {
    /// Tables of the lake, settings, models held in memory, and what a user creates.
    tables: Arc<dyn SchemaProvider>,
    /// The session that plans, while it lives; it owns this.
    session: Box<dyn Fn() -> Option<SessionState> + Send + Sync>,
    /// The names and queries of the views that are made from the settings.
    made: [(&'static str, String); 5],
    /// Memory that rows of models take.
    budget: Arc<Budget>,
    bound: RwLock<Bound>,
}

/// The models that are views, for one set of parameters.
#[derive(Default)]
struct Bound {
    params: Params,
    /// The query of each, and whether its rows are kept.
    views: BTreeMap<&'static str, (String, bool)>,
    planned: BTreeMap<&'static str, Arc<dyn TableProvider>>,
}

impl Bound {
    /// Drops plans, and the rows that they keep.
    fn forget(&mut self, models: &BTreeSet<&str>) {
        self.planned.retain(|name, _| !models.contains(name));
    }
}

/// A name and every model that reads it, directly or through others.
fn readers(name: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::from([name]);
    // Each model comes after those that it reads, but what is made from the settings has no place in that order.
    loop {
        let known = found.len();
        if SLO_READS.iter().any(|read| found.contains(read)) {
            found.extend(SLO_VIEWS);
        }
        for model in models() {
            if model.reads.iter().any(|read| found.contains(read.as_str())) {
                found.insert(&model.name);
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

impl Views {
    /// Puts the models over the tables of a session. Those for which `is_view` does not hold are tables already.
    pub(super) fn install(
        context: &SessionContext,
        params: &Params,
        made: [(&'static str, String); 5],
        is_view: impl Fn(&Model) -> bool,
    ) -> Result<Arc<Self>> {
        let state = context.state();
        let names = &state.config_options().catalog;
        let catalog = context
            .catalog(&names.default_catalog)
            .ok_or_else(|| DataFusionError::Internal(format!("no catalog `{}`", names.default_catalog)))?;
        let tables = catalog
            .schema(&names.default_schema)
            .ok_or_else(|| DataFusionError::Internal(format!("no schema `{}`", names.default_schema)))?;
        let session = context.state_weak_ref();
        let session = Box::new(move || session.upgrade().map(|state| state.read().clone()));
        let views =
            Arc::new(Views { tables, session, made, budget: Arc::default(), bound: RwLock::default() });
        views.bind(params, is_view)?;
        catalog.register_schema(&names.default_schema, Arc::clone(&views) as Arc<dyn SchemaProvider>)?;
        Ok(views)
    }

    /// Binds the models to other parameters. What was held in memory is computed anew when it is read.
    pub(super) fn bind(&self, params: &Params, is_view: impl Fn(&Model) -> bool) -> Result<()> {
        let is_kept = |model: &Model| model.header.materialized != Materialization::View;
        let models = models().iter().filter(|m| is_view(m));
        let models = models.map(|m| (m.name.as_str(), (m.sql.clone(), is_kept(m))));
        let made = self.made.iter().map(|(name, sql)| (*name, (sql.clone(), false)));
        let views: BTreeMap<_, _> = models.chain(made).collect();
        for name in views.keys() {
            self.tables.deregister_table(name)?;
        }
        *self.write() = Bound { params: params.clone(), views, planned: BTreeMap::new() };
        Ok(())
    }

    /// From now on the name means these rows.
    pub(super) fn hold(&self, name: &str, rows: Arc<dyn TableProvider>) -> Result<()> {
        self.deregister_table(name)?;
        self.register_table(name.to_owned(), rows)?;
        Ok(())
    }

    /// Plans a model; what it reads comes through [`SchemaProvider::table`], and so is planned first.
    async fn plan(&self, name: &'static str, sql: &str, is_kept: bool) -> Result<Arc<dyn TableProvider>> {
        let fail = |error: engine::Error| DataFusionError::Plan(format!("model `{name}`: {error}"));
        let session = self.session()?;
        let sql = self.read().params.bind(sql).map_err(fail)?;
        let plan = session.create_logical_plan(&sql).await.map_err(|e| fail(e.into()))?;
        if is_kept {
            return Ok(Arc::new(Shared::new(name, plan, &self.budget)));
        }
        Ok(Arc::new(ViewTable::new(plan, Some(sql))))
    }

    /// Computes the rows of a model that keeps them, unless they are there; says how many they are.
    pub(super) async fn compute(&self, name: &str) -> Result<usize> {
        let session = self.session()?;
        let table = self.table(name).await?;
        match table.as_deref().and_then(|table| (table as &dyn Any).downcast_ref::<Shared>()) {
            Some(shared) => Ok(shared.held(&session).await?.1),
            None => Err(DataFusionError::Internal(format!("the model `{name}` does not keep its rows"))),
        }
    }

    /// Gives up the rows of all models that none of these reads, directly or through models whose rows are not kept.
    pub(super) fn release_all_but(&self, wanted: &BTreeSet<String>) {
        let bound = self.read();
        let shared = |name: &str| {
            let table = bound.planned.get(name)?;
            (table.as_ref() as &dyn Any).downcast_ref::<Shared>().filter(|shared| shared.keeps_rows())
        };
        let mut waiting: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let mut read = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let is_new = read.insert(name) && bound.views.contains_key(name);
            if !is_new || shared(name).is_some() {
                continue;
            }
            if let Some(model) = models().iter().find(|model| model.name == name) {
                waiting.extend(model.reads.iter().map(String::as_str));
            } else {
                waiting.extend(SLO_READS);
            }
        }
        let unread =
            bound.planned.keys().filter(|name| !read.contains(*name)).filter_map(|name| shared(name));
        unread.for_each(Shared::release);
    }

    fn session(&self) -> Result<SessionState> {
        (self.session)()
            .ok_or_else(|| DataFusionError::Internal("the session of the models is gone".to_owned()))
    }

    /// Memory that rows of models take, and may take.
    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Forgets plans and rows.
    pub(super) fn forget(&self) {
        self.write().planned.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Bound> {
        // Nothing that panics happens under the lock; were it otherwise, the maps would still be whole.
        self.bound.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Bound> {
        self.bound.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("tables", &self.tables).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for Views {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        names.extend(self.read().views.keys().map(|name| (*name).to_owned()));
        names.sort();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let (model, planned) = {
            let bound = self.read();
            let model = bound.views.get_key_value(name).map(|(name, query)| (*name, query.clone()));
            (model, bound.planned.get(name).cloned())
        };
        match (model, planned) {
            (None, _) => self.tables.table(name).await,
            (Some(_), Some(planned)) => Ok(Some(planned)),
            (Some((name, (sql, is_kept))), None) => {
                let view = self.plan(name, &sql, is_kept).await?;
                // Where somebody else has planned it meanwhile, their rows are everybody's.
                Ok(Some(Arc::clone(self.write().planned.entry(name).or_insert(view))))
            }
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        // Listing the tables plans none of them.
        if self.read().views.contains_key(name) {
            return Ok(Some(TableType::View));
        }
        self.tables.table_type(name).await
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if self.read().views.contains_key(name.as_str()) {
            return Err(DataFusionError::Execution(format!("the table {name} already exists")));
        }
        let before = self.tables.register_table(name.clone(), table)?;
        self.write().forget(&readers(&name));
        Ok(before)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let mut bound = self.write();
        let planned = bound.planned.get(name).cloned();
        bound.forget(&readers(name));
        match bound.views.remove(name) {
            Some(_) => Ok(planned),
            None => self.tables.deregister_table(name),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.read().views.contains_key(name) || self.tables.table_exist(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;
    use crate::domain::TimeRange;
    use crate::engine::{Engine, EngineOptions};
    use crate::lake::query_schema;
    use crate::pipeline::selected;
    use crate::settings::Settings;
    use datafusion::datasource::empty::EmptyTable;

    /// A session whose tables are all empty.
    fn session() -> (Engine, Arc<Views>) {
        let engine = Engine::new(&EngineOptions::default(), &Settings::default()).unwrap();
        for table in contract::tables() {
            let empty = Arc::new(EmptyTable::new(query_schema(table)));
            engine.context().register_table(table.name.as_str(), empty).unwrap();
        }
        let day = TimeRange::day("2025-01-15").unwrap();
        let is_view = |model: &Model| contract::table(&model.name).is_err();
        let made = selected::views(&[]);
        let views =
            Views::install(engine.context(), &Params::new(day, day.previous()), made, is_view).unwrap();
        (engine, views)
    }

    fn planned(views: &Views) -> Vec<&'static str> {
        views.read().planned.keys().copied().collect()
    }

    #[tokio::test]
    async fn every_model_plans() {
        let (engine, _views) = session();
        for model in models() {
            engine.sql(&format!("select * from {}", model.name)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn only_what_a_query_reads_is_planned() {
        let (engine, views) = session();
        engine.sql("select * from region_kpis").await.unwrap();
        let below = ["baseline_parts", "measured_minutes", "minute_slots", "region_kpis", "request_grain"];
        let above = ["request_parts", "request_signals", "service_parts", "service_slots", "slot_signals"];
        assert_eq!(planned(&views), [&below[..], &above].concat());
    }

    #[tokio::test]
    async fn who_reads_a_held_model_reads_its_rows() {
        let (engine, views) = session();
        let counts = "select count(*) from slo_violation_counts";
        assert_eq!(rows(&engine, counts).await, 0);
        let episode = "select 'latency' as type, 'critical' as severity, 4 as severity_rank, 'violation' as kind, \
                       1 as windows, 'api' as service, 'us-east-1' as region";
        views.hold("slo_episodes", engine.sql(episode).await.unwrap().into_view()).unwrap();
        assert_eq!(rows(&engine, counts).await, 1);
    }

    async fn rows(engine: &Engine, sql: &str) -> i64 {
        use arrow::array::AsArray;
        use arrow::datatypes::Int64Type;
        engine.rows(sql).await.unwrap()[0].column(0).as_primitive::<Int64Type>().value(0)
    }

    #[tokio::test]
    async fn holding_a_model_forgets_only_those_that_read_it() {
        let (engine, views) = session();
        engine.sql("select * from slo_violation_counts cross join region_drift").await.unwrap();
        let before = planned(&views);
        assert!(before.contains(&"slo_violation_counts") && before.contains(&"slo_observed"), "{before:?}");
        let rows = engine.sql("select * from slo_episodes").await.unwrap().into_view();
        views.hold("slo_episodes", rows).unwrap();
        let gone: Vec<_> = before.into_iter().filter(|name| !planned(&views).contains(name)).collect();
        assert_eq!(gone, ["slo_episodes", "slo_violation_counts"]);
    }

    #[tokio::test]
    async fn rows_that_nobody_will_read_are_given_up_and_can_still_be_read() {
        let (engine, views) = session();
        let kept = |name: &str| {
            let planned = views.read().planned.get(name).cloned();
            planned.is_some_and(|table| {
                (table.as_ref() as &dyn Any).downcast_ref::<Shared>().unwrap().keeps_rows()
            })
        };
        rows(&engine, "select count(*) from slo_periods").await;
        rows(&engine, "select count(*) from top_errors").await;
        assert!(kept("slo_part_events") && kept("slo_periods") && kept("top_errors"));
        // `slo_budgets` reads the rows of `slo_periods`, which are there, and not those that they were made from.
        views.release_all_but(&BTreeSet::from(["slo_budgets".to_owned()]));
        assert!(kept("slo_periods") && !kept("slo_part_events") && !kept("top_errors"));
        views.release_all_but(&BTreeSet::new());
        assert!(!kept("slo_periods"));
        assert_eq!(rows(&engine, "select count(*) from slo_periods").await, 0);
        assert!(kept("slo_periods") && kept("slo_part_events"));
    }

    #[test]
    fn what_chooses_rows_of_requests_reads_them() {
        let of_parts = readers("request_parts");
        assert!(of_parts.contains(SLO_VIEWS[0]) && of_parts.contains("slo_counts"), "{of_parts:?}");
        assert_eq!(readers("a table of a user"), BTreeSet::from(["a table of a user"]));
    }

    #[tokio::test]
    async fn a_listing_names_everything_once() {
        let (engine, _views) = session();
        let listed = "select count(*) from information_schema.tables \
                      where table_name in ('verdicts', 'logs', 'log_minutes', 'settings_slos')";
        assert_eq!(rows(&engine, listed).await, 4);
    }
}
