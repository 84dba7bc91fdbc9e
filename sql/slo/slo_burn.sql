-- title: Error events over the windows that burn-rate alerts look at
-- grain: one row per SLO, region, service and slot that holds events
-- materialized: view
-- audit: `lengths` are the windows of all burn tiers in seconds; `bad_sums` and `total_sums` are
--   the events of the window of each length that ends with the slot
-- audit: slots without events add nothing; what a correction covers is left out
-- audit: gone is the share of the period's budget that was spent by the end of the slot, where the
--   budget is that of a whole period at the average traffic of what is measured of it
with
lengths as (
    select array_agg(distinct seconds order by seconds) as lengths
    from (
        select long_seconds as seconds from settings_burn_tiers
        union all
        select short_seconds as seconds from settings_burn_tiers
    )
),

events as (
    select slo, region, service, slot, bad, total, period_start, period_end
    from slo_events
    where not is_corrected
),

windows as (
    select
        events.slo as slo,
        events.region as region,
        events.service as service,
        events.slot as slot,
        events.bad as bad,
        events.period_start as period_start,
        events.period_end as period_end,
        lengths.lengths as lengths,
        trailing_sums(events.bad, events.slot, lengths.lengths) over history as bad_sums,
        trailing_sums(events.total, events.slot, lengths.lengths) over history as total_sums,
        sum(events.bad) over so_far as bad_so_far,
        sum(events.total) over whole as total_whole
    from events
    cross join lengths
    window
        history as (partition by events.slo, events.region, events.service order by events.slot),
        so_far as (
            partition by events.slo, events.region, events.service, events.period_start
            order by events.slot
            rows between unbounded preceding and current row
        ),
        whole as (
            partition by events.slo, events.region, events.service, events.period_start
        )
),

spans as (
    select
        *,
        (cast(least(period_end, $to) as bigint) - cast(greatest(period_start, $from) as bigint))
            / cast(cast(period_end as bigint) - cast(period_start as bigint) as double) as lived
    from windows
),

final as (
    select
        spans.*,
        spans.bad_so_far
            / nullif(
                (1.0 - objectives.objective) * spans.total_whole / nullif(spans.lived, 0.0),
                0.0
            ) as gone
    from spans
    join slo_objectives as objectives on spans.slo = objectives.name
)

select slo, region, service, slot, lengths, bad_sums, total_sums, gone
from final
