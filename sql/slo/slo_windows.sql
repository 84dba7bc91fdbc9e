-- title: What each SLO observed in each window
-- grain: one row per SLO, region, service and window; windows follow each other from $from
-- materialized: run
-- audit: a window without data has a row with `observed` NULL and `samples` 0: it is not measured,
--   so it is neither met nor violated
-- audit: services are those with any data in the window or its baseline, so that one that fell
--   silent shows as not measured
-- audit: good_share is the share of requests within the target (latency) or without failure; NULL
--   for throughput, whose windows have no good and bad requests
-- audit: met means at least as good as the target, violated means worse than the threshold
with
slos as (
    select
        name,
        type,
        target,
        threshold,
        window_seconds,
        percentile,
        type in ('latency', 'error_rate') as is_lower_better
    from settings_slos
),

-- SLOs that look at the same rows in the same windows share one pass over them.
lengths as (
    select distinct scope, window_seconds * 1000000 as length
    from slo_scopes
),

measured as (
    select
        lengths.scope as scope,
        lengths.length / 1000000 as window_seconds,
        slots.region as region,
        slots.service as service,
        (cast(slots.slot as bigint) - cast($from as bigint)) / lengths.length as position,
        sum(slots.requests) as requests,
        sum(slots.errors) as errors,
        sum(slots.durations) as durations,
        sketch_merge(slots.latency) as latency
    from lengths
    join slo_slots as slots on lengths.scope = slots.scope
    group by 1, 2, 3, 4, 5
),

observations as (
    select
        slos.name as slo,
        measured.region as region,
        measured.service as service,
        measured.position as position,
        case slos.type
            when 'latency' then sketch_quantile(measured.latency, slos.percentile)
            when 'error_rate' then measured.errors / cast(measured.requests as double)
            when 'throughput' then measured.requests / cast(slos.window_seconds as double)
            else (measured.requests - measured.errors) / cast(measured.requests as double)
        end as observed,
        case
            when slos.type = 'latency' then measured.durations
            else measured.requests
        end as samples,
        case slos.type
            when 'latency' then sketch_share_below(measured.latency, slos.target)
            when 'throughput' then null
            else (measured.requests - measured.errors) / cast(measured.requests as double)
        end as good_share
    from slos
    join slo_scopes as scopes on slos.name = scopes.slo
    join measured
        on scopes.scope = measured.scope and slos.window_seconds = measured.window_seconds
),

series as (
    select distinct slo, region, service
    from observations
),

-- Every window of every series, whether or not anything was observed in it.
grid as (
    select
        slos.name as slo,
        slos.type as type,
        series.region as region,
        series.service as service,
        slos.window_seconds as window_seconds,
        slos.percentile as percentile,
        slos.target as target,
        slos.threshold as threshold,
        slos.is_lower_better as is_lower_better,
        unnest(
            range(
                0,
                (cast($to as bigint) - cast($from as bigint) + slos.window_seconds * 1000000 - 1)
                    / (slos.window_seconds * 1000000)
            )
        ) as position
    from series
    join slos on series.slo = slos.name
),

final as (
    select
        grid.slo as slo,
        grid.type as type,
        grid.region as region,
        grid.service as service,
        arrow_cast(
            cast($from as bigint) + grid.position * grid.window_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last window ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (grid.position + 1) * grid.window_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end,
        observations.observed as observed,
        coalesce(observations.samples, 0) as samples,
        observations.good_share as good_share,
        grid.target as target,
        grid.threshold as threshold,
        grid.percentile as percentile,
        grid.is_lower_better as is_lower_better,
        case
            when grid.is_lower_better then observations.observed <= grid.target
            else observations.observed >= grid.target
        end as is_met,
        case
            when grid.is_lower_better then observations.observed > grid.threshold
            else observations.observed < grid.threshold
        end as is_violated
    from grid
    left join observations
        on grid.slo = observations.slo
        and grid.region = observations.region
        and grid.service = observations.service
        and grid.position = observations.position
)

select
    slo,
    type,
    region,
    service,
    window_start,
    window_end,
    observed,
    samples,
    target,
    threshold,
    percentile,
    is_lower_better,
    is_met,
    is_violated,
    good_share
from final
