-- title: Gauges by slots of five minutes
-- grain: one row per slot, region, service, metric and unit
-- materialized: incremental
-- source: metrics
-- scope: hours
-- audit: hours are computed as a whole, so that `total` is rounded once, however samples arrived
-- audit: only gauges: NaN and infinite values, counters, histograms and summaries are left out
-- audit: a unit as in UCUM, where `{requests}` is an annotation; '' for a sample without one
with
points as (
    select
        arrow_cast(
            cast(timestamp as bigint) / 300000000 * 300000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        region,
        service,
        metric,
        case
            when unit is null then ''
            when unit like '{%}' then '1'
            when unit like '{%}/s' then '1/s'
            else unit
        end as unit,
        value
    from metrics
    where abs(value) < cast('Infinity' as double) and coalesce(kind, 'gauge') = 'gauge'
),

final as (
    select
        slot,
        region,
        service,
        metric,
        unit,
        count(*) as samples,
        exact_sum(value) as total,
        min(value) as least,
        max(value) as most,
        quantile_sketch(value) as spread
    from points
    group by slot, region, service, metric, unit
)

select slot, region, service, metric, unit, samples, total, least, most, spread
from final
