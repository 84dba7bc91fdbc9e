-- title: Where each SLO stands
-- grain: one row per series, for the newest period that holds events; one row
--   without region and service for an SLO that nothing was measured for
-- materialized: view
-- audit: severity is the worst of the violations in the window (not of anomalies, nor of those that
--   rest on too few requests, nor of those that a correction covers) and NULL without any
-- audit: raw_violations counts what corrections cover as well
-- audit: reads says what was read: `rollup`, `raw` rows, or the `parts` of a composite
with
budgets as (
    select
        *,
        row_number() over (
            partition by slo, region, service, route order by period_start desc nulls last
        ) as newest
    from slo_budgets
),

violations as (
    select
        slo,
        region,
        service,
        route,
        sum(case when kind = 'violation' then 1 else 0 end) as violations,
        count(*) as raw_violations,
        max(case when kind = 'violation' then severity_rank end) as severity_rank,
        sum(case when kind = 'violation' then duration_seconds else 0 end) as violated_seconds
    from slo_episodes
    where kind in ('violation', 'maintenance')
    group by slo, region, service, route
),

alerts as (
    select
        slo,
        region,
        service,
        route,
        sum(case when action = 'page' then 1 else 0 end) as pages,
        sum(case when action = 'ticket' then 1 else 0 end) as tickets
    from slo_alerts
    group by slo, region, service, route
),

final as (
    select
        budgets.*,
        coalesce(violations.violations, 0) as violations,
        coalesce(violations.raw_violations, 0) as raw_violations,
        coalesce(violations.violated_seconds, 0) as violated_seconds,
        case violations.severity_rank
            when 4 then 'critical' when 3 then 'error' when 2 then 'warning' when 1 then 'info'
        end as severity,
        coalesce(alerts.pages, 0) as pages,
        coalesce(alerts.tickets, 0) as tickets,
        coalesce(scopes.reads, 'parts') as reads
    from budgets
    left join violations
        on budgets.slo = violations.slo
        and budgets.region = violations.region
        and budgets.service = violations.service
        and coalesce(budgets.route, '') = coalesce(violations.route, '')
    left join alerts
        on budgets.slo = alerts.slo
        and budgets.region = alerts.region
        and budgets.service = alerts.service
        and coalesce(budgets.route, '') = coalesce(alerts.route, '')
    left join slo_scopes as scopes on budgets.slo = scopes.slo
    where budgets.newest = 1
)

select
    slo,
    type,
    region,
    service,
    route,
    status,
    severity,
    objective,
    compliance,
    coverage,
    period,
    period_start,
    period_end,
    events,
    bad_events,
    budget_events,
    consumed,
    remaining,
    exhausted_in_seconds,
    violations,
    violated_seconds,
    pages,
    tickets,
    raw_compliance,
    raw_consumed,
    raw_violations,
    corrected_seconds,
    reads
from final
