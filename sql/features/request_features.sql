-- title: Regression features that follow from requests
-- grain: one row per region, service and interval with requests
-- materialized: run
-- audit: intervals are counted from $from; a figure of the baseline is its median over the
--   parts of the baseline
-- audit: latency and error rate of an interval of fewer than `min_samples` requests are compared
--   over the interval and those before it: as few as hold that many requests, and `pooled_windows`
--   in all at most, also from before $from; `latency_p95` is that of this stretch, and `stretch` its
--   number of intervals with requests
-- audit: rates per second divide by the minutes in which the region served any request at all, so
--   that the edges of what was recorded do not look like a fall in traffic
with
in_baseline as (
    select
        request_outcomes.*,
        (at - divided.starts) * divided.parts / divided.length as part
    from request_outcomes
    cross join baseline_parts as divided
    where slot >= $baseline_from and slot < $baseline_to
),

window_seconds as (
    select
        region,
        (cast(minute as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        count(*) * 60 as seconds
    from measured_minutes
    where minute >= $from and minute < $to
    group by 1, 2
),

baseline_seconds as (
    select
        region,
        (cast(minute as bigint) - divided.starts) * divided.parts / divided.length as part,
        count(*) * 60 as seconds
    from measured_minutes
    cross join baseline_parts as divided
    where minute >= $baseline_from and minute < $baseline_to
    group by 1, 2
),

baseline_figures as (
    select
        region,
        service,
        part,
        sum(requests) as requests,
        sum(errors) as errors,
        sketch_quantile(sketch_merge(latency), 0.95) as latency_p95,
        sketch_quantile(sketch_merge(queue_wait), 0.95) as queue_wait_p95
    from in_baseline
    group by region, service, part
),

baselines as (
    select
        figures.region as region,
        figures.service as service,
        median(figures.latency_p95) as latency_p95,
        median(figures.queue_wait_p95) as queue_wait_p95,
        median(figures.errors / cast(figures.requests as double)) as error_rate,
        median(figures.requests / cast(baseline_seconds.seconds as double)) as throughput
    from baseline_figures as figures
    join baseline_seconds
        on figures.region = baseline_seconds.region and figures.part = baseline_seconds.part
    group by figures.region, figures.service
),

-- The intervals that one with few requests is judged with: itself and those before it.
stretches as (
    select
        few.region as region,
        few.service as service,
        few.position as position,
        unnest(range(0, limits.pooled_windows)) as back,
        limits.min_samples as enough
    from settings_detection as limits
    cross join request_windows as few
    where few.position >= 0 and few.requests < limits.min_samples
),

members as (
    select
        stretches.region as region,
        stretches.service as service,
        stretches.position as position,
        stretches.enough as enough,
        member.requests as requests,
        member.errors as errors,
        member.durations as durations,
        member.latency as latency,
        sum(member.requests) over (
            partition by stretches.region, stretches.service, stretches.position
            order by stretches.back
        ) as requests_since
    from stretches
    join request_windows as member
        on stretches.region = member.region
        and stretches.service = member.service
        and stretches.position - stretches.back = member.position
),

-- Until they have requests enough.
pooled as (
    select
        region,
        service,
        position,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(durations) as durations,
        sketch_merge(latency) as latency,
        count(*) as stretch
    from members
    where requests_since - requests < enough
    group by region, service, position
),

windows as (
    select
        single.region as region,
        single.service as service,
        single.position as position,
        single.requests as requests,
        single.errors as errors,
        single.timeouts as timeouts,
        single.retries as retries,
        single.retry_known as retry_known,
        single.queue_wait_p95 as queue_wait_p95,
        coalesce(pooled.durations, single.durations) as durations,
        coalesce(pooled.latency, single.latency) as latency,
        coalesce(pooled.stretch, 1) as stretch,
        coalesce(pooled.errors, single.errors)
            / cast(coalesce(pooled.requests, single.requests) as double) as pooled_error_rate
    from request_windows as single
    left join pooled
        on single.region = pooled.region
        and single.service = pooled.service
        and single.position = pooled.position
    where single.position >= 0
),

compared as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        windows.stretch as stretch,
        windows.requests as requests,
        windows.errors as errors,
        windows.timeouts as timeouts,
        windows.retries as retries,
        windows.retry_known as retry_known,
        sketch_quantile(windows.latency, 0.95) as latency_p95,
        windows.queue_wait_p95 - coalesce(baselines.queue_wait_p95, 0.0) as queue_wait_p95,
        windows.errors / cast(windows.requests as double) as error_rate,
        windows.pooled_error_rate as pooled_error_rate,
        windows.requests / cast(window_seconds.seconds as double) as throughput,
        baselines.latency_p95 as baseline_latency_p95,
        windows.durations as durations,
        1.0 - sketch_share_within(windows.latency, baselines.latency_p95) as slow_share,
        baselines.error_rate as baseline_error_rate,
        baselines.throughput as baseline_throughput
    from windows
    join window_seconds
        on windows.region = window_seconds.region and windows.position = window_seconds.position
    left join baselines
        on windows.region = baselines.region and windows.service = baselines.service
),

final as (
    select
        compared.*,
        -- 5 % of the requests are slower than the baseline's p95 when nothing moved; a binomial share
        -- of n requests has the standard error sqrt(p (1 - p) / n).
        case
            when latency_p95 > baseline_latency_p95
                and slow_share - 0.05
                    <= limits.latency_sigmas * sqrt(0.05 * 0.95 / cast(durations as double))
                then 0.0
            else latency_p95 / nullif(baseline_latency_p95, 0.0) - 1.0
        end as latency_delta,
        pooled_error_rate - baseline_error_rate as error_rate_delta,
        throughput / nullif(baseline_throughput, 0.0) - 1.0 as throughput_delta,
        case
            when baseline_error_rate is null then null
            when errors >= limits.spike_min_errors
                and error_rate > limits.spike_ratio * baseline_error_rate
                and error_rate > baseline_error_rate
                    + limits.spike_sigmas
                    * sqrt(baseline_error_rate * (1.0 - baseline_error_rate) / requests)
                then 1.0
            else 0.0
        end as error_spike_detected,
        timeouts / cast(requests as double) as timeout_rate,
        retries / nullif(cast(retry_known as double), 0.0) as retry_rate
    from settings_detection as limits
    cross join compared
)

select
    region,
    service,
    position,
    stretch,
    requests,
    latency_p95,
    error_rate,
    throughput,
    latency_delta,
    error_rate_delta,
    throughput_delta,
    queue_wait_p95,
    error_spike_detected,
    timeout_rate,
    retry_rate
from final
