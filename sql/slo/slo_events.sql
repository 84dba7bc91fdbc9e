-- title: Good and bad events of each SLO and composite, in the period whose budget they cost
-- grain: one row per series and slot of five minutes that holds events; for budgets of time slices
--   one row per slot in which measured windows begin
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
        parts.part as part,
        max(parts.weight) as weight,
        parts.region as region,
        cast(parts.slot as bigint) + parts.place * 300000000 as slot,
        sum(parts.good) / cast(sum(parts.total) as double) as share,
        bool_or(parts.is_corrected) as is_corrected
    from (
        select
            composites.name as name,
            composites.part as part,
            composites.weight as weight,
            series.region as region,
            events.slot as slot,
            events.good as good,
            events.total as total,
            events.is_corrected as is_corrected,
            unnest(range(0, greatest(events.seconds / 300, 1))) as place
        from settings_composites as composites
        join slo_series as series on composites.part = series.slo
        join slo_part_events as events on series.series = events.series
    ) as parts
    group by 1, 2, 4, 5
),

composite_slots as (
    select
        series.series as series,
        arrow_cast(part_slots.slot, 'Timestamp(Microsecond, Some("UTC"))') as slot,
        300 as seconds,
        cast(
            round(
                exact_sum(part_slots.weight * part_slots.share) / exact_sum(part_slots.weight)
                * 1000000.0
            ) as bigint
        ) as good,
        1000000 as total,
        bool_or(part_slots.is_corrected) as is_corrected
    from slo_series as series
    join part_slots on series.slo = part_slots.name and series.region = part_slots.region
    where series.stream is null and part_slots.slot < cast($to as bigint)
    group by series.series, part_slots.slot
),

all_events as (
    select series, slot, seconds, good, total, is_corrected
    from slo_part_events
    union all
    select series, slot, seconds, good, total, is_corrected
    from composite_slots
),

placed as (
    select
        all_events.*,
        series.slo as slo,
        series.region as region,
        series.service as service,
        series.route as route,
        case when objectives.rolling_seconds is null then objectives.period end as period,
        objectives.time_zone as time_zone,
        objectives.rolling_seconds * 1000000 as rolling,
        -- How many whole rolling periods lie between the slot and the end.
        (cast($to as bigint) - 1 - cast(all_events.slot as bigint))
            / (objectives.rolling_seconds * 1000000) as periods_ago
    from slo_objectives as objectives
    join slo_series as series on objectives.name = series.slo
    join all_events on series.series = all_events.series
),

final as (
    select
        placed.series as series,
        placed.slo as slo,
        placed.region as region,
        placed.service as service,
        placed.route as route,
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
    route,
    slot,
    seconds,
    good,
    bad,
    total,
    period_start,
    period_end,
    is_corrected,
    series
from final
