-- title: Where each SLO stands
-- grain: one row per SLO, region and service, for the newest period that holds events; one row
--   without region and service for an SLO that nothing was measured for
-- materialized: view
-- audit: severity is the worst of the violations in the window (not of anomalies, nor of those that
--   rest on too few requests) and NULL without any
with
budgets as (
    select
        *,
        row_number() over (
            partition by slo, region, service order by period_start desc nulls last
        ) as newest
    from slo_budgets
),

violations as (
    select
        slo,
        region,
        service,
        count(*) as violations,
        max(severity_rank) as severity_rank,
        sum(duration_seconds) as violated_seconds
    from slo_episodes
    where kind = 'violation'
    group by slo, region, service
),

alerts as (
    select
        slo,
        region,
        service,
        sum(case when action = 'page' then 1 else 0 end) as pages,
        sum(case when action = 'ticket' then 1 else 0 end) as tickets
    from slo_alerts
    group by slo, region, service
),

final as (
    select
        budgets.*,
        coalesce(violations.violations, 0) as violations,
        coalesce(violations.violated_seconds, 0) as violated_seconds,
        case violations.severity_rank
            when 4 then 'critical' when 3 then 'error' when 2 then 'warning' when 1 then 'info'
        end as severity,
        coalesce(alerts.pages, 0) as pages,
        coalesce(alerts.tickets, 0) as tickets
    from budgets
    left join violations
        on budgets.slo = violations.slo
        and budgets.region = violations.region
        and budgets.service = violations.service
    left join alerts
        on budgets.slo = alerts.slo
        and budgets.region = alerts.region
        and budgets.service = alerts.service
    where budgets.newest = 1
)

select
    slo,
    type,
    region,
    service,
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
    corrected_seconds
from final
