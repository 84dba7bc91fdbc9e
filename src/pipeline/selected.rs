//! The view `slo_selected`: the rows of SLOs that have a filter of their own, by minute.
//!
//! It is made from the settings, because a condition of a user cannot stand in a file. Each is one checked
//! expression ([`Predicate`](crate::settings::Predicate)), planned alone first, so that what is wrong with it is
//! said of its SLO.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

use super::Error;
use crate::engine;

/// The view.
pub(super) const SLO_SELECTED: &str = "slo_selected";

/// What it may read, as the settings have it.
pub(super) const SLO_READS: [&str; 3] = ["evaluations", "request_rows", "request_parts"];

/// Its columns, without rows.
const NOTHING: &str = "select cast(null as varchar) as slo, cast(null as varchar) as region, \
    cast(null as varchar) as service, cast(null as varchar) as route, \
    arrow_cast(null, 'Timestamp(Microsecond, Some(\"UTC\"))') as minute, cast(null as bigint) as requests, \
    cast(null as bigint) as errors, cast(null as bigint) as durations, arrow_cast(null, 'Binary') as latency \
    where false";

/// An SLO that chooses rows.
pub(super) struct Selection {
    slo: String,
    is_of_evaluations: bool,
    agent_type: Option<String>,
    filter: Option<String>,
    reads_raw: bool,
}

/// The query of the view.
pub(super) fn sql(selections: &[Selection]) -> String {
    let parts = selections.iter().map(Selection::sql);
    std::iter::once(NOTHING.to_owned()).chain(parts).collect::<Vec<_>>().join(" union all ")
}

/// Plans each condition alone: what is wrong with it is said of its SLO.
pub(super) async fn check(context: &SessionContext, selections: &[Selection]) -> Result<(), Error> {
    for selection in selections {
        selection.check(context).await?;
    }
    Ok(())
}

/// The SLOs of the settings that choose rows, in the order of their names.
pub(super) async fn selections(context: &SessionContext) -> Result<Vec<Selection>, Error> {
    let sql = "select name, type, agent_type, filter, reads from settings_slos \
        where filter is not null or (agent_type is not null and type <> 'evaluation_success') order by name";
    let batches = context.sql(sql).await.map_err(engine::Error::from)?;
    let batches = batches.collect().await.map_err(engine::Error::from)?;
    let mut found = Vec::new();
    for batch in batches {
        let column = |i: usize| {
            cast(batch.column(i), &DataType::Utf8)
                .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))
        };
        let columns = (0..5).map(column).collect::<Result<Vec<_>, _>>()?;
        let text = |i: usize, row: usize| {
            let column = columns[i].as_string::<i32>();
            (!arrow::array::Array::is_null(column, row)).then(|| column.value(row).to_owned())
        };
        found.extend((0..batch.num_rows()).map(|row| Selection {
            slo: text(0, row).unwrap_or_default(),
            is_of_evaluations: text(1, row).as_deref() == Some("evaluation_success"),
            agent_type: text(2, row),
            filter: text(3, row),
            reads_raw: text(4, row).as_deref() == Some("raw"),
        }));
    }
    Ok(found)
}

impl Selection {
    fn source(&self) -> &'static str {
        match (self.is_of_evaluations, self.reads_raw) {
            (true, _) => "evaluations",
            (false, true) => "request_rows",
            (false, false) => "request_parts",
        }
    }

    /// Plans the condition alone: columns that do not exist, and types that do not fit, are said of the SLO.
    async fn check(&self, context: &SessionContext) -> Result<(), Error> {
        let Some(filter) = &self.filter else { return Ok(()) };
        let source = self.source();
        let sql = format!("select 1 from {source} where ({filter})");
        let Err(reason) = context.state().create_logical_plan(&sql).await else { return Ok(()) };
        let provider = context.table(source).await.map_err(engine::Error::from)?;
        let columns: BTreeSet<String> = provider.schema().fields().iter().map(|f| f.name().clone()).collect();
        Err(Error::Filter {
            slo: self.slo.clone(),
            filter: filter.clone(),
            reason: reason.strip_backtrace(),
            columns: columns.into_iter().collect::<Vec<_>>().join(", "),
        })
    }

    fn sql(&self) -> String {
        let slo = self.slo.replace('\'', "''");
        let filter = self.filter.as_ref().map_or_else(|| "true".to_owned(), |f| format!("({f})"));
        match self.source() {
            "evaluations" => {
                let agent = self.agent("agent_type");
                format!(
                    "select '{slo}', region, coalesce(service, 'unknown'), cast(null as varchar), \
                     date_trunc('minute', timestamp), count(*), \
                     sum(case when status = 'success' then 0 else 1 end), cast(0 as bigint), \
                     arrow_cast(null, 'Binary') from evaluations where status is not null and {agent} and {filter} \
                     and timestamp >= least($from, $baseline_from) and timestamp < $to group by 2, 3, 5"
                )
            }
            "request_rows" => {
                let agent = self.agent("coalesce(attributes['agent_type'], attributes['agent.type'])");
                format!(
                    "select '{slo}', region, service, route, date_trunc('minute', timestamp), count(*), \
                     sum(case when is_error then 1 else 0 end), count(duration_ms), quantile_sketch(duration_ms) \
                     from request_rows where {agent} and {filter} group by 2, 3, 4, 5"
                )
            }
            parts => format!(
                "select '{slo}', region, service, route, minute, requests, errors, durations, latency \
                 from {parts} where {filter}"
            ),
        }
    }

    fn agent(&self, column: &str) -> String {
        match &self.agent_type {
            Some(agent) => format!("{column} = '{}'", agent.replace('\'', "''")),
            None => "true".to_owned(),
        }
    }
}
