-- title: What the health score is made of
-- grain: one row per deduction: SLO with violations, error rate, class of regression, regional
--   drift
-- materialized: run
-- audit: `quantity` and `points` are NULL where nothing was measured that could cost points
-- audit: an SLO violation is an episode of `slo_episodes`, a regression one of `regressions`: one
--   incident costs once, not once per window of five minutes
with
amounts as (
    select item, amount
    from settings_health
),

violated as (
    select slo, count(*) as violations
    from slo_episodes
    where kind = 'violation'
    group by slo
),

measured_slos as (
    select coalesce(sum(measured_windows), 0) as windows
    from slo_compliance
),

regressed as (
    select verdict, exact_sum(confidence) as confidence
    from regressions
    group by verdict
),

judged as (
    select count(*) as windows
    from verdicts
    where window_start >= $from and window_start < $to and verdict is not null
),

apart as (
    select region, drift_ms
    from region_drift
    where drift_ms is not null
),

furthest as (
    select
        count(*) as regions,
        max(abs(drift_ms)) as drift_ms,
        first_value(region order by abs(drift_ms) desc, region) as region
    from apart
),

drift_limit as (
    select max(amount) as drift_ms
    from amounts
    where item = 'regional_drift_ms'
),

-- What one row says about each item. The items are rows, not constants of a branch each: the
-- engine would push a filter on a constant below the aggregates, where it empties what they count
-- instead of the result.
items as (
    select position, item
    from (
        values
            (1, 'slo_violation'), (2, 'error_rate'), (3, 'regression'), (4, 'regional_drift')
    ) as listed (position, item)
),

single as (
    select
        items.position as position,
        items.item as item,
        case items.item
            when 'slo_violation'
                then case when measured_slos.windows > 0 then 'none' else 'no SLO was measured' end
            when 'error_rate'
                then case when kpis.requests > 0 then 'all requests' else 'no requests' end
            when 'regression'
                then case when judged.windows > 0 then 'none' else 'no window was judged' end
            else
                case
                    when furthest.regions < 2 then 'fewer than two regions were measured'
                    else 'furthest: ' || arrow_cast(furthest.region, 'Utf8')
                end
        end as detail,
        case items.item
            when 'slo_violation' then case when measured_slos.windows > 0 then 0.0 end
            when 'error_rate' then kpis.error_rate
            when 'regression' then case when judged.windows > 0 then 0.0 end
            else
                case
                    when furthest.regions < 2 then null
                    when furthest.drift_ms > drift_limit.drift_ms then 1.0
                    else 0.0
                end
        end as quantity
    from items
    cross join measured_slos
    cross join (select requests, error_rate from kpi_summary) as kpis
    cross join judged
    cross join furthest
    cross join drift_limit
),

counted as (
    select
        1 as position,
        'slo_violation' as item,
        slo as detail,
        cast(violations as double) as quantity
    from violated
    union all
    select
        3 as position,
        'regression' as item,
        verdict as detail,
        confidence as quantity
    from regressed
),

lines as (
    select position, item, detail, quantity
    from counted
    union all
    select single.position, single.item, single.detail, single.quantity
    from single
    left join (select distinct item from counted) as found on single.item = found.item
    where found.item is null
),

final as (
    select
        lines.position as position,
        lines.item as item,
        lines.detail as detail,
        lines.quantity as quantity,
        amounts.amount as amount,
        lines.quantity * amounts.amount as points
    from lines
    left join amounts on lines.item = amounts.item
)

select position, item, detail, quantity, amount, points
from final
