-- title: Everything that has an error budget: SLOs and composites of them
-- grain: one row per SLO or composite
-- materialized: view
with
composites as (
    select
        name,
        max(objective) as objective,
        max(period) as period,
        max(period_seconds) as period_seconds,
        max(rolling_seconds) as rolling_seconds,
        max(time_zone) as time_zone
    from settings_composites
    group by name
),

final as (
    select
        name, type, objective, budgeting, period, period_seconds, rolling_seconds, time_zone
    from settings_slos
    union all
    select
        name,
        'composite' as type,
        objective,
        'ratio_timeslices' as budgeting,
        period,
        period_seconds,
        rolling_seconds,
        time_zone
    from composites
)

select name, type, objective, budgeting, period, period_seconds, rolling_seconds, time_zone
from final
