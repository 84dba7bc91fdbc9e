-- title: What drift checks compare
-- grain: one row per check name, region (and `all`) and side (`current`, `baseline`) that has data
-- materialized: run
with
requests_by_minute as (
    select minute, region, requests, errors, latency
    from request_minutes
),

requests_by_side as (
    select 'current' as side, minute, region, requests, errors, latency
    from requests_by_minute
    where minute >= $from and minute < $to
    union all
    select 'baseline' as side, minute, region, requests, errors, latency
    from requests_by_minute
    where minute >= $baseline_from and minute < $baseline_to
),

-- Rates divide by the minutes in which the lake holds any request, as in region_kpis.
measured as (
    select side, count(distinct minute) * 60 as seconds
    from requests_by_side
    group by side
),

requests_by_place as (
    select side, region, requests, errors, latency
    from requests_by_side
    union all
    select side, 'all' as region, requests, errors, latency
    from requests_by_side
),

requests_total as (
    select
        side,
        region,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests_by_place
    group by side, region
),

request_measures as (
    select
        'api_latency_p50' as name,
        region,
        side,
        sketch_quantile(latency, 0.50) as value,
        'ms' as unit
    from requests_total
    union all
    select
        'api_latency_p95' as name,
        region,
        side,
        sketch_quantile(latency, 0.95) as value,
        'ms' as unit
    from requests_total
    union all
    select
        'api_latency_p99' as name,
        region,
        side,
        sketch_quantile(latency, 0.99) as value,
        'ms' as unit
    from requests_total
    union all
    select
        'error_rate' as name,
        region,
        side,
        errors / nullif(cast(requests as double), 0) as value,
        '1' as unit
    from requests_total
    union all
    select
        'request_rate' as name,
        requests_total.region as region,
        requests_total.side as side,
        requests_total.requests / nullif(cast(measured.seconds as double), 0) as value,
        '/s' as unit
    from requests_total
    join measured on requests_total.side = measured.side
),

database_calls as (
    select timestamp, region, duration_ms
    from client_calls
    where target = 'database'
),

database_calls_by_side as (
    select 'current' as side, region, duration_ms
    from database_calls
    where timestamp >= $from and timestamp < $to
    union all
    select 'baseline' as side, region, duration_ms
    from database_calls
    where timestamp >= $baseline_from and timestamp < $baseline_to
),

database_calls_by_place as (
    select side, region, duration_ms
    from database_calls_by_side
    union all
    select side, 'all' as region, duration_ms
    from database_calls_by_side
),

database_measures as (
    select
        'database_latency_p95' as name,
        region,
        side,
        sketch_quantile(quantile_sketch(duration_ms), 0.95) as value,
        'ms' as unit
    from database_calls_by_place
    group by region, side
),

points as (
    select
        timestamp,
        region,
        service,
        case
            when role = 'database_latency_ms' then 'database_latency_p95'
            else role
        end as name,
        value,
        unit
    from metric_points
    where
        value is not null
        and (
            (timestamp >= $from and timestamp < $to)
            or (timestamp >= $baseline_from and timestamp < $baseline_to)
        )
),

checked_points as (
    select
        points.timestamp as timestamp,
        points.region as region,
        points.service as service,
        points.name as name,
        checks.category as category,
        points.value as value,
        points.unit as unit
    from points
    join settings_drift as checks on points.name = checks.name
),

points_by_side as (
    select 'current' as side, region, service, name, category, value, unit
    from checked_points
    where timestamp >= $from and timestamp < $to
    union all
    select 'baseline' as side, region, service, name, category, value, unit
    from checked_points
    where timestamp >= $baseline_from and timestamp < $baseline_to
),

points_by_place as (
    select side, region as place, region, service, name, category, value, unit
    from points_by_side
    union all
    select side, 'all' as place, region, service, name, category, value, unit
    from points_by_side
),

-- What is used is averaged over all samples of the place.
used_measures as (
    select name, place as region, side, exact_avg(value) as value, max(unit) as unit
    from points_by_place
    where category <> 'configuration'
    group by name, place, side
),

-- What is configured is constant per service, so services are averaged alone and then added up: a
-- sample more of one service than of another must not look like a change. Only services measured on
-- both sides count; whether one was added or removed is not known from its samples.
configured_services as (
    select name, place, region, service, side, exact_avg(value) as value, max(unit) as unit
    from points_by_place
    where category = 'configuration'
    group by name, place, region, service, side
),

configured_pairs as (
    select
        name,
        place,
        side,
        value,
        unit,
        count(*) over (partition by name, place, region, service) as sides
    from configured_services
),

configured_measures as (
    select name, place as region, side, exact_sum(value) as value, max(unit) as unit
    from configured_pairs
    where
        sides = 2
    group by name, place, side
),

own_measures as (
    select name, region, side, value, unit from request_measures
    union all
    select name, region, side, value, unit from database_measures
),

-- A check reads a metric where the requests and calls of that place do not answer it on either
-- side: two sides measured in two ways would always differ.
metric_measures as (
    select
        used_measures.name as name,
        used_measures.region as region,
        used_measures.side as side,
        used_measures.value as value,
        used_measures.unit as unit
    from used_measures
    left join (select distinct name, region from own_measures) as answered
        on used_measures.name = answered.name and used_measures.region = answered.region
    where answered.name is null
),

final as (
    select name, region, side, value, unit from own_measures
    union all
    select name, region, side, value, unit from metric_measures
    union all
    select name, region, side, value, unit from configured_measures
)

select name, region, side, value, unit
from final
where value is not null
