-- title: Every region against the primary, its own past and the other regions
-- grain: one row per region that the settings list or that served a request in the window
-- materialized: view
-- audit: `p95_did_ms` and `error_rate_did` are differences in differences: how much more than the
--   primary the region has moved since the baseline
-- audit: `reading` is `own` where the region moved from its past and the others, in the median, not
--   half as far in the same direction; `common` where they did; `steady` where it did not move;
--   NULL where the window or the baseline has no data
-- audit: a movement counts from the limits of the drift checks api_latency_p95 and error_rate on,
--   and where it is hardly chance
with
kpis as (
    select
        region,
        is_primary,
        requests,
        errors,
        error_rate,
        availability,
        p50_ms,
        p95_ms,
        p99_ms,
        request_share
    from region_kpis
),

past as (
    select region, requests, errors, error_rate, durations, p95_ms
    from region_past
),

-- The share of requests above the past p95, which was 5 % then.
slower as (
    select
        current.region as region,
        sketch_count(current.latency) as durations,
        sketch_count(current.latency) * (1.0 - sketch_share_within(current.latency, past.p95_ms))
            as above
    from (
        select region, sketch_merge(latency) as latency
        from request_intervals
        where side = 'current' and kind = 'requests' and service = 'all' and region <> 'all'
        group by region
    ) as current
    join past on current.region = past.region
),

limits as (
    select
        max(case when name = 'api_latency_p95' then least(threshold_percent, warning_percent) end)
            as latency_percent,
        max(case when name = 'api_latency_p95' then floor end) as latency_floor,
        max(case when name = 'error_rate' then least(threshold_percent, warning_percent) end)
            as error_percent,
        max(case when name = 'error_rate' then floor end) as error_floor
    from settings_drift
),

moved as (
    select
        kpis.*,
        past.p95_ms as past_p95_ms,
        past.error_rate as past_error_rate,
        kpis.p95_ms - past.p95_ms as p95_change_ms,
        drift_percent(past.p95_ms, kpis.p95_ms) as p95_change_percent,
        kpis.error_rate - past.error_rate as error_rate_change,
        count_ratio_p(slower.above, slower.durations, 0.05 * past.durations, past.durations)
            as p95_p_value,
        count_ratio_p(kpis.errors, kpis.requests, past.errors, past.requests) as error_rate_p_value,
        coalesce(
            abs(kpis.p95_ms - past.p95_ms) >= limits.latency_floor
            and abs(drift_percent(past.p95_ms, kpis.p95_ms)) > limits.latency_percent
            and count_ratio_p(slower.above, slower.durations, 0.05 * past.durations, past.durations)
                <= evidence.false_alarm_rate,
            false
        ) as latency_moved,
        coalesce(
            abs(kpis.error_rate - past.error_rate) >= limits.error_floor
            and abs(drift_percent(past.error_rate, kpis.error_rate)) > limits.error_percent
            and count_ratio_p(kpis.errors, kpis.requests, past.errors, past.requests)
                <= evidence.false_alarm_rate,
            false
        ) as errors_moved
    from kpis
    left join past on kpis.region = past.region
    left join slower on kpis.region = slower.region
    cross join limits
    cross join settings_drift_evidence as evidence
),

others as (
    select
        moved.region as region,
        median(other.p95_change_ms) as p95_change_ms,
        median(other.error_rate_change) as error_rate_change
    from moved
    join moved as other on moved.region <> other.region
    group by moved.region
),

primaries as (
    select p95_ms, error_rate, availability, p95_change_ms, error_rate_change
    from moved
    where is_primary
),

final as (
    select
        moved.region as region,
        moved.is_primary as is_primary,
        moved.requests as requests,
        moved.request_share as request_share,
        moved.availability as availability,
        moved.error_rate as error_rate,
        moved.p50_ms as p50_ms,
        moved.p95_ms as p95_ms,
        moved.p99_ms as p99_ms,
        moved.availability - primaries.availability as availability_delta,
        moved.error_rate - primaries.error_rate as error_rate_delta,
        moved.p95_ms - primaries.p95_ms as p95_delta_ms,
        drifts.drift_score as drift_score,
        moved.past_p95_ms as past_p95_ms,
        moved.past_error_rate as past_error_rate,
        moved.p95_change_ms as p95_change_ms,
        moved.p95_change_percent as p95_change_percent,
        moved.p95_p_value as p95_p_value,
        moved.error_rate_change as error_rate_change,
        moved.error_rate_p_value as error_rate_p_value,
        moved.p95_change_ms - primaries.p95_change_ms as p95_did_ms,
        moved.error_rate_change - primaries.error_rate_change as error_rate_did,
        case
            when moved.p95_change_ms is null and moved.error_rate_change is null then null
            when not moved.latency_moved and not moved.errors_moved then 'steady'
            when
                (
                    not moved.latency_moved
                    or others.p95_change_ms * signum(moved.p95_change_ms)
                        >= 0.5 * abs(moved.p95_change_ms)
                )
                and (
                    not moved.errors_moved
                    or others.error_rate_change * signum(moved.error_rate_change)
                        >= 0.5 * abs(moved.error_rate_change)
                )
                then 'common'
            else 'own'
        end as reading,
        cast(replication.rows_held as bigint) as replicated_rows,
        cast(replication.rows_behind as bigint) as rows_behind,
        replication.lag_mean_ms as replication_lag_mean_ms,
        replication.lag_p95_ms as replication_lag_p95_ms,
        replication.lag_max_ms as replication_lag_max_ms
    from moved
    left join others on moved.region = others.region
    left join region_drift as drifts on moved.region = drifts.region
    left join replication_health as replication on moved.region = replication.region
    left join primaries on true
)

select
    region,
    is_primary,
    requests,
    request_share,
    availability,
    error_rate,
    p50_ms,
    p95_ms,
    p99_ms,
    availability_delta,
    error_rate_delta,
    p95_delta_ms,
    drift_score,
    past_p95_ms,
    past_error_rate,
    p95_change_ms,
    p95_change_percent,
    p95_p_value,
    error_rate_change,
    error_rate_p_value,
    p95_did_ms,
    error_rate_did,
    reading,
    replicated_rows,
    rows_behind,
    replication_lag_mean_ms,
    replication_lag_p95_ms,
    replication_lag_max_ms
from final
