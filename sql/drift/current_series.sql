-- title: What drift checks measure of metrics and rewards in the window, packed
-- grain: one row per season, region, service and check name that was sampled
-- materialized: once
-- audit: slots as in request_intervals; `series` holds every interval with its samples
-- audit: what follows the load of the day has a row for each season; all else has season -1
with
placed as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000) as slot,
        cycle_hours,
        shift_hours,
        region,
        service,
        name,
        value,
        unit
    from drift_samples
    where timestamp >= $from and timestamp < $to
),

final as (
    select
        case
            when cycle_hours = 0 then -1
            else (
                (cast($from as bigint) / 1000000 + slot * $interval_seconds) / 3600 + shift_hours
            ) % cycle_hours
        end as season,
        region,
        service,
        name,
        max(unit) as unit,
        interval_series(slot, value) as series
    from placed
    group by 1, 2, 3, 4
)

select season, region, service, name, unit, series
from final
