-- title: What drift checks compare
-- grain: one row per check name, region (and `all`) and side (`current`, `baseline`) that has data
-- materialized: run
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
),

-- A place is a region or `all`: grouping sets add both up without a copy of the rows, and
-- leave the region empty for `all`.
requests_total as (
    select
        sides.side as side,
        coalesce(requests.region, 'all') as region,
        sum(requests.requests) as requests,
        sum(requests.errors) as errors,
        sketch_merge(requests.latency) as latency
    from service_slots as requests
    join sides on requests.slot >= sides.since and requests.slot < sides.until
    group by grouping sets ((sides.side, requests.region), (sides.side))
),

-- Rates divide by the minutes in which the lake holds any request, as in region_kpis.
measured as (
    select sides.side as side, count(distinct minutes.minute) * 60 as seconds
    from measured_minutes as minutes
    join sides on minutes.minute >= sides.since and minutes.minute < sides.until
    group by sides.side
),

requests_measured as (
    select
        requests_total.side as side,
        requests_total.region as region,
        requests_total.requests as requests,
        requests_total.errors as errors,
        measured.seconds as seconds,
        requests_total.latency as latency
    from requests_total
    join measured on requests_total.side = measured.side
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

call_measures as (
    select
        case calls.target
            when 'database' then 'database_latency_p95'
            else 'external_api_latency_ms'
        end as name,
        coalesce(calls.region, 'all') as region,
        sides.side as side,
        sketch_quantile(sketch_merge(calls.latency), 0.95) as value,
        'ms' as unit
    from call_slots as calls
    join sides on calls.slot >= sides.since and calls.slot < sides.until
    group by grouping sets ((calls.target, calls.region, sides.side), (calls.target, sides.side))
),

points as (
    select
        slot,
        region,
        service,
        case
            when role = 'database_latency_ms' then 'database_latency_p95'
            else role
        end as name,
        samples,
        total,
        unit
    from role_slots
),

-- Two reads and not a join with the sides: a join by inequality costs more than a second scan.
points_by_side as (
    select
        'current' as side,
        points.region as region,
        points.service as service,
        points.name as name,
        checks.category as category,
        points.samples as samples,
        points.total as total,
        points.unit as unit
    from points
    join settings_drift as checks on points.name = checks.name
    where points.slot >= $from and points.slot < $to
    union all
    select
        'baseline' as side,
        points.region as region,
        points.service as service,
        points.name as name,
        checks.category as category,
        points.samples as samples,
        points.total as total,
        points.unit as unit
    from points
    join settings_drift as checks on points.name = checks.name
    where points.slot >= $baseline_from and points.slot < $baseline_to
),

-- What is used is averaged over all samples of the place.
used_measures as (
    select
        name,
        coalesce(region, 'all') as region,
        side,
        exact_sum(total) / sum(samples) as value,
        max(unit) as unit
    from points_by_side
    where category <> 'configuration'
    group by grouping sets ((name, region, side), (name, side))
),

-- What is configured is constant per service, so services are averaged alone and then added up: a
-- sample more of one service than of another must not look like a change. Only services measured on
-- both sides count; whether one was added or removed is not known from its samples.
configured_services as (
    select
        name,
        region,
        service,
        side,
        exact_sum(total) / sum(samples) as value,
        max(unit) as unit
    from points_by_side
    where category = 'configuration'
    group by name, region, service, side
),

configured_pairs as (
    select
        name,
        region,
        service,
        side,
        value,
        unit,
        count(*) over (partition by name, region, service) as sides
    from configured_services
),

configured_measures as (
    select
        name,
        coalesce(region, 'all') as region,
        side,
        exact_sum(value) as value,
        max(unit) as unit
    from configured_pairs
    where
        sides = 2
    group by grouping sets ((name, region, side), (name, side))
),

own_measures as (
    select name, region, side, value, unit from request_measures
    union all
    select name, region, side, value, unit from call_measures
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
