-- title: Metrics that play a role, by slots of five minutes
-- grain: several rows may stand for one slot, region, service, role and metric; readers add them up
-- materialized: run
-- audit: slots are minutes where `request_grain` says so; those are read from the samples themselves
-- audit: values are in the unit of the role; samples whose stated unit does not convert to it are
--   left out
with
sampled as (
    select
        date_trunc('minute', timestamp) as slot,
        region,
        service,
        metric,
        case
            when unit is null then ''
            when unit like '{%}' then '1'
            when unit like '{%}/s' then '1/s'
            else unit
        end as unit,
        count(*) as samples,
        exact_sum(value) as total,
        min(value) as least,
        max(value) as most,
        quantile_sketch(value) as spread
    from metrics
    cross join request_grain as grain
    where
        grain.seconds = 60
        and timestamp >= least($from, $baseline_from)
        and timestamp < greatest($to, $baseline_to)
        and abs(value) < cast('Infinity' as double)
        and coalesce(kind, 'gauge') = 'gauge'
    group by 1, 2, 3, 4, 5
),

slots as (
    select slot, region, service, metric, unit, samples, total, least, most, spread
    from sampled
    union all
    select
        rolled.slot as slot,
        rolled.region as region,
        rolled.service as service,
        rolled.metric as metric,
        rolled.unit as unit,
        rolled.samples as samples,
        rolled.total as total,
        rolled.least as least,
        rolled.most as most,
        rolled.spread as spread
    from metric_slots as rolled
    cross join request_grain as grain
    where
        grain.seconds = 300
        and rolled.slot >= least($from, $baseline_from)
        and rolled.slot < greatest($to, $baseline_to)
),

final as (
    select
        slots.slot as slot,
        slots.region as region,
        slots.service as service,
        roles.role as role,
        slots.metric as metric,
        roles.is_part as is_part,
        slots.samples as samples,
        slots.total * roles.factor as total,
        -- A negative factor turns the ends around.
        greatest(slots.least * roles.factor, slots.most * roles.factor) as most,
        roles.factor as factor,
        slots.spread as spread,
        roles.role_unit as unit
    from slots
    join settings_metrics as roles
        on slots.metric = roles.metric and slots.unit = roles.unit
)

select slot, region, service, role, metric, is_part, samples, total, most, factor, spread, unit
from final
