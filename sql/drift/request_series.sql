-- title: What drift checks measure of requests and calls, at every place, packed
-- grain: one row per side, season, region (and `all`), service (and `all`) and check name that was
--   measured
-- materialized: once
-- audit: `series` has the figures of the intervals of drift_requests: of shares and rates the
--   events as total and their trials as samples, of latency a quantile as one sample
-- audit: `latency` is the sketch of all intervals on the side of the baseline; what requests took
--   in the window is compared interval by interval
-- audit: packed by season first: batches of whole months would be large
-- audit: season -1 for a check that does not follow the load of the day; of others both sides have a
--   row for each season
-- audit: the metric of what is called goes before the few calls that traces keep
with
cycle as (
    select
        case season
            when 'none' then 1
            when 'hour_of_day' then 24
            else 168
        end as hours,
        -- The first of January 1970 was a Thursday, and a week begins on Sunday.
        case when season = 'hour_of_week' then 96 else 0 end as shift
    from settings_drift_evidence
),

served as (
    select
        side,
        kind,
        slot,
        (
            case side
                when 'current' then cast($from as bigint) else cast($baseline_from as bigint)
            end / 1000000 + slot * $interval_seconds
        ) / 3600 as hour,
        region,
        service,
        requests,
        errors,
        seconds,
        latency
    from drift_requests
),

packed as (
    select
        served.side as side,
        served.kind as kind,
        (served.hour + cycle.shift) % cycle.hours as season,
        served.region as region,
        served.service as service,
        interval_counts(slot, cast(errors as double), requests) as error_rate,
        interval_counts(slot, cast(requests as double), seconds) as request_rate,
        interval_series(slot, case when kind = 'requests' then sketch_quantile(latency, 0.50) end)
            as p50,
        interval_series(slot, sketch_quantile(latency, 0.95)) as p95,
        interval_series(slot, case when kind = 'requests' then sketch_quantile(latency, 0.99) end)
            as p99,
        sketch_merge(case when side = 'baseline' then latency end) as latency
    from cycle
    cross join served
    group by 1, 2, 3, 4, 5
),

names as (
    select
        listed.kind as kind,
        listed.name as name,
        listed.unit as unit,
        coalesce(checks.seasonal, false) and evidence.season <> 'none' as is_seasonal
    from settings_drift_evidence as evidence
    cross join (
        values
            ('requests', 'api_latency_p50', 'ms'),
            ('requests', 'api_latency_p95', 'ms'),
            ('requests', 'api_latency_p99', 'ms'),
            ('requests', 'error_rate', '1'),
            ('requests', 'request_rate', '/s'),
            ('database', 'database_latency_p95', 'ms'),
            ('external', 'external_api_latency_ms', 'ms')
    ) as listed (kind, name, unit)
    left join settings_drift as checks on listed.name = checks.name
),

named as (
    select
        packed.side as side,
        case when names.is_seasonal then packed.season else -1 end as season,
        packed.region as region,
        packed.service as service,
        names.name as name,
        names.unit as unit,
        case names.name
            when 'error_rate' then packed.error_rate
            when 'request_rate' then packed.request_rate
            when 'api_latency_p50' then packed.p50
            when 'api_latency_p99' then packed.p99
            else packed.p95
        end as series,
        case
            when names.name not in ('error_rate', 'request_rate') then packed.latency
        end as latency
    from packed
    join names on packed.kind = names.kind
),

metered as (
    select distinct region, service, name
    from service_series
    where name in ('database_latency_p95', 'external_api_latency_ms')
),

kept as (
    select named.*
    from named
    left anti join (
        select region, service, name from metered
        union
        select region, 'all' as service, name from metered
        union
        select 'all' as region, 'all' as service, name from metered
    ) as answered
        on named.region = answered.region
        and named.service = answered.service
        and named.name = answered.name
    where named.series is not null
)

select
    side,
    season,
    region,
    service,
    name,
    max(unit) as unit,
    series_sum(series) as series,
    sketch_merge(latency) as latency
from kept
group by side, season, region, service, name
