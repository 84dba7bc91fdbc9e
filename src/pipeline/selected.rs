//! The views `slo_selected`: the rows of SLOs that have a filter of their own, by minute; `slo_durations`: the
//! requests of SLOs whose percentiles are exact, one by one; `slo_route_slots`: the requests of routes, where an SLO
//! asks for routes; and `slo_log_minutes` and `slo_span_minutes`: requests by minute, where windows of an SLO cut slots of
//! five minutes.
//!
//! They are made from the settings, because a condition of a user cannot stand in a file, and because what no SLO asks
//! for shall not be computed. A condition is one checked
//! expression ([`Predicate`](crate::settings::Predicate)), planned alone first, so that what is wrong with it is
//! said of its SLO.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

use super::Error;
use crate::domain::Percentiles;
use crate::engine;

/// The names of the views: chosen rows by minute, single requests, requests by slots and routes, and by minute from
/// logs and from spans.
pub(super) const SLO_VIEWS: [&str; 5] =
    ["slo_selected", "slo_durations", "slo_route_slots", "slo_log_minutes", "slo_span_minutes"];

/// Seconds of a slot.
const SLOT: i64 = 300;

/// What they may read, as the settings have it.
pub(super) const SLO_READS: [&str; 8] = [
    "evaluations",
    "request_rows",
    "request_parts",
    "log_slots",
    "span_slots",
    "minute_slots",
    "log_minutes",
    "span_minutes",
];

/// The columns of single requests, without rows.
const NO_DURATIONS: &str = "select cast(null as varchar) as slo, cast(null as varchar) as region, \
    cast(null as varchar) as service, cast(null as varchar) as route, \
    arrow_cast(null, 'Timestamp(Microsecond, Some(\"UTC\"))') as timestamp, cast(null as double) as duration_ms \
    where false";

/// Where requests by slots and routes lie, each with the word for it, and a condition that keeps to the window.
const ROUTE_SLOTS: [(&str, &str, &str); 3] = [
    ("logs", "log_slots", "slot >= least($from, $baseline_from) and slot < $to"),
    ("spans", "span_slots", "slot >= least($from, $baseline_from) and slot < $to"),
    ("parts", "minute_slots", "true"),
];

/// The columns of rows by minute, without rows.
const NOTHING: &str = "select cast(null as varchar) as slo, cast(null as varchar) as region, \
    cast(null as varchar) as service, cast(null as varchar) as route, \
    arrow_cast(null, 'Timestamp(Microsecond, Some(\"UTC\"))') as minute, cast(null as bigint) as requests, \
    cast(null as bigint) as errors, cast(null as bigint) as durations, arrow_cast(null, 'Binary') as latency \
    where false";

/// Which rows an SLO chooses.
pub(super) struct Selection {
    slo: String,
    is_of_evaluations: bool,
    agent_type: Option<String>,
    filter: Option<String>,
    reads_raw: bool,
    /// Region, service and route that requests have to be of.
    place: [Option<String>; 3],
    is_exact: bool,
    is_by_route: bool,
    window_seconds: i64,
}

/// The views, by name.
pub(super) fn views(selections: &[Selection]) -> [(&'static str, String); 5] {
    let [selected, single, routes, logs, spans] = SLO_VIEWS;
    [
        (selected, sql(selections)),
        (single, durations(selections)),
        (routes, route_slots(selections)),
        (logs, minutes("log_minutes", selections)),
        (spans, minutes("span_minutes", selections)),
    ]
}

/// The query of rows by minute.
fn sql(selections: &[Selection]) -> String {
    let parts = selections.iter().filter(|s| s.is_selective()).map(Selection::sql);
    std::iter::once(NOTHING.to_owned()).chain(parts).collect::<Vec<_>>().join(" union all ")
}

/// The query of requests by slots and routes: all of them, or none where nobody asks for routes. Requests that name no
/// route have an empty one. The rollups are told apart, and not joined with who reads them: how many rows they have is
/// known, so that a join holds the other side in memory.
fn route_slots(selections: &[Selection]) -> String {
    let is_asked = |s: &Selection| s.is_by_route || s.place[2].is_some();
    let asked = selections.iter().any(is_asked);
    let parts = ROUTE_SLOTS.map(|(reads, table, within)| {
        format!(
            "select '{reads}' as reads, slot, region, coalesce(service, 'unknown') as service, \
             coalesce(route, '') as route, requests, errors, durations, latency from {table} \
             where {asked} and {within}"
        )
    });
    parts.join(" union all ")
}

/// The query of requests by minute, of one rollup. Where all windows are made of slots nobody reads them, as the planner sees by the
/// constants: it would else read a month of minutes to find out.
fn minutes(rollup: &str, selections: &[Selection]) -> String {
    let is_cut = selections.iter().any(|s| s.window_seconds % SLOT != 0);
    let slots = if is_cut { "" } else { " and cast($from as bigint) % 300000000 <> 0" };
    format!(
        "select minute, region, coalesce(service, 'unknown') as service, route, requests, errors, durations, latency \
         from {rollup} where minute >= least($from, $baseline_from) and minute < $to{slots}"
    )
}

/// The query of single requests.
fn durations(selections: &[Selection]) -> String {
    let parts = selections.iter().filter(|s| s.is_exact).map(Selection::durations);
    std::iter::once(NO_DURATIONS.to_owned()).chain(parts).collect::<Vec<_>>().join(" union all ")
}

/// Plans each condition alone: what is wrong with it is said of its SLO.
pub(super) async fn check(context: &SessionContext, selections: &[Selection]) -> Result<(), Error> {
    for selection in selections.iter().filter(|s| s.is_selective()) {
        selection.check(context).await?;
    }
    Ok(())
}

/// The SLOs of the settings and which rows they choose, in the order of their names.
pub(super) async fn selections(context: &SessionContext) -> Result<Vec<Selection>, Error> {
    let sql = "select name, type, agent_type, filter, reads, region, service, route, percentiles, max_routes, \
        window_seconds \
        from settings_slos order by name";
    let batches = context.sql(sql).await.map_err(engine::Error::from)?;
    let batches = batches.collect().await.map_err(engine::Error::from)?;
    let mut found = Vec::new();
    for batch in batches {
        let column = |i: usize| {
            cast(batch.column(i), &DataType::Utf8)
                .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))
        };
        let columns = (0..11).map(column).collect::<Result<Vec<_>, _>>()?;
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
            place: [text(5, row), text(6, row), text(7, row)],
            is_exact: text(8, row).as_deref() == Some(Percentiles::Exact.as_str()),
            is_by_route: text(9, row).is_some(),
            window_seconds: text(10, row).and_then(|seconds| seconds.parse().ok()).unwrap_or(SLOT),
        }));
    }
    Ok(found)
}

impl Selection {
    /// Whether rollups do not answer it as they are.
    fn is_selective(&self) -> bool {
        self.filter.is_some() || (self.agent_type.is_some() && !self.is_of_evaluations)
    }

    /// Its requests, one by one.
    fn durations(&self) -> String {
        let places = ["region", "service", "route"].into_iter().zip(&self.place);
        let places = places.filter_map(|(column, place)| Some(equal(column, place.as_ref()?)));
        let agent = self.agent("coalesce(attributes['agent_type'], attributes['agent.type'])");
        let filter = self.filter.iter().map(|filter| format!("({filter})"));
        let conditions: Vec<String> = places.chain([agent]).chain(filter).collect();
        format!(
            "select {}, region, service, route, timestamp, duration_ms from request_rows \
             where timestamp >= $from and duration_ms is not null and {}",
            quoted(&self.slo),
            conditions.join(" and ")
        )
    }

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
        let slo = quoted(&self.slo);
        let filter = self.filter.as_ref().map_or_else(|| "true".to_owned(), |f| format!("({f})"));
        match self.source() {
            "evaluations" => {
                let agent = self.agent("agent_type");
                format!(
                    "select {slo}, region, coalesce(service, 'unknown'), cast(null as varchar), \
                     date_trunc('minute', timestamp), count(*), \
                     sum(case when status = 'success' then 0 else 1 end), cast(0 as bigint), \
                     arrow_cast(null, 'Binary') from evaluations where status is not null and {agent} and {filter} \
                     and timestamp >= least($from, $baseline_from) and timestamp < $to group by 2, 3, 5"
                )
            }
            "request_rows" => {
                let agent = self.agent("coalesce(attributes['agent_type'], attributes['agent.type'])");
                format!(
                    "select {slo}, region, service, route, date_trunc('minute', timestamp), count(*), \
                     sum(case when is_error then 1 else 0 end), count(duration_ms), quantile_sketch(duration_ms) \
                     from request_rows where {agent} and {filter} group by 2, 3, 4, 5"
                )
            }
            parts => format!(
                "select {slo}, region, service, route, minute, requests, errors, durations, latency \
                 from {parts} where {filter}"
            ),
        }
    }

    fn agent(&self, column: &str) -> String {
        match &self.agent_type {
            Some(agent) => equal(column, agent),
            None => "true".to_owned(),
        }
    }
}

fn equal(column: &str, value: &str) -> String {
    format!("{column} = {}", quoted(value))
}

/// A text as SQL writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
