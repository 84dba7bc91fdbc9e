-- title: Every region in the baseline
-- grain: one row per region that served a request in the baseline
-- materialized: view
with
baseline as (
    select region, name, events, trials, latency
    from drift_baseline
    where
        service = 'all'
        and region <> 'all'
        and season = -1
        and name in ('api_latency_p95', 'error_rate')
),

final as (
    select
        region,
        sum(case when name = 'error_rate' then trials end) as requests,
        sum(case when name = 'error_rate' then events end) as errors,
        sum(case when name = 'error_rate' then events end)
            / sum(case when name = 'error_rate' then trials end) as error_rate,
        sum(case when name = 'api_latency_p95' then trials end) as durations,
        sketch_quantile(
            sketch_merge(case when name = 'api_latency_p95' then latency end), 0.95
        ) as p95_ms
    from baseline
    group by region
)

select region, requests, errors, error_rate, durations, p95_ms
from final
