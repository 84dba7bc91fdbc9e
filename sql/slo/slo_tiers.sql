-- title: How fast each SLO's budget may burn before somebody is told
-- grain: one row per SLO or composite and burn tier
-- materialized: view
-- audit: burn_limit is how many times as fast as the budget can bear: what spends the tier's share
--   of the period's budget in its long window, never below 1; or what the tier states
-- audit: limit_share is the share of bad events that this is; where it would be more than all
--   events, all of them are enough
with
final as (
    select
        slos.name as slo,
        slos.budgeting as budgeting,
        1.0 - slos.objective as allowed,
        tiers.tier as tier,
        tiers.windows as windows,
        tiers.action as action,
        tiers.severity as severity,
        tiers.long_seconds as long_seconds,
        tiers.short_seconds as short_seconds,
        detection.min_samples as min_samples,
        coalesce(
            tiers.burn_rate,
            greatest(
                tiers.share * cast(slos.period_seconds as double)
                    / cast(tiers.long_seconds as double),
                1.0
            )
        ) as burn_limit
    from slo_objectives as slos
    join settings_burn_tiers as tiers on slos.name = tiers.slo
    cross join settings_detection as detection
)

select
    slo,
    budgeting,
    allowed,
    tier,
    windows,
    action,
    severity,
    long_seconds,
    short_seconds,
    min_samples,
    burn_limit,
    least(burn_limit * allowed, 1.0) as limit_share
from final
