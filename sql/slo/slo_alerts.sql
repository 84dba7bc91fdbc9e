-- title: Burn-rate alerts that the history would have fired
-- grain: one row per SLO, region, service, tier and stretch of time in which it fired
-- materialized: view
-- audit: the tiers are those of the Site Reliability Workbook (Beyer et al., 2018, chapter 5): 2 %
--   of the period's budget in an hour, 5 % in six hours, 10 % in a day, 10 % in three days, each as
--   long as its short window (5 minutes, 30 minutes, 2 hours, 6 hours) burns as fast; never below a
--   burn rate of 1, which a budget can bear
-- audit: where that burn would need more than all events to fail, all of them are enough
-- audit: a long window of fewer than `min_samples` events fires nothing (time slices are few by
--   nature), and it must burn so fast with 95 % confidence (Wilson), so that one failure among few
--   requests wakes nobody up
-- audit: a slower tier is silent while a faster one fires; stretches at most 30 minutes apart are
--   one
with
slos as (
    select name, objective, budgeting, cast(period_seconds as double) as period_seconds
    from settings_slos
),

tiers as (
    select tier, share, long_seconds
    from (
        values (1, 0.02, 3600.0), (2, 0.05, 21600.0), (3, 0.1, 86400.0), (4, 0.1, 259200.0)
    ) as workbook (tier, share, long_seconds)
),

burning as (
    select
        burn.slo as slo,
        burn.region as region,
        burn.service as service,
        burn.slot as slot,
        burn.gone as gone,
        tiers.tier as tier,
        tiers.share as share,
        tiers.long_seconds as long_seconds,
        case tiers.tier
            when 1 then bad_1h when 2 then bad_6h when 3 then bad_1d else bad_3d
        end as long_bad,
        case tiers.tier
            when 1 then total_1h when 2 then total_6h when 3 then total_1d else total_3d
        end as long_total,
        case tiers.tier
            when 1 then bad_5m when 2 then bad_30m when 3 then bad_2h else bad_6h
        end as short_bad,
        case tiers.tier
            when 1 then total_5m when 2 then total_30m when 3 then total_2h else total_6h
        end as short_total
    from slo_burn as burn
    cross join tiers
    where burn.bad_6h > 0
),

limits as (
    select
        burning.*,
        1.0 - slos.objective as allowed,
        slos.budgeting as budgeting,
        greatest(burning.share * slos.period_seconds / burning.long_seconds, 1.0) as burn_limit,
        burning.long_bad / cast(burning.long_total as double) as long_share,
        burning.short_bad / cast(burning.short_total as double) as short_share
    from burning
    join slos on burning.slo = slos.name
    where burning.short_bad > 0
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
        case tier
            when 1 then '1h+5m' when 2 then '6h+30m' when 3 then '1d+2h' else '3d+6h'
        end as windows,
        case when tier <= 2 then 'page' else 'ticket' end as action,
        case tier when 1 then 'critical' when 2 then 'error' else 'warning' end as severity,
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
