-- title: Burn-rate alerts that the history would have fired
-- grain: one row per series, tier and stretch of time in which it fired
-- materialized: view
-- audit: the tiers are rows of `settings_burn_tiers`, by default those of the Site Reliability
--   Workbook (Beyer et al., 2018, chapter 5): an alert fires while both windows burn as fast as
--   would spend a tier's share of the period's budget in its long window, never below a burn rate
--   of 1, which a budget can bear; or as fast as the burn rate that the tier states
-- audit: where that burn would need more than all events to fail, all of them are enough
-- audit: a long window of fewer than `min_samples` events fires nothing (time slices are few by
--   nature), and it must burn so fast with 95 % confidence (Wilson), so that one failure among few
--   requests wakes nobody up
-- audit: a slower tier is silent while a faster one fires; stretches at most 30 minutes apart are
--   one
with
burning as (
    select
        burn.series as series,
        burn.slot as slot,
        burn.gone as gone,
        burn.tier as tier,
        tiers.budgeting as budgeting,
        tiers.allowed as allowed,
        tiers.burn_limit as burn_limit,
        tiers.min_samples as min_samples,
        burn.long_bad as long_bad,
        burn.long_total as long_total,
        burn.long_bad / cast(burn.long_total as double) as long_share
    from slo_tiers as tiers
    join slo_burn as burn on tiers.slo = burn.slo and tiers.tier = burn.tier
),

firing as (
    select
        burning.series as series,
        burning.slot as slot,
        burning.tier as tier,
        burning.gone as gone,
        burning.long_share as long_share,
        lag(burning.slot) over (
            partition by burning.series order by burning.slot, burning.tier
        ) as slot_before
    from burning
    where
        (
            burning.budgeting <> 'occurrences'
            or burning.long_total >= burning.min_samples * 1000000
        )
        and (
            burning.burn_limit * burning.allowed >= 1.0
            or wilson_lower(burning.long_bad / 1000000.0, burning.long_total / 1000000.0, 1.96)
                >= burning.burn_limit * burning.allowed
        )
),

-- Of a slot only the fastest tier, which is the first.
heard as (
    select
        series,
        slot,
        tier,
        gone,
        long_share,
        case
            when slot - lag(slot) over (
                partition by series, tier order by slot
            ) <= interval '30 minutes' then 0
            else 1
        end as is_start
    from firing
    where slot_before is null or slot_before <> slot
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by series, tier order by slot
            rows between unbounded preceding and current row
        ) as episode
    from heard
),

episodes as (
    select
        series,
        tier,
        min(slot) as started_at,
        max(slot) + interval '5 minutes' as ended_at,
        max(long_share) as long_share,
        min(gone) as gone_at_start,
        max(gone) as gone_at_end
    from numbered
    group by series, tier, episode
),

final as (
    select
        series.slo as slo,
        series.region as region,
        series.service as service,
        series.route as route,
        episodes.tier as tier,
        tiers.windows as windows,
        tiers.action as action,
        tiers.severity as severity,
        episodes.started_at as started_at,
        episodes.ended_at as ended_at,
        tiers.burn_limit as burn_limit,
        episodes.long_share / nullif(tiers.allowed, 0.0) as worst_burn,
        episodes.gone_at_start as gone_at_start,
        episodes.gone_at_end as gone_at_end
    from slo_series as series
    join slo_tiers as tiers on series.slo = tiers.slo
    join episodes on series.series = episodes.series and tiers.tier = episodes.tier
)

select
    slo,
    region,
    service,
    route,
    tier,
    windows,
    action,
    severity,
    started_at,
    ended_at,
    (cast(ended_at as bigint) - cast(started_at as bigint)) / 1000000 as duration_seconds,
    burn_limit,
    worst_burn,
    gone_at_start,
    gone_at_end
from final
