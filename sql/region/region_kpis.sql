-- title: Key figures by region
-- grain: one row per region that the settings list or that served a request in the window
-- materialized: run
-- audit: a region without requests has NULL in every figure; it is neither 0 % nor 100 % available
with
requests_in_window as (
    select region, requests, errors, latency
    from service_slots
    where slot >= $from and slot < $to
),

-- Rates divide by the minutes in which the lake holds any request at all: a stretch that nobody
-- recorded is unmeasured, whereas a region that is silent while others are not has no load.
measured as (
    select count(distinct minute) * 60 as seconds
    from measured_minutes
    where minute >= $from and minute < $to
),

totals as (
    select sum(requests) as requests
    from requests_in_window
),

served as (
    select
        region,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_in_window
    group by region
),

known as (
    select
        coalesce(listed.region, served.region) as region,
        coalesce(listed.is_primary, false) as is_listed_primary,
        served.requests as requests,
        served.errors as errors,
        served.latency as latency
    from settings_regions as listed
    full outer join served on listed.region = served.region
),

-- The primary is the one the settings name; without requests there, the busiest region stands in.
ranked as (
    select
        region,
        is_listed_primary,
        requests,
        errors,
        latency,
        row_number() over (
            order by
                coalesce(requests, 0) > 0 and is_listed_primary desc,
                coalesce(requests, 0) desc,
                is_listed_primary desc,
                region
        ) as place
    from known
),

final as (
    select
        region,
        place = 1 and (requests > 0 or is_listed_primary) as is_primary,
        case
            when place = 1 and is_listed_primary then 'settings'
            when place = 1 and requests > 0 then 'most requests'
        end as primary_by,
        requests,
        errors,
        errors / nullif(cast(requests as double), 0) as error_rate,
        (requests - errors) / nullif(cast(requests as double), 0) as availability,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms,
        requests / nullif(cast((select requests from totals) as double), 0) as request_share,
        requests / nullif(cast((select seconds from measured) as double), 0) as requests_per_second
    from ranked
)

select
    region,
    is_primary,
    primary_by,
    requests,
    errors,
    error_rate,
    availability,
    p50_ms,
    p95_ms,
    p99_ms,
    request_share,
    requests_per_second
from final
