-- title: What each SLO observed in the windows that were measured
-- grain: one row per series and window that holds what the SLO is about
-- materialized: run
-- audit: position counts the windows of the series from $from, beginning with 0
-- audit: good_share is the share of requests within the target (latency) or without failure; NULL
--   for throughput, whose windows have no good and bad requests
with
-- Windows of one length over one stream are counted once for all SLOs.
lengths as (
    select
        stream,
        window_seconds * 1000000 as length,
        max(bucket_seconds) = window_seconds as is_slot,
        bool_or(type = 'latency' and reads <> 'exact') as reads_latency
    from slo_series
    where stream is not null
    group by stream, window_seconds
),

measured as (
    select
        slots.stream as stream,
        lengths.length / 1000000 as window_seconds,
        (cast(slots.slot as bigint) - cast($from as bigint)) / lengths.length as position,
        slots.requests as requests,
        slots.errors as errors,
        slots.durations as durations,
        slots.latency as latency
    from lengths
    join slo_slots as slots on lengths.stream = slots.stream
    where lengths.is_slot and slots.slot is not null
    union all
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
    where not lengths.is_slot and slots.slot is not null
    group by 1, 2, 3
),

latencies as (
    select
        series.series as series,
        measured.position as position,
        sketch_quantile(measured.latency, series.percentile) as observed,
        measured.durations as samples,
        sketch_share_within(measured.latency, series.target) as good_share
    from slo_series as series
    join measured
        on series.stream = measured.stream and series.window_seconds = measured.window_seconds
    where
        series.type = 'latency'
        and series.reads <> 'exact'
        and measured.durations > 0
),

shares as (
    select
        series.series as series,
        measured.position as position,
        case series.type
            when 'error_rate' then measured.errors / cast(measured.requests as double)
            when 'throughput' then measured.requests / cast(series.window_seconds as double)
            else (measured.requests - measured.errors) / cast(measured.requests as double)
        end as observed,
        measured.requests as samples,
        case
            when series.type <> 'throughput'
                then (measured.requests - measured.errors) / cast(measured.requests as double)
        end as good_share
    from slo_series as series
    join measured
        on series.stream = measured.stream and series.window_seconds = measured.window_seconds
    where series.type <> 'latency'
),

final as (
    select series, position, observed, samples, good_share from latencies
    union all
    select series, position, observed, samples, good_share from shares
    union all
    select series, position, observed, samples, good_share from slo_exact
)

select series, position, observed, samples, good_share
from final
