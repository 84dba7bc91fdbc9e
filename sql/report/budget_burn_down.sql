-- title: How much of the window's error budget was left, over time
-- grain: one row per SLO and end of one of its windows, up to 120 of them, over all regions and
--   services; place orders the SLOs by how little was left
-- materialized: view
-- audit: the budget is what the objective allows to fail of all that the window measured; a value
--   below 0 means that more failed
-- audit: throughput SLOs have no good and bad requests, so no budget; windows that a correction
--   covers count on neither side
-- audit: this is the budget of the window of the report; those of the SLOs' own periods are in
--   `slo_budgets`
with
-- Windows that were measured, of all that `slo_windows` lists.
windows as (
    select
        series.series as series,
        series.slo as slo,
        arrow_cast(
            cast($from as bigint) + observed.position * series.window_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        least(
            arrow_cast(
                cast($from as bigint) + (observed.position + 1) * series.window_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end,
        observed.samples as samples,
        observed.good_share as good_share
    from slo_series as series
    join slo_observed as observed on series.series = observed.series
),

measured as (
    select
        windows.slo as slo,
        windows.window_end as time,
        cast(windows.samples as double) as samples,
        windows.samples * (1.0 - windows.good_share) as bad
    from windows
    left join slo_corrections as corrections on windows.series = corrections.series
    left join slo_maintenance as maintenance
        on corrections.scope = maintenance.scope
        and date_trunc('minute', windows.window_start) = maintenance.minute
    where windows.good_share is not null and maintenance.minute is null
),

by_time as (
    select slo, time, exact_sum(samples) as samples, exact_sum(bad) as bad
    from measured
    group by slo, time
),

-- In millionths, so that the running sums are exact in any order.
counted as (
    select
        slo,
        time,
        cast(round(samples * 1000000.0) as bigint) as samples,
        cast(round(bad * 1000000.0) as bigint) as bad
    from by_time
),

burnt as (
    select
        slo,
        time,
        sum(bad) over (
            partition by slo order by time rows between unbounded preceding and current row
        ) as bad,
        sum(samples) over (partition by slo) as samples
    from counted
),

remaining as (
    select
        burnt.slo as slo,
        burnt.time as time,
        1.0 - burnt.bad
            / nullif((1.0 - slos.objective) * cast(burnt.samples as double), 0.0) as left_share,
        row_number() over (partition by burnt.slo order by burnt.time desc) as from_end,
        count(*) over (partition by burnt.slo) as points
    from burnt
    join settings_slos as slos on burnt.slo = slos.name
),

least as (
    select
        slo,
        row_number() over (order by min(left_share), slo) as place
    from remaining
    where left_share is not null
    group by slo
),

-- As many points as a chart can show, the last one among them.
final as (
    select
        remaining.slo as slo,
        remaining.time as time,
        remaining.left_share as left_share,
        least.place as place
    from remaining
    join least on remaining.slo = least.slo
    where (remaining.from_end - 1) % ((remaining.points + 119) / 120) = 0
)

select slo, time, left_share, place
from final
