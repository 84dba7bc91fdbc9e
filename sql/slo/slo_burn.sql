-- title: Error events over the windows that burn-rate alerts look at
-- grain: one row per SLO, region, service and slot that holds events
-- materialized: view
-- audit: a window ends with the slot and looks back; slots without events add nothing
-- audit: what a correction covers is left out
-- audit: gone is the share of the period's budget that was spent by the end of the slot, where the
--   budget is that of a whole period at the average traffic of what is measured of it
with
events as (
    select slo, region, service, slot, bad, total, period_start, period_end
    from slo_events
    where not is_corrected
),

windows as (
    select
        slo,
        region,
        service,
        slot,
        period_start,
        period_end,
        bad as bad_5m,
        total as total_5m,
        sum(bad) over half_hour as bad_30m,
        sum(total) over half_hour as total_30m,
        sum(bad) over one_hour as bad_1h,
        sum(total) over one_hour as total_1h,
        sum(bad) over two_hours as bad_2h,
        sum(total) over two_hours as total_2h,
        sum(bad) over six_hours as bad_6h,
        sum(total) over six_hours as total_6h,
        sum(bad) over one_day as bad_1d,
        sum(total) over one_day as total_1d,
        sum(bad) over three_days as bad_3d,
        sum(total) over three_days as total_3d,
        sum(bad) over so_far as bad_so_far,
        sum(total) over whole as total_whole
    from events
    window
        half_hour as (
            partition by slo, region, service order by slot
            range between interval '25 minutes' preceding and current row
        ),
        one_hour as (
            partition by slo, region, service order by slot
            range between interval '55 minutes' preceding and current row
        ),
        two_hours as (
            partition by slo, region, service order by slot
            range between interval '115 minutes' preceding and current row
        ),
        six_hours as (
            partition by slo, region, service order by slot
            range between interval '355 minutes' preceding and current row
        ),
        one_day as (
            partition by slo, region, service order by slot
            range between interval '1435 minutes' preceding and current row
        ),
        three_days as (
            partition by slo, region, service order by slot
            range between interval '4315 minutes' preceding and current row
        ),
        so_far as (
            partition by slo, region, service, period_start order by slot
            rows between unbounded preceding and current row
        ),
        whole as (partition by slo, region, service, period_start)
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
                (1.0 - slos.objective) * spans.total_whole / nullif(spans.lived, 0.0),
                0.0
            ) as gone
    from spans
    join settings_slos as slos on spans.slo = slos.name
)

select
    slo,
    region,
    service,
    slot,
    bad_5m,
    total_5m,
    bad_30m,
    total_30m,
    bad_1h,
    total_1h,
    bad_2h,
    total_2h,
    bad_6h,
    total_6h,
    bad_1d,
    total_1d,
    bad_3d,
    total_3d,
    gone
from final
