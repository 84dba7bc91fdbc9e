-- title: Requests and calls by interval
-- grain: one row per side, interval, kind, region (and `all`) and service (and `all`) that has any
-- materialized: once
-- audit: `side` is `current` for the window and `baseline` for what it is compared with; intervals
--   of $interval_seconds count from 0 at the start of their side
-- audit: `kind` is `requests`, or what client spans call: `database`, or `external` APIs
with
-- The windows may overlap (a baseline can be the first hours of the window), so a row may belong to
-- both sides.
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
    -- A baseline that is kept is not computed again.
    where side = 'current' or $baseline_name = ''
),

requests_by_side as (
    select
        sides.side as side,
        'requests' as kind,
        (cast(requests.slot as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        requests.region as region,
        requests.service as service,
        requests.requests as requests,
        requests.errors as errors,
        requests.latency as latency
    from service_slots as requests
    join sides on requests.slot >= sides.since and requests.slot < sides.until
),

calls_by_side as (
    select
        sides.side as side,
        calls.target as kind,
        (cast(calls.slot as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        calls.region as region,
        calls.service as service,
        calls.calls as calls,
        calls.latency as latency
    from call_slots as calls
    join sides on calls.slot >= sides.since and calls.slot < sides.until
),

parts as (
    select side, kind, slot, region, service, requests, errors, latency from requests_by_side
    union all
    select
        side,
        kind,
        slot,
        region,
        service,
        sum(calls) as requests,
        0 as errors,
        sketch_merge(latency) as latency
    from calls_by_side
    group by side, kind, slot, region, service
),

final as (
    select
        side,
        kind,
        slot,
        coalesce(region, 'all') as region,
        coalesce(service, 'all') as service,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from parts
    group by
        grouping sets (
            (side, kind, slot, region, service),
            (side, kind, slot, region),
            (side, kind, slot)
        )
)

select side, kind, slot, region, service, requests, errors, latency
from final
