-- title: SLO violations as episodes
-- grain: one row per stretch of violated windows of one series of `slo_series` and kind
-- materialized: run
-- audit: two stretches at most one interval apart are one episode, so that a value that hovers
--   around its limit does not count once per crossing
-- audit: kind is `violation`, `anomaly`, `maintenance` for what a correction covers (it does not
--   count, and stands beside what does), or `low_traffic` for a violation that rests on fewer than
--   `min_samples` requests in all: too few to tell (few requests are what a throughput SLO is about)
with
violations as (
    select
        slo,
        type,
        region,
        service,
        route,
        window_start,
        window_end,
        observed,
        target,
        threshold,
        expected,
        zscore,
        samples,
        -- Past the limit the SLO is broken; what only leaves the band of its values is an anomaly.
        case
            when is_corrected then 'maintenance'
            when kind = 'adaptive' then 'anomaly'
            else 'violation'
        end as kind,
        severity,
        case severity
            when 'critical' then 4 when 'error' then 3 when 'warning' then 2 else 1
        end as severity_rank,
        -- The larger the worse, for every type.
        case
            when type in ('latency', 'error_rate') then observed
            else -observed
        end as badness
    from slo_violations
    where window_start >= $from and window_start < $to
),

reach as (
    select
        *,
        max(window_end) over (
            partition by slo, type, region, service, route, kind
            order by window_start, window_end
            rows between unbounded preceding and 1 preceding
        ) as reached
    from violations
),

starts as (
    select
        *,
        case
            when extract(epoch from window_start) - extract(epoch from reached)
                <= $interval_seconds then 0
            else 1
        end as is_start
    from reach
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by slo, type, region, service, route, kind
            order by window_start, window_end
            rows between unbounded preceding and current row
        ) as episode
    from starts
),

episodes as (
    select
        slo,
        type,
        region,
        service,
        route,
        kind,
        episode,
        min(window_start) as started_at,
        max(window_end) as ended_at,
        count(*) as windows,
        sum(samples) as samples,
        max(severity_rank) as severity_rank,
        first_value(observed order by badness desc, window_start) as worst,
        first_value(expected order by badness desc, window_start) as expected,
        first_value(zscore order by badness desc, window_start) as zscore,
        max(target) as target,
        max(threshold) as threshold
    from numbered
    group by slo, type, region, service, route, kind, episode
),

percentiles as (
    select name, max(percentile) as percentile
    from settings_slos
    group by name
),

final as (
    select
        episodes.slo as slo,
        episodes.type as type,
        episodes.region as region,
        episodes.service as service,
        episodes.route as route,
        case
            when episodes.kind = 'violation' and episodes.type <> 'throughput'
                and episodes.samples < limits.min_samples
                then 'low_traffic'
            else episodes.kind
        end as kind,
        case episodes.severity_rank
            when 4 then 'critical' when 3 then 'error' when 2 then 'warning' else 'info'
        end as severity,
        episodes.severity_rank as severity_rank,
        episodes.started_at as started_at,
        episodes.ended_at as ended_at,
        episodes.windows as windows,
        episodes.samples as samples,
        episodes.worst as worst,
        episodes.expected as expected,
        episodes.zscore as zscore,
        episodes.target as target,
        episodes.threshold as threshold,
        percentiles.percentile as percentile,
        (cast(episodes.ended_at as bigint) - cast(episodes.started_at as bigint)) / 1000000
            as duration_seconds
    from episodes
    left join percentiles on episodes.slo = percentiles.name
    cross join (select max(min_samples) as min_samples from settings_detection) as limits
),

-- Shares read as percent, everything else in its own unit.
told as (
    select
        *,
        case when type in ('latency', 'throughput') then 1.0 else 100.0 end as scale,
        case type
            when 'latency' then ' ms'
            when 'throughput' then ' requests/s'
            else ' %'
        end as unit,
        case type
            when 'latency' then 'p' || cast(round(percentile * 100.0, 2) as varchar) || ' latency'
            when 'error_rate' then 'error rate'
            when 'evaluation_success' then 'evaluation success'
            else type
        end as quantity
    from final
)

select
    slo,
    type,
    region,
    service,
    route,
    kind,
    severity,
    severity_rank,
    started_at,
    ended_at,
    windows,
    samples,
    worst,
    expected,
    zscore,
    target,
    threshold,
    percentile,
    duration_seconds,
    service || coalesce(' ' || route, '') || ' in ' || region || ': ' || quantity
        || ' was ' || cast(round(worst * scale, 3) as varchar) || unit || ' at worst, from ' || cast(started_at as varchar) || ' for '
        || cast(duration_seconds / 60 as varchar) || ' min; threshold '
        || cast(round(threshold * scale, 3) as varchar) || unit
        || coalesce(', expected ' || cast(round(expected * scale, 3) as varchar) || unit, '')
        as sentence
from told
