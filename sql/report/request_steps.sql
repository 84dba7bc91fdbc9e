-- title: Requests in steps that suit a chart
-- grain: one row per step and region of the window, with or without data, and `all` for all regions
-- materialized: run
-- audit: a step without requests has NULL in every figure, so that a line over it has a gap
-- audit: steps follow each other from $from: 5 minutes each for windows up to 8 hours, 15 minutes up
--   to 2 days, an hour up to 8 days, else 6 hours; up to 200 of them for windows up to 50 days
with
lengths as (
    select
        case
            when (cast($to as bigint) - cast($from as bigint)) / 3600000000 <= 8 then 300000000
            when (cast($to as bigint) - cast($from as bigint)) / 3600000000 <= 48 then 900000000
            when (cast($to as bigint) - cast($from as bigint)) / 3600000000 <= 192 then 3600000000
            else 21600000000
        end as step
),

requests_in_window as (
    select
        (cast(requests.slot as bigint) - cast($from as bigint)) / lengths.step as position,
        requests.region as region,
        requests.requests as requests,
        requests.errors as errors,
        requests.latency as latency
    from service_slots as requests
    cross join lengths
    where requests.slot >= $from and requests.slot < $to
),

by_region as (
    select
        position,
        region,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_in_window
    group by position, region
),

over_all as (
    select
        position,
        'all' as region,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from by_region
    group by position
),

observed as (
    select position, region, requests, errors, latency from by_region
    union all
    select position, region, requests, errors, latency from over_all
),

grid as (
    select
        places.region as region,
        lengths.step as step,
        unnest(
            range(
                0,
                (cast($to as bigint) - cast($from as bigint) + lengths.step - 1) / lengths.step
            )
        ) as position
    from (select distinct region from observed) as places
    cross join lengths
),

final as (
    select
        arrow_cast(
            cast($from as bigint) + grid.position * grid.step,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as time,
        grid.region as region,
        observed.requests as requests,
        observed.errors as errors,
        observed.errors / nullif(cast(observed.requests as double), 0) as error_rate,
        sketch_quantile(observed.latency, 0.50) as p50_ms,
        sketch_quantile(observed.latency, 0.95) as p95_ms,
        sketch_quantile(observed.latency, 0.99) as p99_ms
    from grid
    left join observed on grid.region = observed.region and grid.position = observed.position
)

select
    time,
    region,
    requests,
    errors,
    error_rate,
    p50_ms,
    p95_ms,
    p99_ms
from final
