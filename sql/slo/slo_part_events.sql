-- title: Good and bad events of each SLO, without composites
-- grain: one row per SLO, region, service and slot of five minutes that holds events; for budgets
--   of time slices one row per slot in which measured windows begin
-- materialized: view
-- audit: events are counted in millionths, so that the shares of ratio_timeslices add up exactly
-- audit: is_corrected marks slots that begin within a correction for their SLO, region and service
with
slos as (
    select
        name,
        type,
        target,
        window_seconds,
        budgeting
    from settings_slos
),

counted as (
    select
        slos.name as slo,
        slots.region as region,
        slots.service as service,
        arrow_cast(
            cast(slots.slot as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        300 as seconds,
        false as is_slice,
        case
            when slos.type = 'latency'
                then cast(
                    round(sketch_share_below(slots.latency, slos.target) * slots.durations)
                    as bigint
                )
            else slots.requests - slots.errors
        end * 1000000 as good,
        case
            when slos.type = 'latency' then slots.durations
            else slots.requests
        end * 1000000 as total
    from slos
    join slo_scopes as scopes on slos.name = scopes.slo
    join slo_slots as slots on scopes.scope = slots.scope
    where slos.budgeting = 'occurrences' and slots.slot is not null
),

slices as (
    select
        slos.name as slo,
        windows.region as region,
        windows.service as service,
        arrow_cast(
            cast(windows.window_start as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        slos.window_seconds as seconds,
        true as is_slice,
        case
            when slos.budgeting = 'ratio_timeslices'
                then cast(round(windows.good_share * 1000000.0) as bigint)
            when windows.is_met then 1000000
            else 0
        end as good,
        1000000 as total
    from slos
    join slo_windows as windows on slos.name = windows.slo
    where slos.budgeting <> 'occurrences' and windows.observed is not null
),

-- Buckets and slices of a minute share a slot.
events as (
    select
        slo,
        region,
        service,
        slot,
        case when bool_or(is_slice) then sum(seconds) else 300 end as seconds,
        sum(good) as good,
        sum(total) as total
    from (select * from counted union all select * from slices)
    where total > 0
    group by slo, region, service, slot
),

final as (
    select
        events.slo as slo,
        events.region as region,
        events.service as service,
        events.slot as slot,
        events.seconds as seconds,
        events.good as good,
        events.total as total,
        case
            when maintenance.scopes is null then false
            else array_has_any(
                maintenance.scopes,
                make_array(
                    concat_ws(chr(31), events.slo, events.region, events.service),
                    concat_ws(chr(31), events.slo, events.region, '*'),
                    concat_ws(chr(31), events.slo, '*', events.service),
                    concat_ws(chr(31), events.slo, '*', '*'),
                    concat_ws(chr(31), '*', events.region, events.service),
                    concat_ws(chr(31), '*', events.region, '*'),
                    concat_ws(chr(31), '*', '*', events.service),
                    concat_ws(chr(31), '*', '*', '*')
                )
            )
        end as is_corrected
    from events
    left join slo_maintenance as maintenance on events.slot = maintenance.minute
)

select slo, region, service, slot, seconds, good, total, is_corrected
from final
