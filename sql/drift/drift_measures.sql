-- title: What drift checks compare
-- grain: one row per check name, region (and `all`) and side (`current`, `baseline`) that has data
-- materialized: run
with
-- One pass over each source gives both sides and both kinds of place. The windows may overlap (a
-- baseline can be the first hours of the window), so a row may belong to both sides.
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
),

places as (
    select is_all
    from (values (false), (true)) as listed (is_all)
),

requests_by_place as (
    select
        sides.side as side,
        case when places.is_all = false then requests.region else 'all' end as region,
        requests.minute as minute,
        requests.requests as requests,
        requests.errors as errors,
        requests.latency as latency
    from request_minutes as requests
    join sides on requests.minute >= sides.since and requests.minute < sides.until
    cross join places
),

requests_total as (
    select
        side,
        region,
        sum(requests) as requests,
        sum(errors) as errors,
        count(distinct minute) * 60 as seconds,
        sketch_merge(latency) as latency
    from requests_by_place
    group by side, region
),

-- Rates divide by the minutes in which the lake holds any request, as in region_kpis.
requests_measured as (
    select
        side,
        region,
        requests,
        errors,
        max(case when region = 'all' then seconds end) over (partition by side) as seconds,
        latency
    from requests_total
),

request_names as (
    select name, unit
    from (
        values
            ('api_latency_p50', 'ms'),
            ('api_latency_p95', 'ms'),
            ('api_latency_p99', 'ms'),
            ('error_rate', '1'),
            ('request_rate', '/s')
    ) as listed (name, unit)
),

request_measures as (
    select
        names.name as name,
        totals.region as region,
        totals.side as side,
        case names.name
            when 'api_latency_p50' then sketch_quantile(totals.latency, 0.50)
            when 'api_latency_p95' then sketch_quantile(totals.latency, 0.95)
            when 'api_latency_p99' then sketch_quantile(totals.latency, 0.99)
            when 'error_rate' then totals.errors / nullif(cast(totals.requests as double), 0)
            else totals.requests / nullif(cast(totals.seconds as double), 0)
        end as value,
        names.unit as unit
    from requests_measured as totals
    cross join request_names as names
),

database_calls as (
    select
        sides.side as side,
        case when places.is_all = false then calls.region else 'all' end as region,
        calls.duration_ms as duration_ms
    from client_calls as calls
    join sides on calls.timestamp >= sides.since and calls.timestamp < sides.until
    cross join places
    where calls.target = 'database'
),

database_measures as (
    select
        'database_latency_p95' as name,
        region,
        side,
        sketch_quantile(quantile_sketch(duration_ms), 0.95) as value,
        'ms' as unit
    from database_calls
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
        and timestamp >= least($from, $baseline_from)
        and timestamp < greatest($to, $baseline_to)
),

points_by_place as (
    select
        sides.side as side,
        case when places.is_all = false then points.region else 'all' end as place,
        points.region as region,
        points.service as service,
        points.name as name,
        checks.category as category,
        points.value as value,
        points.unit as unit
    from points
    join settings_drift as checks on points.name = checks.name
    join sides on points.timestamp >= sides.since and points.timestamp < sides.until
    cross join places
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
