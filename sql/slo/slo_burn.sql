-- title: Where budgets burn: error events over the windows that burn-rate alerts look at
-- grain: one row per series, tier and slot that holds events and ends a long and a
--   short window in both of which the tier's share of events, or more, was bad
-- materialized: view
-- audit: slots without events add nothing; what a correction covers is left out
-- audit: gone is the share of the period's budget that was spent by the end of the slot, where the
--   budget is that of a whole period at the average traffic of what is measured of it
with
limits as (
    select
        slo,
        array_agg(tier order by tier) as tiers,
        array_agg(long_seconds order by tier) as longs,
        array_agg(short_seconds order by tier) as shorts,
        array_agg(limit_share order by tier) as shares,
        max(allowed) as allowed
    from slo_tiers
    group by slo
),

series as (
    select
        series.series as series,
        series.slo as slo,
        series.region as region,
        series.service as service,
        series.route as route,
        limits.tiers as tiers,
        limits.longs as longs,
        limits.shorts as shorts,
        limits.shares as shares,
        limits.allowed as allowed
    from slo_series as series
    join limits on series.slo = limits.slo
),

-- Series by series: of millions of events those of one series are in memory at a time, and what
-- does not fit is sorted on disk. The number is what asks for that order.
ordered as (
    select
        series,
        slot,
        bad,
        total,
        period_start,
        row_number() over (partition by series order by slot) as number
    from slo_events
    where not is_corrected
),

found as (
    select
        ordered.series as series,
        burn_windows(
            ordered.bad,
            ordered.total,
            ordered.slot,
            ordered.period_start,
            series.longs,
            series.shorts,
            series.shares
        ) as burns
    from series
    join ordered on series.series = ordered.series
    where ordered.number > 0
    group by ordered.series
),

burning as (
    select series, unnest(burns) as burn
    from found
),

spans as (
    select
        burning.series as series,
        burning.burn['at'] as slot,
        cast(burning.burn['pair'] as bigint) as pair,
        burning.burn['long_bad'] as long_bad,
        burning.burn['long_total'] as long_total,
        burning.burn['short_bad'] as short_bad,
        burning.burn['short_total'] as short_total,
        burning.burn['spent'] as spent,
        periods.total as total,
        (
            cast(least(periods.period_end, $to) as bigint)
            - cast(greatest(periods.period_start, $from) as bigint)
        )
            / cast(
                cast(periods.period_end as bigint) - cast(periods.period_start as bigint) as double
            ) as lived
    from slo_periods as periods
    join burning
        on periods.series = burning.series and periods.period_start = burning.burn['since']
),

final as (
    select
        series.slo as slo,
        series.region as region,
        series.service as service,
        series.route as route,
        series.series as series,
        spans.slot as slot,
        series.tiers[spans.pair] as tier,
        spans.long_bad as long_bad,
        spans.long_total as long_total,
        spans.short_bad as short_bad,
        spans.short_total as short_total,
        spans.spent
            / nullif(series.allowed * spans.total / nullif(spans.lived, 0.0), 0.0) as gone
    from series
    join spans on series.series = spans.series
)

select
    slo,
    region,
    service,
    route,
    slot,
    tier,
    long_bad,
    long_total,
    short_bad,
    short_total,
    gone,
    series
from final
