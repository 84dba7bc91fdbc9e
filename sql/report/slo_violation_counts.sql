-- title: SLO violations by type and severity
-- grain: one row per SLO type and severity that occurred
-- materialized: view
with
episodes as (
    select type, severity, severity_rank, kind, windows, region, service
    from slo_episodes
),

final as (
    select
        type,
        severity,
        max(severity_rank) as severity_rank,
        sum(case when kind = 'violation' then 1 else 0 end) as violations,
        sum(case when kind = 'anomaly' then 1 else 0 end) as anomalies,
        sum(case when kind = 'low_traffic' then 1 else 0 end) as low_traffic,
        sum(windows) as windows,
        count(distinct service) as services,
        count(distinct region) as regions
    from episodes
    group by type, severity
)

select type, severity, severity_rank, violations, anomalies, low_traffic, windows, services, regions
from final
