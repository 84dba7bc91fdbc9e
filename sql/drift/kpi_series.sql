-- title: Key figures as series
-- grain: one row per interval of the window, region, service and measure that was measured in it
-- materialized: view
-- audit: intervals are counted from 1970, so that two windows cut a day alike; one without a
--   measurement has no row
-- audit: rates divide by the minutes of the interval in which the lake holds any request
with
requests as (
    select
        minute,
        region,
        service,
        cast(minute as bigint) / ($interval_seconds * 1000000) as slot,
        requests,
        errors,
        latency
    from request_minutes
    where minute >= $from and minute < $to
),

-- A stretch that nobody recorded is unmeasured; a service that is silent while others are not has
-- no load.
measured as (
    select slot, count(distinct minute) * 60 as seconds
    from requests
    group by slot
),

places as (
    select distinct region, service
    from requests
),

served as (
    select
        slot,
        region,
        service,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_merge(latency) as latency
    from requests
    group by slot, region, service
),

names as (
    select name, unit
    from (
        values ('api_latency_p95', 'ms'), ('error_rate', '1'), ('request_rate', '/s')
    ) as listed (name, unit)
),

request_series as (
    select
        names.name as name,
        places.region as region,
        places.service as service,
        measured.slot as slot,
        case names.name
            when 'api_latency_p95' then sketch_quantile(served.latency, 0.95)
            when 'error_rate' then served.errors / nullif(cast(served.requests as double), 0)
            else coalesce(served.requests, 0) / cast(measured.seconds as double)
        end as value,
        names.unit as unit
    from places
    cross join measured
    cross join names
    left join served
        on places.region = served.region
        and places.service = served.service
        and measured.slot = served.slot
),

-- What counts requests is read from the requests themselves, where there are any.
metric_series as (
    select
        points.role as name,
        points.region as region,
        coalesce(points.service, 'unknown') as service,
        cast(points.timestamp as bigint) / ($interval_seconds * 1000000) as slot,
        exact_avg(points.value) as value,
        max(points.unit) as unit
    from metric_points as points
    where
        points.timestamp >= $from
        and points.timestamp < $to
        and (points.role <> 'request_rate' or (select count(*) from measured) = 0)
    group by 1, 2, 3, 4
),

final as (
    select name, region, service, slot, value, unit from request_series
    union all
    select name, region, service, slot, value, unit from metric_series
)

select
    name,
    region,
    service,
    arrow_cast(slot * ($interval_seconds * 1000000), 'Timestamp(Microsecond, Some("UTC"))')
        as interval_start,
    value,
    unit
from final
where value is not null
