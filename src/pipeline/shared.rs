//! A model that is computed when a query first reads it, once for all that mention it.
//!
//! A view is planned and run again for every mention, and models mention each other: over a few layers a query would
//! run the same model hundreds of times. What is marked `once` or `run`, and what the lake would keep as a table, is
//! therefore a table to the planner, whose rows are made when a query that reads it is made ready to run, and kept until
//! they are released.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::TableType;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use tokio::sync::OnceCell;

use super::held::{Budget, Held, keep};
use crate::engine::Timings;

/// A model and, once somebody has read it, its rows.
pub(super) struct Shared {
    name: &'static str,
    plan: LogicalPlan,
    schema: SchemaRef,
    budget: Arc<Budget>,
    rows: Mutex<Arc<OnceCell<Held>>>,
}

impl Shared {
    pub(super) fn new(name: &'static str, plan: LogicalPlan, budget: &Arc<Budget>) -> Self {
        let schema = held_schema(plan.schema().as_arrow());
        Shared { name, plan, schema, budget: Arc::clone(budget), rows: Mutex::default() }
    }

    /// Its rows, computed unless they are there.
    pub(super) async fn held(&self, state: &dyn Session) -> Result<(Arc<dyn TableProvider>, usize)> {
        let cell = Arc::clone(&self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let held = cell.get_or_try_init(|| self.compute(state)).await?;
        Ok((Arc::clone(&held.table), held.rows))
    }

    /// Whether somebody has read it, and its rows are kept.
    pub(super) fn keeps_rows(&self) -> bool {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).initialized()
    }

    /// Gives up its rows, and their memory once the queries that read them have ended. Who reads it after that has them
    /// computed anew.
    pub(super) fn release(&self) {
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    async fn compute(&self, state: &dyn Session) -> Result<Held> {
        let start = Instant::now();
        let plan = state.create_physical_plan(&self.plan).await?;
        let stream = execute_stream(plan, state.task_ctx())?;
        let held = keep(state.runtime_env(), &self.budget, self.name, Arc::clone(&self.schema), stream);
        let held = held.await?;
        if let Some(timings) = state.config().get_extension::<Timings>() {
            timings.add(self.name, start, held.rows, held.bytes);
        }
        Ok(held)
    }
}

/// What held rows look like: a plan and its batches do not always agree on which columns can be NULL, so all can.
pub(super) fn held_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for Shared {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.held(state).await?.0.scan(state, projection, filters, limit).await
    }
}
