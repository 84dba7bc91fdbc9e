-- title: Error budgets by period
-- grain: one row per series and period that holds events; one row without region and
--   service for an SLO that nothing was measured for
-- materialized: view
-- audit: the budget is (1 - objective) of the events of the period so far; raw figures count every
--   event, the others leave out what a correction covers
-- audit: remaining is negative when more went wrong than the budget allows
-- audit: coverage is the share of the period so far, within the window, that holds events: no data
--   is neither good nor bad
-- audit: exhausted_in_seconds tells how long the rest lasts at the pace of the last day; NULL when
--   nothing went wrong in that day or the period is over
with
slos as (
    select name, type, objective, budgeting, period, time_zone
    from slo_objectives
),

spans as (
    select
        series.slo as slo,
        series.region as region,
        series.service as service,
        series.route as route,
        periods.*,
        (
            cast(least(periods.period_end, $to) as bigint)
            - cast(greatest(periods.period_start, $from) as bigint)
        ) / 1000000 as span_seconds,
        least(
            86400,
            (
                cast($to as bigint)
                - cast(greatest(periods.period_start, periods.first_slot) as bigint)
            ) / 1000000
        ) as recent_seconds
    from slo_series as series
    join slo_periods as periods on series.series = periods.series
),

budgets as (
    select
        slos.name as slo,
        slos.type as type,
        slos.objective as objective,
        slos.budgeting as budgeting,
        slos.period as period,
        slos.time_zone as time_zone,
        spans.region as region,
        spans.service as service,
        spans.route as route,
        spans.period_start as period_start,
        spans.period_end as period_end,
        coalesce(spans.total, 0) / 1000000.0 as events,
        spans.bad / 1000000.0 as bad_events,
        (1.0 - slos.objective) * spans.total / 1000000.0 as budget_events,
        (spans.total - spans.bad) / nullif(cast(spans.total as double), 0.0) as compliance,
        (spans.raw_total - spans.raw_bad) / nullif(cast(spans.raw_total as double), 0.0)
            as raw_compliance,
        (1.0 - slos.objective) * spans.raw_total / 1000000.0 as raw_budget_events,
        spans.raw_bad / 1000000.0 as raw_bad_events,
        spans.corrected_seconds as corrected_seconds,
        case
            when spans.slo is null then 0.0
            else least(spans.seconds / nullif(cast(spans.span_seconds as double), 0.0), 1.0)
        end as coverage,
        spans.period_end >= $to as is_open,
        spans.recent_bad / 1000000.0 / nullif(cast(spans.recent_seconds as double), 0.0) as pace
    from slos
    left join spans on slos.name = spans.slo
),

final as (
    select
        *,
        budget_events - bad_events as remaining_events,
        -- With an objective of 1 there is no budget, and any failure is more than all of it.
        case
            when events = 0.0 then null
            when bad_events = 0.0 then 0.0
            else bad_events / nullif(budget_events, 0.0)
        end as consumed,
        case
            when raw_budget_events is null then null
            when raw_bad_events = 0.0 then 0.0
            else raw_bad_events / nullif(raw_budget_events, 0.0)
        end as raw_consumed,
        case
            when not is_open or events = 0.0 then null
            when budget_events <= bad_events and bad_events > 0.0 then 0.0
            else (budget_events - bad_events) / nullif(pace, 0.0)
        end as exhausted_in_seconds,
        case
            when events = 0.0 then 'no data'
            when bad_events > budget_events then 'missed'
            when bad_events > 0.75 * budget_events then 'at risk'
            else 'met'
        end as status
    from budgets
)

select
    slo,
    type,
    region,
    service,
    route,
    period,
    time_zone,
    period_start,
    period_end,
    objective,
    budgeting,
    status,
    compliance,
    coverage,
    events,
    bad_events,
    budget_events,
    remaining_events,
    consumed,
    1.0 - consumed as remaining,
    exhausted_in_seconds,
    raw_compliance,
    raw_bad_events,
    raw_consumed,
    corrected_seconds,
    is_open
from final
