-- title: Latencies of whole hours as distributions, beside those of the baseline
-- grain: one row per hour of the window, region (and `all`) and service (and `all`) that served
--   requests in it and in the baseline
-- materialized: once
-- audit: `slot` is that of the check at the end of the hour
-- audit: `current_value` is the baseline's median and how far requests moved on average from it
--   (Wasserstein distance); the p-value is Kolmogorov's and Smirnov's
with
hours as (
    select
        least(
            (slot / blocks.slots + 1) * blocks.slots - 1,
            (cast($to as bigint) - cast($from as bigint) - 1) / ($interval_seconds * 1000000)
        ) as slot,
        region,
        service,
        sketch_merge(latency) as latency
    from (
        select greatest(3600 / $interval_seconds, 1) as slots
    ) as blocks
    cross join request_intervals
    where side = 'current' and kind = 'requests'
    group by 1, 2, 3
),

distances as (
    select
        hours.slot as slot,
        hours.region as region,
        hours.service as service,
        checks.name as name,
        checks.category as category,
        checks.threshold_percent as threshold_percent,
        checks.warning_percent as warning_percent,
        checks.critical_percent as critical_percent,
        checks.floor as floor,
        sketch_quantile(past.latency, 0.5) as baseline_value,
        sketch_quantile(past.latency, 0.5) + wasserstein(past.latency, hours.latency)
            as current_value,
        past.latency as past_latency,
        hours.latency as latency,
        past.unit as unit
    from hours
    join drift_baseline as past
        on hours.region = past.region
        and hours.service = past.service
        and past.season = -1
        and past.name = 'api_latency_p95'
    join settings_drift as checks on checks.name = 'api_latency_distribution'
    where past.latency is not null and hours.latency is not null
),

sized as (
    select
        *,
        case
            when abs(current_value - baseline_value) < floor then 'ok'
            else drift_status(
                category,
                drift_percent(baseline_value, current_value),
                threshold_percent,
                warning_percent,
                critical_percent
            )
        end as size_status
    from distances
)

select
    slot,
    region,
    service,
    name,
    category,
    threshold_percent,
    floor,
    baseline_value,
    current_value,
    drift_percent(baseline_value, current_value) as drift_percent,
    size_status,
    case when size_status <> 'ok' then ks_p_value(past_latency, latency) end as p_value,
    unit,
    case
        when size_status <> 'ok'
            then 'psi ' || cast(round(psi(past_latency, latency), 3) as varchar)
                || ', ks ' || cast(round(ks_statistic(past_latency, latency), 3) as varchar)
                || ', js ' || cast(round(js_divergence(past_latency, latency), 3) as varchar)
    end as measured
from sized
