-- title: Samples of the metrics that the checks of the platform read one by one
-- grain: one row per sample of the window whose metric has one of their roles
-- materialized: once
-- audit: values are in the unit of the role; a sample whose stated unit does not convert to it is
--   left out, and so are NaN and infinite values
-- audit: gauges, but for the rows that regions hold, which counters may tell: those are compared
--   where they stand, not by how fast they move
with
roles as (
    select role, metric, unit, factor
    from settings_metrics
    where
        role in (
            'memory_usage',
            'replication_lag_ms',
            'replicated_rows',
            'dashboard_load_ms',
            'panel_load_ms'
        )
),

-- The metric is looked up by its name alone first: few have such a role, and units take long to
-- read.
points as (
    select
        timestamp,
        region,
        service,
        host,
        metric,
        value,
        coalesce(kind, 'gauge') = 'gauge' as is_gauge,
        -- The settings know samples without a unit as ''. In UCUM `{requests}` is an annotation.
        case
            when unit is null then ''
            when unit like '{%}' then '1'
            when unit like '{%}/s' then '1/s'
            else unit
        end as unit
    from metrics
    where
        timestamp >= $from
        and timestamp < $to
        and abs(value) < cast('Infinity' as double)
        and metric in (select metric from roles)
),

final as (
    select
        points.timestamp as timestamp,
        points.region as region,
        points.service as service,
        points.host as host,
        roles.role as role,
        points.metric as metric,
        points.value * roles.factor as value
    from points
    join roles on points.metric = roles.metric and points.unit = roles.unit
    where points.is_gauge or roles.role = 'replicated_rows'
)

select timestamp, region, service, host, role, metric, value
from final
