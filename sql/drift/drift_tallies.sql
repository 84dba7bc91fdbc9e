-- title: Drift checks by interval, category and outcome
-- grain: one row per interval, category and status that has any; without data the status is NULL
-- materialized: view
with
found as (
    select
        check_number,
        category,
        status,
        count(*) as checks,
        sum(case when is_recorded then 0 else 1 end) as compared
    from drift_found
    group by check_number, category, status
),

compared as (
    select check_number, category, sum(compared) as checks
    from found
    group by check_number, category
),

measured as (
    select slot + 1 as check_number, category, measured, unmeasured
    from drift_measured
),

final as (
    select check_number, category, status, checks
    from found
    union all
    select
        measured.check_number as check_number,
        measured.category as category,
        'ok' as status,
        measured.measured - coalesce(compared.checks, 0) as checks
    from measured
    left join compared
        on measured.check_number = compared.check_number and measured.category = compared.category
    union all
    select check_number, category, null as status, unmeasured as checks
    from measured
)

select check_number, category, arrow_cast(status, 'Utf8') as status, checks
from final
where checks > 0
