-- title: Burn-rate alerts that the history would have fired
-- grain: one row per SLO, region, service, tier and stretch of time in which it fired
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
slos as (
    select name, objective, budgeting, cast(period_seconds as double) as period_seconds
    from slo_objectives
),

burning as (
    select
        burn.slo as slo,
        burn.region as region,
        burn.service as service,
        burn.slot as slot,
        burn.gone as gone,
        tiers.tier as tier,
        tiers.windows as windows,
        tiers.action as action,
        tiers.severity as severity,
        tiers.share as share,
        tiers.burn_rate as burn_rate,
        cast(tiers.long_seconds as double) as long_seconds,
        burn.bad_sums as bad_sums,
        burn.total_sums as total_sums,
        cast(array_position(burn.lengths, tiers.long_seconds) as bigint) as long_place,
        cast(array_position(burn.lengths, tiers.short_seconds) as bigint) as short_place
    from slo_burn as burn
    join settings_burn_tiers as tiers on burn.slo = tiers.slo
),

summed as (
    select
        slo,
        region,
        service,
        slot,
        gone,
        tier,
        windows,
        action,
        severity,
        share,
        burn_rate,
        long_seconds,
        bad_sums[long_place] as long_bad,
        total_sums[long_place] as long_total,
        bad_sums[short_place] as short_bad,
        total_sums[short_place] as short_total
    from burning
),

limits as (
    select
        summed.*,
        1.0 - slos.objective as allowed,
        slos.budgeting as budgeting,
        coalesce(
            summed.burn_rate,
            greatest(summed.share * slos.period_seconds / summed.long_seconds, 1.0)
        ) as burn_limit,
        summed.long_bad / cast(summed.long_total as double) as long_share,
        summed.short_bad / cast(summed.short_total as double) as short_share
    from summed
    join slos on summed.slo = slos.name
    where summed.short_bad > 0
),

firing as (
    select
        limits.*,
        min(limits.tier) over (
            partition by limits.slo, limits.region, limits.service, limits.slot
        ) as fastest
    from limits
    cross join (select max(min_samples) as min_samples from settings_detection) as detection
    where
        limits.long_share >= least(limits.burn_limit * limits.allowed, 1.0)
        and limits.short_share >= least(limits.burn_limit * limits.allowed, 1.0)
        and (
            limits.budgeting <> 'occurrences'
            or limits.long_total >= detection.min_samples * 1000000
        )
        and (
            limits.burn_limit * limits.allowed >= 1.0
            or wilson_lower(limits.long_bad / 1000000.0, limits.long_total / 1000000.0, 1.96)
                >= limits.burn_limit * limits.allowed
        )
),

heard as (
    select
        *,
        case
            when slot - lag(slot) over (
                partition by slo, region, service, tier order by slot
            ) <= interval '30 minutes' then 0
            else 1
        end as is_start
    from firing
    where tier = fastest
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by slo, region, service, tier order by slot
            rows between unbounded preceding and current row
        ) as episode
    from heard
),

final as (
    select
        slo,
        region,
        service,
        tier,
        max(windows) as windows,
        max(action) as action,
        max(severity) as severity,
        min(slot) as started_at,
        max(slot) + interval '5 minutes' as ended_at,
        max(burn_limit) as burn_limit,
        max(long_share) / nullif(max(allowed), 0.0) as worst_burn,
        min(gone) as gone_at_start,
        max(gone) as gone_at_end,
        episode
    from numbered
    group by slo, region, service, tier, episode
)

select
    slo,
    region,
    service,
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
