//! What `tars slo` asks the models. `{route}` stands where routes do, if any SLO is judged by them.

use crate::settings::{Settings, Slo};

/// A query with the column of routes where an SLO is judged by them, else without.
pub(in crate::cli) fn told(sql: &str, settings: &Settings) -> String {
    let by_route = settings.slos.iter().any(Slo::is_by_route);
    sql.replace("{route}", if by_route { "route, " } else { "" })
}

/// Where every SLO stands.
pub(super) const STATUS: &str = "select slo, region, service, {route}status, severity, round(objective, 6) as objective, \
    round(compliance, 6) as compliance, round(coverage, 4) as coverage, period, period_start, period_end, events, \
    bad_events, round(consumed, 4) as consumed, round(remaining, 4) as remaining, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, violations, violated_seconds, pages, tickets, \
    round(raw_compliance, 6) as raw_compliance, raw_violations, reads from slo_status \
    order by slo, consumed desc nulls last, region, service, route";

/// Every period.
pub(super) const BUDGETS: &str = "select slo, region, service, {route}period, time_zone, period_start, period_end, status, \
    round(objective, 6) as objective, budgeting, round(compliance, 6) as compliance, \
    round(coverage, 4) as coverage, events, bad_events, round(budget_events, 3) as budget_events, \
    round(remaining_events, 3) as remaining_events, round(consumed, 4) as consumed, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, round(raw_compliance, 6) as raw_compliance, \
    raw_bad_events, round(raw_consumed, 4) as raw_consumed, corrected_seconds from slo_budgets \
    order by slo, region, service, route, period_start";

/// Violations as episodes.
pub(super) const VIOLATIONS: &str = "select severity, kind, slo, region, service, {route}started_at, ended_at, duration_seconds, \
    windows, samples, worst, target, threshold, expected, zscore, sentence from slo_episodes \
    order by severity_rank desc, kind desc, started_at, slo, region, service, route";

/// What the settings ask for and the data cannot answer, with a remedy.
pub(super) const WARNINGS: &str = "select 'SLO ' || name || ': nothing was measured for it' \
    || coalesce(' (region = ' || region || ')', '') || coalesce(' (service = ' || service || ')', '') \
    || coalesce(' (route = ' || route || ')', '') || coalesce(' (agent_type = ' || agent_type || ')', '') \
    || coalesce(' (filter = ' || filter || ')', '') \
    || '; correct its filters, or widen the window with --from and --to' as line \
    from settings_slos where name not in ( \
        select slo from slo_series where series in (select distinct series from slo_observed) \
    ) \
    union all \
    select 'SLO ' || slos.name || ': window_seconds = ' || cast(slos.window_seconds as varchar) \
    || ' is longer than the data of ' || cast(max(spans.seconds) as varchar) \
    || ' s; shorten it, or look at more history' \
    from settings_slos as slos join ( \
        select slo_series.slo as slo, (max(cast(slo_periods.last_slot as bigint)) \
        - min(cast(slo_periods.first_slot as bigint))) / 1000000 + 300 as seconds \
        from slo_periods join slo_series on slo_periods.series = slo_series.series \
        group by slo_series.slo, slo_series.series \
    ) as spans on slos.name = spans.slo \
    group by slos.name, slos.window_seconds having max(spans.seconds) < slos.window_seconds \
    union all \
    select 'SLO ' || slos.name || ': max_routes = ' || cast(max(slos.max_routes) as varchar) || ', but service ' \
    || first_value(counted.service order by counted.routes desc, counted.region, counted.service) || ' in ' \
    || first_value(counted.region order by counted.routes desc, counted.region, counted.service) || ' has ' \
    || cast(max(counted.routes) as varchar) || ' routes' || case when count(*) > 1 \
    then ' and ' || cast(count(*) - 1 as varchar) || ' more have too many' else '' end \
    || '; those with fewest requests are judged together as (other routes); raise max_routes, or choose routes with filter' \
    from settings_slos as slos join slo_scopes as scopes on slos.name = scopes.slo join ( \
        select scope, region, service, count(*) as routes from slo_routes group by scope, region, service \
    ) as counted on scopes.scope = counted.scope \
    where counted.routes > slos.max_routes group by slos.name \
    order by line";

/// Corrections of the window that are for nothing, with a remedy.
pub(super) const IDLE_CORRECTIONS: &str = "select 'correction ' || name || ': nothing that an SLO measures is covered by it' \
    || coalesce(' (slo = ' || slo || ')', '') || coalesce(' (region = ' || region || ')', '') \
    || coalesce(' (service = ' || service || ')', '') || coalesce(' (route = ' || route || ')', '') \
    || '; correct what it names' || case when route is null then '' \
    else ', or raise max_routes where the route is judged among (other routes)' end as line \
    from settings_corrections where from_time < $to and to_time > $from and name not in ( \
        select unnest(names) as name from slo_corrections \
    ) \
    order by line";

/// The alerts of a backtest, of which the rows are in `slo_backtest`.
pub(super) const ALERTS: &str = "select objective, slo, region, service, {route}action, windows, severity, started_at, ended_at, \
    duration_seconds, round(burn_limit, 2) as burn_limit, round(worst_burn, 2) as worst_burn, \
    round(gone_at_start, 4) as gone_at_start, round(gone_at_end, 4) as gone_at_end from slo_backtest \
    order by slo, objective, started_at, region, service, route, tier";

/// Where error rates, latencies and the others go.
pub(super) const TRENDS: &str = "select slo, region, service, {route}trend, slope_per_hour, \
    round(certainty, 3) as certainty, stretches, hours_each, round(lowest, 6) as lowest, \
    round(highest, 6) as highest from slo_trends \
    order by slo, case trend when 'worse' then 1 when 'better' then 2 else 3 end, region, service, route";

/// What else moved when SLOs were violated.
pub(super) const CORRELATIONS: &str = "select slo, region, service, {route}started_at, place, moved_service, metric, \
    round(strength, 4) as strength, lag_seconds, before, within, slots from slo_correlations \
    order by started_at, slo, region, service, route, place";
