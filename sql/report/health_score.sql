-- title: Health score
-- grain: one row
-- materialized: view
-- audit: NULL when nothing at all was measured: that is not a healthy system
with
bounds as (
    select
        max(case when item = 'start' then amount end) as start_points,
        max(case when item = 'floor' then amount end) as floor_points
    from settings_health
),

deducted as (
    select
        coalesce(exact_sum(points), 0.0) as points,
        count(points) as measured_items
    from health_deductions
),

final as (
    select
        case
            when deducted.measured_items > 0
                then greatest(bounds.floor_points, bounds.start_points - deducted.points)
        end as score,
        bounds.start_points as start_points,
        deducted.points as deducted_points,
        deducted.measured_items > 0 as is_measured
    from bounds
    cross join deducted
)

select score, start_points, deducted_points, is_measured
from final
