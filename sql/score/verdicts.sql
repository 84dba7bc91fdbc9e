-- title: What kind of regression each interval is, if any
-- grain: one row per region, service and interval in which a symptom was measured
-- materialized: run
-- audit: judged by the model if one is loaded, else by the rules of the settings; `judged_by` says
--   which; `factors` lists what spoke for the verdict
-- audit: without requests or rewards nothing is judged, and nothing is taken to be benign
with
judged as (
    select
        region,
        service,
        window_start,
        window_end,
        regression_judgement(
            reward_delta,
            latency_delta,
            error_rate_delta,
            throughput_delta,
            queue_depth_mean,
            queue_depth_max,
            queue_wait_time_p95,
            cpu_utilization_mean,
            memory_utilization_mean,
            disk_io_rate,
            deployment_age_hours,
            config_change_count,
            dependency_change_count,
            hyperparameter_drift_score,
            policy_change_count,
            error_spike_detected,
            timeout_rate,
            retry_rate,
            external_api_latency_delta,
            database_latency_delta,
            cache_hit_rate_delta
        ) as judgement
    from regression_features
),

final as (
    select
        region,
        service,
        window_start,
        window_end,
        judgement['verdict'] as verdict,
        judgement['confidence'] as confidence,
        judgement['factors'] as factors,
        judgement['judged_by'] as judged_by
    from judged
    where judgement['verdict'] is not null
)

select region, service, window_start, window_end, verdict, confidence, factors, judged_by
from final
