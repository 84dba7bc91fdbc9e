-- title: Series that dashboards read, computed ahead of time
-- grain: one row per rule of the settings, interval, region, service and label; `all` where the
--   rule does not tell them apart
-- materialized: view
-- audit: a rule names a quantity of `recorded_facts`, a statistic over it and what tells its series
--   apart; nothing measured gives no row, never a 0
-- audit: rate is tally by second; mean, p50, p95 and p99 are of values; ratio is the tally over
--   that of `of_quantity`; share is a series' part of all series of its rule in the interval; sum
--   adds up the means of regions, services and labels; trend is the moving average (EWMA) of
--   earlier means, rate_change and mean_change are the distance of rate or mean from theirs, as a
--   share of it
with
rules as (
    select name, series_group, quantity, of_quantity, statistic, apart, unit
    from settings_recording_rules
),

uses as (
    select name, apart, quantity, true as is_value from rules
    union all
    select name, apart, of_quantity, false from rules where of_quantity is not null
),

gathered as (
    select
        uses.name as name,
        facts.slot as slot,
        case when uses.apart in ('region', 'region_service') then facts.region else 'all' end
            as region,
        case when uses.apart in ('service', 'region_service') then facts.service else 'all' end
            as service,
        case when uses.apart = 'label' then facts.label else 'all' end as label,
        sum(case when uses.is_value then facts.tally end) as tally,
        sum(case when not uses.is_value then facts.tally end) as of_tally,
        exact_sum(case when uses.is_value then facts.total end) as total,
        exact_sum(
            case when uses.is_value then facts.total / nullif(cast(facts.tally as double), 0.0) end
        ) as sum_of_means,
        sketch_merge(case when uses.is_value then facts.spread end) as spread
    from recorded_facts as facts
    join uses on facts.quantity = uses.quantity
    group by
        uses.name,
        facts.slot,
        case when uses.apart in ('region', 'region_service') then facts.region else 'all' end,
        case when uses.apart in ('service', 'region_service') then facts.service else 'all' end,
        case when uses.apart = 'label' then facts.label else 'all' end
),

measured as (
    select
        rules.series_group as series_group,
        gathered.name as rule,
        gathered.slot as slot,
        gathered.region as region,
        gathered.service as service,
        gathered.label as label,
        rules.statistic as statistic,
        case rules.statistic
            when 'count' then cast(gathered.tally as double)
            when 'rate' then gathered.tally / cast($interval_seconds as double)
            when 'total_rate' then gathered.total / cast($interval_seconds as double)
            when 'mean' then gathered.total / nullif(cast(gathered.tally as double), 0.0)
            when 'trend' then gathered.total / nullif(cast(gathered.tally as double), 0.0)
            when 'mean_change' then gathered.total / nullif(cast(gathered.tally as double), 0.0)
            when 'rate_change' then gathered.tally / cast($interval_seconds as double)
            when 'sum' then gathered.sum_of_means
            when 'p50' then sketch_quantile(gathered.spread, 0.50)
            when 'p95' then sketch_quantile(gathered.spread, 0.95)
            when 'p99' then sketch_quantile(gathered.spread, 0.99)
            when 'max' then sketch_quantile(gathered.spread, 1.0)
            when 'ratio'
                then coalesce(gathered.tally, 0) / nullif(cast(gathered.of_tally as double), 0.0)
            when 'share'
                then gathered.tally / nullif(
                    cast(
                        sum(gathered.tally) over (partition by gathered.name, gathered.slot)
                        as double
                    ),
                    0.0
                )
        end as value,
        rules.unit as unit
    from gathered
    join rules on gathered.name = rules.name
),

smoothed as (
    select
        measured.*,
        ewma(measured.value, limits.ewma_alpha) over (
            partition by measured.rule, measured.region, measured.service, measured.label
            order by measured.slot
        ) as trend
    from settings_detection as limits
    cross join measured
),

final as (
    select
        series_group,
        rule,
        slot,
        region,
        service,
        label,
        case
            when statistic = 'trend' then trend
            when statistic in ('rate_change', 'mean_change')
                then (value - trend) / nullif(abs(trend), 0.0)
            else value
        end as value,
        unit
    from smoothed
)

select series_group, rule, slot, region, service, label, value, unit
from final
where value is not null
