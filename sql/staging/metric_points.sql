-- title: Metric samples that play a role
-- grain: one row per sample of a metric that the settings give a role; filter by `timestamp` when
--   reading
-- materialized: view
-- audit: values are in the unit of the role; a sample whose stated unit does not convert to it is
--   left out
-- audit: `is_part` marks samples of a part of what the role means, such as the reads of disk_io
-- audit: `version` is what the labels of a sample say; mostly they say nothing
-- audit: only gauges: NaN and infinite values, counters, histograms and summaries are left out
with
points as (
    select
        timestamp,
        region,
        service,
        host,
        metric,
        value,
        coalesce(
            labels['version'],
            labels['service.version'],
            labels['service_version'],
            labels['app_version']
        ) as version,
        -- The settings know samples without a unit as ''. In UCUM `{requests}` is an annotation.
        case
            when unit is null then ''
            when unit like '{%}' then '1'
            when unit like '{%}/s' then '1/s'
            else unit
        end as unit
    from metrics
    where abs(value) < cast('Infinity' as double) and coalesce(kind, 'gauge') = 'gauge'
),

final as (
    select
        points.timestamp as timestamp,
        points.region as region,
        points.service as service,
        points.host as host,
        roles.role as role,
        points.metric as metric,
        points.value * roles.factor as value,
        roles.role_unit as unit,
        roles.is_part as is_part,
        points.version as version
    from points
    join settings_metrics as roles
        on points.metric = roles.metric and points.unit = roles.unit
)

select timestamp, region, service, host, role, metric, value, unit, is_part, version
from final
