-- title: Drift as episodes: what drifted, where, since when
-- grain: one row per stretch of drifted checks of a region, service and check name in one direction;
--   up to two checks between them may be ok
-- materialized: view
-- audit: `narrower` counts the episodes of the same name at a narrower place that overlap it: a
--   region beside its services, all regions beside theirs
-- audit: `position` ranks them: those that nothing narrower explains first, then by status, SLOs
--   violated beside them, checks, and size; `ongoing` are those that last to the end of the window
with
drifts as (
    select
        check_number,
        interval_start,
        timestamp,
        region,
        service,
        name,
        category,
        baseline_value,
        current_value,
        drift_percent,
        status,
        unit,
        slo_violations,
        coalesce(signum(current_value - baseline_value), 0.0) as direction
    from drift_effects
),

marked as (
    select
        *,
        case
            when
                check_number - lag(check_number) over (
                    partition by region, service, name, direction order by check_number
                ) <= 3
                then 0
            else 1
        end as begins
    from drifts
),

numbered as (
    select
        *,
        sum(begins) over (
            partition by region, service, name, direction
            order by check_number
            rows between unbounded preceding and current row
        ) as episode
    from marked
),

episodes as (
    select
        region,
        service,
        name,
        category,
        direction,
        min(interval_start) as started,
        max(timestamp) as ended,
        count(*) as checks,
        min(status) as status,
        max(slo_violations) as slo_violations,
        first_value(baseline_value order by abs(drift_percent) desc nulls first, check_number)
            as baseline_value,
        first_value(current_value order by abs(drift_percent) desc nulls first, check_number)
            as current_value,
        first_value(drift_percent order by abs(drift_percent) desc nulls first, check_number)
            as drift_percent,
        max(unit) as unit
    from numbered
    group by region, service, name, category, direction, episode
),

covered as (
    select
        wide.region as region,
        wide.service as service,
        wide.name as name,
        wide.direction as direction,
        wide.started as started,
        count(*) as narrower
    from episodes as wide
    join episodes as narrow
        on wide.name = narrow.name
        and wide.direction = narrow.direction
        and wide.started < narrow.ended
        and narrow.started < wide.ended
    where
        wide.service = 'all'
        and (wide.region = narrow.region and narrow.service <> 'all'
            or wide.region = 'all' and narrow.region <> 'all')
    group by wide.region, wide.service, wide.name, wide.direction, wide.started
),

final as (
    select
        episodes.*,
        coalesce(covered.narrower, 0) as narrower,
        episodes.ended >= $to as ongoing
    from episodes
    left join covered
        on episodes.region = covered.region
        and episodes.service = covered.service
        and episodes.name = covered.name
        and episodes.direction = covered.direction
        and episodes.started = covered.started
)

select
    row_number() over (
        order by
            narrower > 0,
            status,
            slo_violations desc,
            checks desc,
            abs(drift_percent) desc nulls first,
            started,
            region,
            service,
            name,
            direction
    ) as position,
    started,
    ended,
    ongoing,
    region,
    service,
    name,
    category,
    status,
    baseline_value,
    current_value,
    drift_percent,
    unit,
    checks,
    slo_violations,
    narrower
from final
