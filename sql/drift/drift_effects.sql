-- title: Drifts with the SLOs that were violated beside them
-- grain: one row per drift of one interval
-- materialized: once
-- audit: `slo_violations` counts the SLOs that the same region and service violated in the same
--   interval; it is what drifts are ranked by before their size
with
drifts as (
    select *
    from drift_found
),

spans as (
    select
        slo,
        region,
        coalesce(service, 'unknown') as of_service,
        generate_series(
            greatest(cast(window_start as bigint) - cast($from as bigint), 0)
                / ($interval_seconds * 1000000),
            (least(cast(window_end as bigint), cast($to as bigint)) - cast($from as bigint) - 1)
                / ($interval_seconds * 1000000)
        ) as slots
    from slo_violations
    where kind <> 'adaptive'
),

violated as (
    select slo, region, of_service, unnest(slots) as slot
    from spans
),

-- An SLO counts once at a place, however many of its series violate it there. Counting what is
-- distinct already takes no set of names for each place and interval.
places as (
    select distinct
        slot,
        coalesce(region, 'all') as region,
        coalesce(service, 'all') as service,
        slo
    from (
        select slot, region, of_service as service, slo
        from violated
        group by
            grouping sets (
                (slot, region, of_service, slo), (slot, region, slo), (slot, slo)
            )
    ) as levels
),

counted as (
    select slot, region, service, count(*) as slo_violations
    from places
    group by slot, region, service
),

final as (
    select
        drifts.*,
        coalesce(counted.slo_violations, 0) as slo_violations
    from drifts
    left join counted
        on drifts.check_number - 1 = counted.slot
        and drifts.region = counted.region
        and drifts.service = counted.service
)

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
    threshold_percent,
    status,
    p_value,
    unit,
    reason,
    slo_violations
from final
