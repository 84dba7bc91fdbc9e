-- title: Intervals of the window in which drift checks found anything
-- grain: one row per season, and -1 for all
-- materialized: once
-- audit: `slots` is a series that has each interval of the season
with
-- Whatever a service sampled is in the sums of all regions, but for what is configured.
sampled as (
    select series_marks(series) as marks
    from place_series
    where side = 'current' and region = 'all'
    union all
    select series_marks(services.series) as marks
    from service_series as services
    join settings_drift as checks on services.name = checks.name
    where services.side = 'current' and checks.category = 'configuration'
    union all
    select series_marks(series) as marks
    from request_series
    where side = 'current'
),

marked as (
    select series_sum(marks) as slots
    from sampled
),

points as (
    select unnest(series_points(slots)) as point
    from marked
),

seen as (
    select point['slot'] as slot from points
),

seasons as (
    select
        -1 as season,
        slot
    from seen
    union all
    select
        case evidence.season
            when 'hour_of_day'
                then (cast($from as bigint) / 1000000 + seen.slot * $interval_seconds) / 3600 % 24
            else ((cast($from as bigint) / 1000000 + seen.slot * $interval_seconds) / 3600 + 96)
                % 168
        end as season,
        seen.slot as slot
    from settings_drift_evidence as evidence
    cross join seen
    where evidence.season <> 'none'
),

final as (
    select season, interval_series(slot, 1.0) as slots
    from seasons
    group by season
)

select season, slots
from final
