-- title: Requests and calls over the intervals that are judged together
-- grain: one row per side, interval in which anything was served, kind, region (and `all`) and
--   service (and `all`) that was ever served
-- materialized: once
-- audit: `side`, `kind` and `slot` as in request_intervals
-- audit: requests of a place with little traffic are counted over the trailing intervals that hold
--   `min_events` of them on average (at most `max_pooled`), on both sides alike, so that a spread of
--   the baseline is one of figures made in the same way; `seconds` is how long they last
-- audit: requests count 0 in an interval in which other regions or services served some, so that
--   silence shows as a request rate of 0
with
requests as (
    select side, kind, slot, region, service, requests, errors, latency
    from request_intervals
),

-- Every interval in which anything was served.
served_slots as (
    select distinct side, kind, slot
    from requests
    where region = 'all'
),

served as (
    select kind, cast(count(*) as double) as intervals
    from served_slots
    group by kind
),

-- How many intervals of a place are judged together.
places as (
    select
        requests.kind as kind,
        requests.region as region,
        requests.service as service,
        cast(
            greatest(
                least(
                    ceil(
                        max(evidence.min_events)
                            / (cast(sum(requests.requests) as double) / max(served.intervals))
                    ),
                    max(evidence.max_pooled)
                ),
                1
            ) as bigint
        ) as width
    from settings_drift_evidence as evidence
    cross join requests
    join served on requests.kind = served.kind
    group by requests.kind, requests.region, requests.service
),

-- Every place that was ever served in every such interval.
served_rows as (
    select
        slots.side as side,
        slots.kind as kind,
        slots.slot as slot,
        places.region as region,
        places.service as service,
        places.width as width,
        coalesce(requests.requests, 0) as requests,
        coalesce(requests.errors, 0) as errors,
        requests.latency as latency
    from served_slots as slots
    join places on slots.kind = places.kind
    left join requests
        on slots.side = requests.side
        and slots.kind = requests.kind
        and slots.slot = requests.slot
        and places.region = requests.region
        and places.service = requests.service
),

final as (
    select
        side,
        kind,
        slot,
        region,
        service,
        trailing_sum(requests, slot, width) over place as requests,
        trailing_sum(errors, slot, width) over place as errors,
        trailing_sum(1, slot, width) over place * $interval_seconds as seconds,
        trailing_sketch(latency, slot, width) over place as latency
    from served_rows
    window place as (partition by side, kind, region, service order by slot)
)

select side, kind, slot, region, service, requests, errors, seconds, latency
from final
