-- title: How much drift checks had to compare, interval by interval
-- grain: one row per interval of the window in which anything was measured, and category
-- materialized: once
-- audit: `measured` checks have data on both sides, `unmeasured` ones on one or none; recorded
--   changes are not among them
with
pairs as (
    select season, region, service, name, category, baseline_value
    from drift_pairs
),

marked as (
    select
        pairs.category as category,
        series_sum(series_marks(series.series)) as marks
    from drift_series as series
    join pairs
        on series.season = pairs.season
        and series.region = pairs.region
        and series.service = pairs.service
        and series.name = pairs.name
    where series.side = 'current' and pairs.baseline_value is not null
    group by pairs.category
),

marks as (
    select category, unnest(series_points(marks)) as mark
    from marked
),

distances as (
    select
        slot,
        category,
        sum(case when size_status is not null then 1 else 0 end) as checks,
        count(*) as series
    from drift_statistics
    group by slot, category
),

measured as (
    select mark['slot'] as slot, category, mark['samples'] as checks
    from marks
),

categories as (
    select category, count(*) as series
    from (
        select distinct region, service, name, category from pairs
    ) as places
    group by category
),

slots as (
    select point['slot'] as slot
    from (
        select unnest(series_points(slots)) as point from drift_slots where season = -1
    ) as points
),

final as (
    select
        slots.slot as slot,
        categories.category as category,
        coalesce(measured.checks, 0) + coalesce(distances.checks, 0) as measured,
        categories.series - coalesce(measured.checks, 0)
            + coalesce(distances.series - distances.checks, 0) as unmeasured
    from slots
    cross join categories
    left join measured
        on slots.slot = measured.slot and categories.category = measured.category
    left join distances
        on slots.slot = distances.slot and categories.category = distances.category
)

select slot, category, measured, unmeasured
from final
