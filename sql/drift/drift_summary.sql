-- title: Drift checks by category and outcome
-- grain: one row per category of the settings
-- materialized: view
with
checks as (
    select category, status
    from drift_checks
),

final as (
    select
        category,
        count(*) as checks,
        sum(case when status = 'ok' then 1 else 0 end) as ok,
        sum(case when status = 'warning' then 1 else 0 end) as warning,
        sum(case when status = 'critical' then 1 else 0 end) as critical,
        sum(case when status is null then 1 else 0 end) as no_data
    from checks
    group by category
)

select category, checks, ok, warning, critical, no_data
from final
