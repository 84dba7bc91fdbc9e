-- title: How far each region is from the primary
-- grain: one row per region; the primary itself is at 0
-- materialized: view
-- audit: NULL where either the region or the primary has no latency
with
kpis as (
    select region, is_primary, p95_ms, error_rate
    from region_kpis
),

primaries as (
    select p95_ms, error_rate
    from kpis
    where is_primary
),

limits as (
    select
        (
            select max(amount) from settings_health where item = 'regional_drift_ms'
        ) as drift_ms,
        (
            select min(target) from settings_slos where type = 'error_rate'
        ) as error_rate
),

distances as (
    select
        kpis.region as region,
        kpis.p95_ms - primaries.p95_ms as drift_ms,
        kpis.error_rate - primaries.error_rate as error_rate_delta
    from kpis
    cross join primaries
),

-- The score is 1 where the region is as far from the primary as the limit allows, in latency (p95)
-- or in error rate, whichever is worse.
final as (
    select
        distances.region as region,
        distances.drift_ms as drift_ms,
        greatest(
            abs(distances.drift_ms) / nullif(limits.drift_ms, 0),
            abs(distances.error_rate_delta) / nullif(limits.error_rate, 0)
        ) as drift_score
    from distances
    cross join limits
)

select region, drift_ms, drift_score
from final
