-- title: Good and bad events of each SLO, without composites
-- grain: one row per series and slot of five minutes that holds events; for budgets of time slices
--   one row per slot in which measured windows begin
-- materialized: once
-- audit: events are counted in millionths, so that the shares of ratio_timeslices add up exactly
-- audit: is_corrected marks slots that begin within a correction for their series
with
latency_slots as (
    select
        series.series as series,
        series.bucket_seconds = 300 as is_whole,
        series.target as target,
        counts.bucket as bucket,
        unnest(request_points(counts.counts)) as point
    from slo_series as series
    join slo_counts as counts on series.stream = counts.stream
    where
        series.budgeting = 'occurrences'
        and series.type = 'latency'
        and series.reads <> 'exact'
        and counts.counts is not null
),

latencies as (
    select
        series,
        is_whole,
        point['slot'] * bucket / 300000000 * 300000000 as slot,
        300 as seconds,
        cast(round(sketch_share_within(point['latency'], target) * point['durations']) as bigint)
            * 1000000 as good,
        point['durations'] * 1000000 as total
    from latency_slots
    where point['durations'] > 0
),

count_slots as (
    select
        series.series as series,
        series.bucket_seconds = 300 as is_whole,
        counts.bucket as bucket,
        unnest(request_points(counts.counts)) as point
    from slo_series as series
    join slo_counts as counts on series.stream = counts.stream
    where
        series.budgeting = 'occurrences'
        and series.type <> 'latency'
        and counts.counts is not null
),

counts as (
    select
        series,
        is_whole,
        point['slot'] * bucket / 300000000 * 300000000 as slot,
        300 as seconds,
        (point['requests'] - point['errors']) * 1000000 as good,
        point['requests'] * 1000000 as total
    from count_slots
    where point['requests'] > 0
),

slices as (
    select
        series.series as series,
        series.window_seconds >= 300 as is_whole,
        (cast($from as bigint) + windows.position * series.window_seconds * 1000000)
            / 300000000 * 300000000 as slot,
        series.window_seconds as seconds,
        case
            when series.budgeting = 'ratio_timeslices'
                then cast(round(windows.good_share * 1000000.0) as bigint)
            when series.is_lower_better and windows.observed <= series.target then 1000000
            when not series.is_lower_better and windows.observed >= series.target then 1000000
            else 0
        end as good,
        1000000 as total
    from slo_series as series
    join slo_observed as windows on series.series = windows.series
    where series.budgeting <> 'occurrences'
),

exact_latencies as (
    select
        series,
        true as is_whole,
        slot,
        300 as seconds,
        good * 1000000 as good,
        total * 1000000 as total
    from slo_exact_events
),

parts as (
    select series, is_whole, slot, seconds, good, total from latencies
    union all
    select series, is_whole, slot, seconds, good, total from exact_latencies
    union all
    select series, is_whole, slot, seconds, good, total from counts
    union all
    select series, is_whole, slot, seconds, good, total from slices
),

-- What is shorter than a slot shares one with others.
shared as (
    select
        parts.series as series,
        parts.slot as slot,
        case when max(series.budgeting) = 'occurrences' then 300 else sum(parts.seconds) end
            as seconds,
        sum(parts.good) as good,
        sum(parts.total) as total
    from slo_series as series
    join parts on series.series = parts.series
    where not parts.is_whole
    group by parts.series, parts.slot
),

events as (
    select series, slot, seconds, good, total from parts where is_whole
    union all
    select series, slot, seconds, good, total from shared
),

final as (
    select
        events.series as series,
        arrow_cast(events.slot, 'Timestamp(Microsecond, Some("UTC"))') as slot,
        events.seconds as seconds,
        events.good as good,
        events.total as total,
        maintenance.minute is not null as is_corrected
    from events
    left join slo_corrections as corrections on events.series = corrections.series
    left join slo_maintenance as maintenance
        on corrections.scope = maintenance.scope
        and arrow_cast(events.slot, 'Timestamp(Microsecond, Some("UTC"))') = maintenance.minute
)

select series, slot, seconds, good, total, is_corrected
from final
