//! What `tars slo` asks the models.

/// Where every SLO stands.
pub(super) const STATUS: &str = "select slo, region, service, status, severity, round(objective, 6) as objective, \
    round(compliance, 6) as compliance, round(coverage, 4) as coverage, period, period_start, period_end, events, \
    bad_events, round(consumed, 4) as consumed, round(remaining, 4) as remaining, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, violations, violated_seconds, pages, tickets, \
    round(raw_compliance, 6) as raw_compliance, raw_violations, reads from slo_status \
    order by slo, consumed desc nulls last, region, service";

/// Every period.
pub(super) const BUDGETS: &str = "select slo, region, service, period, time_zone, period_start, period_end, status, \
    round(objective, 6) as objective, budgeting, round(compliance, 6) as compliance, \
    round(coverage, 4) as coverage, events, bad_events, round(budget_events, 3) as budget_events, \
    round(remaining_events, 3) as remaining_events, round(consumed, 4) as consumed, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, round(raw_compliance, 6) as raw_compliance, \
    raw_bad_events, round(raw_consumed, 4) as raw_consumed, corrected_seconds from slo_budgets \
    order by slo, region, service, period_start";

/// Violations as episodes.
pub(super) const VIOLATIONS: &str = "select severity, kind, slo, region, service, started_at, ended_at, duration_seconds, \
    windows, samples, worst, target, threshold, expected, zscore, sentence from slo_episodes \
    order by severity_rank desc, kind desc, started_at, slo, region, service";

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
        select slo, (max(cast(slot as bigint)) - min(cast(slot as bigint))) / 1000000 + 300 as seconds \
        from slo_events group by slo, series \
    ) as spans on slos.name = spans.slo \
    group by slos.name, slos.window_seconds having max(spans.seconds) < slos.window_seconds \
    order by line";

/// The alerts of a backtest, of which the rows are in `slo_backtest`.
pub(super) const ALERTS: &str = "select objective, slo, region, service, action, windows, severity, started_at, ended_at, \
    duration_seconds, round(burn_limit, 2) as burn_limit, round(worst_burn, 2) as worst_burn, \
    round(gone_at_start, 4) as gone_at_start, round(gone_at_end, 4) as gone_at_end from slo_backtest \
    order by slo, objective, started_at, region, service, tier";

/// Where error rates, latencies and the others go.
pub(super) const TRENDS: &str = "select slo, region, service, trend, slope_per_hour, \
    round(certainty, 3) as certainty, stretches, hours_each, round(lowest, 6) as lowest, \
    round(highest, 6) as highest from slo_trends \
    order by slo, case trend when 'worse' then 1 when 'better' then 2 else 3 end, region, service";

/// What else moved when SLOs were violated.
pub(super) const CORRELATIONS: &str = "select slo, region, service, started_at, place, moved_service, metric, \
    round(strength, 4) as strength, lag_seconds, before, within, slots from slo_correlations \
    order by started_at, slo, region, service, place";
