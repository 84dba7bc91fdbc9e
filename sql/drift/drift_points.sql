-- title: What drift checks measure of requests and calls, interval by interval
-- grain: one row per side, interval, region, service and check name that was measured; `all` stands
--   for every service of a region, and for every region
-- materialized: once
-- audit: `value` is `events` / `trials`, or for latency a quantile of the sketch `latency`
-- audit: requests of a place with little traffic are counted over the trailing intervals that hold
--   `min_events` of them on average (at most `max_pooled`), on both sides alike, so that a spread of
--   the baseline is one of figures made in the same way
-- audit: `season` is -1 for a check that does not follow the load of the day
-- audit: requests count 0 in an interval in which other regions or services served some, so that
--   silence shows as a request rate of 0
-- audit: metrics and rewards are in drift_series
with
requests as (
    select side, kind, slot, region, service, requests, errors, latency
    from request_intervals
),

-- Every interval in which anything was served, for every place that ever served.
served_slots as (
    select distinct side, kind, slot
    from requests
    where region = 'all'
),

served_places as (
    select distinct kind, region, service
    from requests
),

served_rows as (
    select
        slots.side as side,
        slots.kind as kind,
        slots.slot as slot,
        places.region as region,
        places.service as service,
        coalesce(requests.requests, 0) as requests,
        coalesce(requests.errors, 0) as errors,
        requests.latency as latency
    from served_slots as slots
    join served_places as places on slots.kind = places.kind
    left join requests
        on slots.side = requests.side
        and slots.kind = requests.kind
        and slots.slot = requests.slot
        and places.region = requests.region
        and places.service = requests.service
),

-- How many intervals of a place are judged together.
widths as (
    select
        served_rows.kind as kind,
        served_rows.region as region,
        served_rows.service as service,
        greatest(
            least(
                ceil(max(evidence.min_events) / avg(cast(served_rows.requests as double))),
                max(evidence.max_pooled)
            ),
            1
        ) as width
    from settings_drift_evidence as evidence
    cross join served_rows
    group by served_rows.kind, served_rows.region, served_rows.service
),

wide_rows as (
    select
        served_rows.side as side,
        served_rows.kind as kind,
        served_rows.slot as slot,
        cast(widths.width as bigint) as width,
        served_rows.region as region,
        served_rows.service as service,
        served_rows.requests as requests,
        served_rows.errors as errors,
        served_rows.latency as latency
    from served_rows
    join widths
        on served_rows.kind = widths.kind
        and served_rows.region = widths.region
        and served_rows.service = widths.service
),

-- Each interval counts for itself and for those after it that still look back on it.
spread_out as (
    select
        side,
        kind,
        slot,
        unnest(generate_series(0, width - 1)) as later,
        region,
        service,
        requests,
        errors,
        latency
    from wide_rows
    where width > 1
),

-- Where much is served an interval stands for itself, and no sketch has to be read.
request_rows as (
    select
        side,
        kind,
        slot,
        region,
        service,
        requests,
        errors,
        $interval_seconds as seconds,
        latency
    from wide_rows
    where width = 1
    union all
    select
        side,
        kind,
        slot + later as slot,
        region,
        service,
        sum(requests) as requests,
        sum(errors) as errors,
        count(*) * $interval_seconds as seconds,
        sketch_merge(latency) as latency
    from spread_out
    group by side, kind, slot + later, region, service
    having min(later) = 0
),

request_names as (
    select kind, name, unit
    from (
        values
            ('requests', 'api_latency_p50', 'ms'),
            ('requests', 'api_latency_p95', 'ms'),
            ('requests', 'api_latency_p99', 'ms'),
            ('requests', 'error_rate', '1'),
            ('requests', 'request_rate', '/s'),
            ('database', 'database_latency_p95', 'ms'),
            ('external', 'external_api_latency_ms', 'ms')
    ) as listed (kind, name, unit)
),

request_points as (
    select
        request_rows.side as side,
        request_rows.slot as slot,
        request_rows.region as region,
        request_rows.service as service,
        names.name as name,
        case names.name
            when 'error_rate' then cast(request_rows.errors as double)
            when 'request_rate' then cast(request_rows.requests as double)
        end as events,
        case names.name
            when 'error_rate' then cast(request_rows.requests as double)
            when 'request_rate' then cast(request_rows.seconds as double)
            else cast(sketch_count(request_rows.latency) as double)
        end as trials,
        case
            when names.name not in ('error_rate', 'request_rate') then request_rows.latency
        end as latency,
        names.unit as unit
    from request_rows
    join request_names as names on request_rows.kind = names.kind
),

-- The metric of what is called goes before the few calls that traces keep.
metered as (
    select distinct region, service, name
    from service_series
    where name in ('database_latency_p95', 'external_api_latency_ms')
),

request_points_kept as (
    select request_points.*
    from request_points
    left anti join (
        select region, service, name from metered
        union
        select region, 'all' as service, name from metered
        union
        select 'all' as region, 'all' as service, name from metered
    ) as answered
        on request_points.region = answered.region
        and request_points.service = answered.service
        and request_points.name = answered.name
),

final as (
    select
        points.side as side,
        points.slot as slot,
        case
            when not coalesce(checks.seasonal, false) or evidence.season = 'none' then -1
            when evidence.season = 'hour_of_day'
                then cast(extract(hour from starts.started) as bigint)
            else cast(extract(dow from starts.started) as bigint) * 24
                + cast(extract(hour from starts.started) as bigint)
        end as season,
        points.region as region,
        points.service as service,
        points.name as name,
        case
            when points.latency is null then points.events / nullif(points.trials, 0.0)
            when points.name = 'api_latency_p50' then sketch_quantile(points.latency, 0.50)
            when points.name = 'api_latency_p99' then sketch_quantile(points.latency, 0.99)
            else sketch_quantile(points.latency, 0.95)
        end as value,
        points.events as events,
        points.trials as trials,
        points.latency as latency,
        points.unit as unit
    from settings_drift_evidence as evidence
    cross join request_points_kept as points
    join (
        select
            'current' as side,
            i as slot,
            arrow_cast(
                cast($from as bigint) + i * $interval_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ) as started
        from generate_series(
            0,
            (cast($to as bigint) - cast($from as bigint) - 1) / ($interval_seconds * 1000000)
        ) as listed (i)
        union all
        select
            'baseline' as side,
            i as slot,
            arrow_cast(
                cast($baseline_from as bigint) + i * $interval_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ) as started
        from generate_series(
            0,
            (cast($baseline_to as bigint) - cast($baseline_from as bigint) - 1)
                / ($interval_seconds * 1000000)
        ) as listed (i)
    ) as starts on points.side = starts.side and points.slot = starts.slot
    left join settings_drift as checks on points.name = checks.name
    where points.trials > 0.0
)

select side, slot, season, region, service, name, value, events, trials, latency, unit
from final
where value is not null
