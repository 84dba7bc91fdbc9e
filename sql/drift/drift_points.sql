-- title: What drift checks measure, interval by interval
-- grain: one row per side, interval, region, service and check name that was measured; `all` stands
--   for every service of a region, and for every region
-- materialized: view
-- audit: `value` is `events` / `trials`, or for latency a quantile of the sketch `latency`
-- audit: requests count 0 in an interval in which other regions or services served some, so that
--   silence shows as a request rate of 0
-- audit: what is configured is measured per service only
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

request_rows as (
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

request_names as (
    select kind, name, unit
    from (
        values
            ('requests', 'api_latency_p50', 'ms'),
            ('requests', 'api_latency_p95', 'ms'),
            ('requests', 'api_latency_p99', 'ms'),
            ('requests', 'error_rate', '1'),
            ('requests', 'request_rate', '/s'),
            ('database', 'database_latency_p95', 'ms')
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
            when 'request_rate' then cast($interval_seconds as double)
            else cast(sketch_count(request_rows.latency) as double)
        end as trials,
        case
            when names.name not in ('error_rate', 'request_rate') then request_rows.latency
        end as latency,
        names.unit as unit
    from request_rows
    join request_names as names on request_rows.kind = names.kind
),

metrics as (
    select
        side,
        slot,
        region,
        service,
        case when role = 'database_latency_ms' then 'database_latency_p95' else role end as name,
        total,
        samples,
        unit
    from metric_intervals
),

metric_rows as (
    select
        metrics.side as side,
        metrics.slot as slot,
        metrics.region as region,
        metrics.service as service,
        metrics.name as name,
        checks.category as category,
        metrics.total as total,
        metrics.samples as samples,
        metrics.unit as unit
    from metrics
    join settings_drift as checks on metrics.name = checks.name
),

metric_totals as (
    select
        side,
        slot,
        coalesce(region, 'all') as region,
        coalesce(service, 'all') as service,
        name,
        exact_sum(total) as events,
        cast(sum(samples) as double) as trials,
        max(unit) as unit
    from metric_rows
    where category <> 'configuration'
    group by
        grouping sets (
            (side, slot, region, service, name),
            (side, slot, region, name),
            (side, slot, name)
        )
    union all
    select side, slot, region, service, name, total, cast(samples as double), unit
    from metric_rows
    where category = 'configuration'
),

-- Requests answer for themselves wherever they are known, and a database's own metric goes before
-- the few of its calls that traces keep: two sides measured in two ways would always differ.
metric_points_kept as (
    select metric_totals.*
    from metric_totals
    left join (
        select distinct name, region, service from request_points
        where name <> 'database_latency_p95'
    ) as answered
        on metric_totals.name = answered.name
        and metric_totals.region = answered.region
        and metric_totals.service = answered.service
    where answered.name is null
),

request_points_kept as (
    select request_points.*
    from request_points
    left join (
        select distinct region, service from metrics where name = 'database_latency_p95'
        union
        select distinct region, 'all' as service from metrics where name = 'database_latency_p95'
        union
        select distinct 'all' as region, 'all' as service from metrics
        where name = 'database_latency_p95'
    ) as answered
        on request_points.region = answered.region and request_points.service = answered.service
    where request_points.name <> 'database_latency_p95' or answered.region is null
),

points as (
    select side, slot, region, service, name, events, trials, latency, unit
    from request_points_kept
    union all
    select side, slot, region, service, name, events, trials, null as latency, unit
    from metric_points_kept
),

final as (
    select
        points.side as side,
        points.slot as slot,
        case evidence.season
            when 'hour_of_day' then cast(extract(hour from starts.started) as bigint)
            when 'hour_of_week'
                then cast(extract(dow from starts.started) as bigint) * 24
                    + cast(extract(hour from starts.started) as bigint)
            else 0
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
    from points
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
    cross join settings_drift_evidence as evidence
    where points.trials > 0.0
)

select side, slot, season, region, service, name, value, events, trials, latency, unit
from final
where value is not null
