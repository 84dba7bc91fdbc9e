-- title: Key figures of every region, interval by interval
-- grain: one row per interval and region that the settings list or that served a request in the
--   window, and `all`
-- materialized: view
-- audit: a region without requests in an interval has NULL in every figure but the count, which is
--   NULL as well when no region served any
-- audit: deltas are those from the primary in the same interval, as region_kpis names it
with
known as (
    select region, is_primary
    from region_kpis
    union all
    select 'all' as region, false as is_primary
),

slots as (
    select i as slot
    from generate_series(
        0,
        (cast($to as bigint) - cast($from as bigint) - 1) / ($interval_seconds * 1000000)
    ) as listed (i)
),

served as (
    select slot, region, requests, errors, latency
    from request_intervals
    where side = 'current' and kind = 'requests' and service = 'all'
),

totals as (
    select slot, requests
    from served
    where region = 'all'
),

figures as (
    select
        slots.slot as slot,
        known.region as region,
        known.is_primary as is_primary,
        -- Silence of one region is 0; silence of all is not known from nothing being recorded.
        case when totals.requests > 0 then coalesce(served.requests, 0) end as requests,
        served.errors as errors,
        served.errors / nullif(cast(served.requests as double), 0.0) as error_rate,
        (served.requests - served.errors) / nullif(cast(served.requests as double), 0.0)
            as availability,
        sketch_quantile(served.latency, 0.50) as p50_ms,
        sketch_quantile(served.latency, 0.95) as p95_ms,
        sketch_quantile(served.latency, 0.99) as p99_ms,
        coalesce(served.requests, 0) / nullif(cast(totals.requests as double), 0.0)
            as request_share
    from slots
    cross join known
    left join served on slots.slot = served.slot and known.region = served.region
    left join totals on slots.slot = totals.slot
),

primaries as (
    select slot, availability, error_rate, p95_ms, requests
    from figures
    where is_primary
),

final as (
    select
        figures.*,
        figures.availability - primaries.availability as availability_delta,
        figures.error_rate - primaries.error_rate as error_rate_delta,
        figures.p95_ms - primaries.p95_ms as p95_ms_delta,
        figures.requests - primaries.requests as requests_delta
    from figures
    left join primaries on figures.slot = primaries.slot
)

select
    slot,
    region,
    is_primary,
    requests,
    errors,
    error_rate,
    availability,
    p50_ms,
    p95_ms,
    p99_ms,
    request_share,
    availability_delta,
    error_rate_delta,
    p95_ms_delta,
    requests_delta
from final
