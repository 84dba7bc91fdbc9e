-- title: Good and bad events of each SLO
-- grain: one row per SLO, region, service and slot of five minutes that holds events; for budgets
--   of time slices one row per measured window, in the slot in which it begins
-- materialized: view
-- audit: events are counted in millionths, so that the shares of ratio_timeslices add up exactly;
--   good and bad make the total
-- audit: rolling periods lie back to back and end with $to; those of the calendar begin at
--   midnight of the SLO's time zone
-- audit: is_corrected marks slots that begin within a correction for their SLO, region and service
with
slos as (
    select
        name,
        type,
        target,
        region,
        service,
        route,
        window_seconds,
        budgeting,
        period,
        rolling_seconds,
        time_zone
    from settings_slos
),

-- SLOs that look at the same requests share one pass over them.
scopes as (
    select
        region,
        service,
        route,
        max(case when type = 'latency' then 1 else 0 end) as reads_latency
    from slos
    where budgeting = 'occurrences' and type <> 'evaluation_success'
    group by region, service, route
),

request_slots as (
    select
        scopes.region as only_region,
        scopes.service as only_service,
        scopes.route as only_route,
        requests.region as region,
        requests.service as service,
        arrow_cast(
            cast(requests.minute as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        sum(requests.requests) as requests,
        sum(requests.errors) as errors,
        sum(requests.durations) as durations,
        sketch_merge(case when scopes.reads_latency = 1 then requests.latency end) as latency
    from scopes
    join request_minutes as requests
        on coalesce(scopes.region, requests.region) = requests.region
        and coalesce(scopes.service, requests.service) = requests.service
        and (scopes.route is null or scopes.route = requests.route)
    where requests.minute >= $from
    group by 1, 2, 3, 4, 5, 6
),

request_events as (
    select
        slos.name as slo,
        request_slots.region as region,
        request_slots.service as service,
        request_slots.slot as slot,
        300 as seconds,
        case
            when slos.type = 'latency'
                then cast(
                    round(
                        sketch_share_below(request_slots.latency, slos.target)
                        * request_slots.durations
                    ) as bigint
                )
            else request_slots.requests - request_slots.errors
        end * 1000000 as good,
        case
            when slos.type = 'latency' then request_slots.durations
            else request_slots.requests
        end * 1000000 as total
    from slos
    join request_slots
        on (slos.region is not distinct from request_slots.only_region)
        and (slos.service is not distinct from request_slots.only_service)
        and (slos.route is not distinct from request_slots.only_route)
    where slos.budgeting = 'occurrences' and slos.type <> 'evaluation_success'
),

evaluation_events as (
    select
        slos.name as slo,
        evaluations.region as region,
        coalesce(evaluations.service, 'unknown') as service,
        arrow_cast(
            cast(evaluations.timestamp as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        300 as seconds,
        sum(case when evaluations.status = 'success' then 1000000 else 0 end) as good,
        count(*) * 1000000 as total
    from slos
    join evaluations
        on coalesce(slos.region, evaluations.region) = evaluations.region
        and (slos.service is null or slos.service = evaluations.service)
    where
        slos.budgeting = 'occurrences'
        and slos.type = 'evaluation_success'
        and evaluations.status is not null
        and evaluations.timestamp >= $from
        and evaluations.timestamp < $to
    group by 1, 2, 3, 4
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

-- Slices of a minute share a slot.
slice_events as (
    select
        slo,
        region,
        service,
        slot,
        sum(seconds) as seconds,
        sum(good) as good,
        sum(total) as total
    from slices
    group by slo, region, service, slot
),

events as (
    select slo, region, service, slot, seconds, good, total from request_events
    union all
    select slo, region, service, slot, seconds, good, total from evaluation_events
    union all
    select slo, region, service, slot, seconds, good, total from slice_events
),

-- An event that several corrections cover is still one event.
marked as (
    select
        events.slo as slo,
        events.region as region,
        events.service as service,
        events.slot as slot,
        max(events.seconds) as seconds,
        max(events.good) as good,
        max(events.total) as total,
        max(case when corrections.name is null then 0 else 1 end) = 1 as is_corrected
    from events
    left join settings_corrections as corrections
        on coalesce(corrections.slo, events.slo) = events.slo
        and coalesce(corrections.region, events.region) = events.region
        and coalesce(corrections.service, events.service) = events.service
        and events.slot >= corrections.from_time
        and events.slot < corrections.to_time
    group by events.slo, events.region, events.service, events.slot
),

placed as (
    select
        marked.*,
        case when slos.rolling_seconds is null then slos.period end as period,
        slos.time_zone as time_zone,
        slos.rolling_seconds * 1000000 as rolling,
        -- How many whole rolling periods lie between the slot and the end.
        (cast($to as bigint) - 1 - cast(marked.slot as bigint)) / (slos.rolling_seconds * 1000000)
            as periods_ago
    from marked
    join slos on marked.slo = slos.name
    where marked.total > 0
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
