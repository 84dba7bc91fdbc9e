-- title: What each SLO observed in the windows that were measured
-- grain: one row per series and window that holds what the SLO is about
-- materialized: run
-- audit: position counts the windows of the series from $from, beginning with 0
-- audit: good_share is the share of requests within the target (latency) or without failure; NULL
--   for throughput, whose windows have no good and bad requests
with
-- Windows that are slots, unpacked once they are those of a series.
latency_slots as (
    select
        series.series as series,
        series.percentile as percentile,
        series.target as target,
        counts.bucket as bucket,
        unnest(request_points(counts.counts)) as point
    from slo_series as series
    join slo_counts as counts on series.stream = counts.stream
    where
        series.window_seconds = series.bucket_seconds
        and series.type = 'latency'
        and series.reads <> 'exact'
        and counts.counts is not null
),

share_slots as (
    select
        series.series as series,
        series.type as type,
        series.window_seconds as window_seconds,
        counts.bucket as bucket,
        unnest(request_points(counts.counts)) as point
    from slo_series as series
    join slo_counts as counts on series.stream = counts.stream
    where
        series.window_seconds = series.bucket_seconds
        and series.type <> 'latency'
        and counts.counts is not null
),

-- Longer windows of one length over one stream are counted once for all SLOs.
lengths as (
    select
        stream,
        window_seconds * 1000000 as length,
        bool_or(type = 'latency' and reads <> 'exact') as reads_latency
    from slo_series
    where stream is not null and window_seconds <> bucket_seconds
    group by stream, window_seconds
),

measured as (
    select
        slots.stream as stream,
        lengths.length / 1000000 as window_seconds,
        (cast(slots.slot as bigint) - cast($from as bigint)) / lengths.length as position,
        sum(slots.requests) as requests,
        sum(slots.errors) as errors,
        sum(slots.durations) as durations,
        sketch_merge(case when lengths.reads_latency then slots.latency end) as latency
    from lengths
    join slo_slots as slots on lengths.stream = slots.stream
    group by 1, 2, 3
),

latencies as (
    select
        series,
        percentile,
        target,
        (point['slot'] * bucket - cast($from as bigint)) / bucket as position,
        point['durations'] as durations,
        point['latency'] as latency
    from latency_slots
    union all
    select
        series.series as series,
        series.percentile as percentile,
        series.target as target,
        measured.position as position,
        measured.durations as durations,
        measured.latency as latency
    from slo_series as series
    join measured
        on series.stream = measured.stream and series.window_seconds = measured.window_seconds
    where series.type = 'latency' and series.reads <> 'exact'
),

shares as (
    select
        series,
        type,
        window_seconds,
        (point['slot'] * bucket - cast($from as bigint)) / bucket as position,
        point['requests'] as requests,
        point['errors'] as errors
    from share_slots
    union all
    select
        series.series as series,
        series.type as type,
        series.window_seconds as window_seconds,
        measured.position as position,
        measured.requests as requests,
        measured.errors as errors
    from slo_series as series
    join measured
        on series.stream = measured.stream and series.window_seconds = measured.window_seconds
    where series.type <> 'latency'
),

final as (
    select
        series,
        position,
        sketch_quantile(latency, percentile) as observed,
        durations as samples,
        sketch_share_within(latency, target) as good_share
    from latencies
    where durations > 0
    union all
    select
        series,
        position,
        case type
            when 'error_rate' then errors / cast(requests as double)
            when 'throughput' then requests / cast(window_seconds as double)
            else (requests - errors) / cast(requests as double)
        end as observed,
        requests as samples,
        case
            when type <> 'throughput' then (requests - errors) / cast(requests as double)
        end as good_share
    from shares
    union all
    select series, position, observed, samples, good_share from slo_exact
)

select series, position, observed, samples, good_share
from final
