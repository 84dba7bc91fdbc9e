-- title: Good and bad events of each SLO and composite, in the period whose budget they cost
-- grain: one row per SLO, region, service and slot of five minutes that holds events; for budgets
--   of time slices one row per slot in which measured windows begin
-- materialized: view
-- audit: events are counted in millionths; good and bad make the total
-- audit: a composite counts one event per region and slot, as good as the weighted mean of those
--   of its parts that hold events, each over all its services (its service is `all`); a slot in
--   which a correction covers a part is corrected
-- audit: rolling periods lie back to back and end with $to; those of the calendar begin at
--   midnight of the SLO's time zone
with
-- A part whose slices are longer than a slot holds for all the slots of the slice.
part_slots as (
    select
        parts.name as name,
        parts.slo as part,
        max(parts.weight) as weight,
        parts.region as region,
        cast(parts.slot as bigint) + parts.place * 300000000 as slot,
        sum(parts.good) / cast(sum(parts.total) as double) as share,
        bool_or(parts.is_corrected) as is_corrected
    from (
        select
            composites.name as name,
            composites.weight as weight,
            events.*,
            unnest(range(0, greatest(events.seconds / 300, 1))) as place
        from settings_composites as composites
        join slo_part_events as events on composites.part = events.slo
    ) as parts
    group by 1, 2, 4, 5
),

composite_slots as (
    select
        name as slo,
        region,
        'all' as service,
        arrow_cast(slot, 'Timestamp(Microsecond, Some("UTC"))') as slot,
        300 as seconds,
        cast(round(exact_sum(weight * share) / exact_sum(weight) * 1000000.0) as bigint) as good,
        1000000 as total,
        bool_or(is_corrected) as is_corrected
    from part_slots
    where slot < cast($to as bigint)
    group by name, region, slot
),

all_events as (
    select slo, region, service, slot, seconds, good, total, is_corrected
    from slo_part_events
    union all
    select slo, region, service, slot, seconds, good, total, is_corrected
    from composite_slots
),

placed as (
    select
        all_events.*,
        case when objectives.rolling_seconds is null then objectives.period end as period,
        objectives.time_zone as time_zone,
        objectives.rolling_seconds * 1000000 as rolling,
        -- How many whole rolling periods lie between the slot and the end.
        (cast($to as bigint) - 1 - cast(all_events.slot as bigint))
            / (objectives.rolling_seconds * 1000000) as periods_ago
    from all_events
    join slo_objectives as objectives on all_events.slo = objectives.name
),

final as (
    select
        placed.slo as slo,
        placed.region as region,
        placed.service as service,
        placed.slot as slot,
        placed.seconds as seconds,
        placed.good as good,
        placed.total - placed.good as bad,
        placed.total as total,
        coalesce(
            period_start(placed.slot, placed.period, placed.time_zone),
            arrow_cast(
                cast($to as bigint) - (placed.periods_ago + 1) * placed.rolling,
                'Timestamp(Microsecond, Some("UTC"))'
            )
        ) as period_start,
        coalesce(
            period_end(placed.slot, placed.period, placed.time_zone),
            arrow_cast(
                cast($to as bigint) - placed.periods_ago * placed.rolling,
                'Timestamp(Microsecond, Some("UTC"))'
            )
        ) as period_end,
        placed.is_corrected as is_corrected
    from placed
)

select
    slo,
    region,
    service,
    slot,
    seconds,
    good,
    bad,
    total,
    period_start,
    period_end,
    is_corrected
from final
