-- title: Direction of the error rate over the window
-- grain: one row
-- materialized: view
-- audit: NULL when fewer than three hours were measured
with
hours as (
    select hour, error_rate
    from hourly_requests
    where error_rate is not null
),

-- Theil-Sen: the median of the slopes between all pairs of hours. One bad hour does not tilt it, as
-- it would a least-squares line.
slopes as (
    select theil_sen_slope(error_rate order by hour) as per_second
    from hours
),

extent as (
    select count(*) as hours, min(error_rate) as lowest, max(error_rate) as highest
    from hours
),

worst as (
    select hour as worst_hour
    from hours
    order by error_rate desc, hour
    limit 1
),

final as (
    select
        extent.hours as hours,
        case when extent.hours >= 3 then slopes.per_second * 3600 end as slope_per_hour,
        extent.lowest as lowest,
        extent.highest as highest,
        worst.worst_hour as worst_hour
    from extent
    cross join slopes
    left join worst on true
)

select hours, slope_per_hour, lowest, highest, worst_hour
from final
