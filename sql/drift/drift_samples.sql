-- title: Samples that drift checks measure
-- grain: one row per sample and check that reads it; filter by `timestamp` when reading
-- materialized: view
-- audit: a check reads the metrics of the role of its name, but for database_latency_p95, which reads
--   database_latency_ms, and reported_request_rate, which reads request_rate beside the requests
--   themselves; `reward` reads evaluations
-- audit: values are in the unit of the role, as in metric_points
-- audit: what follows the load of the day begins anew every `cycle_hours`, `shift_hours` after the
--   beginning of 1970, which was a Thursday (a week begins on Sunday); 0 hours for all else
with
checks as (
    select
        checks.name as name,
        case checks.name
            when 'database_latency_p95' then 'database_latency_ms'
            when 'reported_request_rate' then 'request_rate'
            else checks.name
        end as role,
        case
            when not coalesce(checks.seasonal, false) or evidence.season = 'none' then 0
            when evidence.season = 'hour_of_day' then 24
            else 168
        end as cycle_hours,
        case when evidence.season = 'hour_of_week' then 96 else 0 end as shift_hours
    from settings_drift as checks
    cross join settings_drift_evidence as evidence
),

-- One small table to join with, so that samples pass one join.
read_metrics as (
    select
        roles.metric as metric,
        roles.unit as unit,
        roles.factor as factor,
        roles.role_unit as role_unit,
        checks.name as name,
        checks.cycle_hours as cycle_hours,
        checks.shift_hours as shift_hours
    from settings_metrics as roles
    join checks on roles.role = checks.role
),

points as (
    select
        timestamp,
        region,
        service,
        metric,
        value,
        -- As in metric_points.
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
        coalesce(points.service, 'unknown') as service,
        read_metrics.name as name,
        points.value * read_metrics.factor as value,
        read_metrics.role_unit as unit,
        read_metrics.cycle_hours as cycle_hours,
        read_metrics.shift_hours as shift_hours
    from points
    join read_metrics
        on points.metric = read_metrics.metric and points.unit = read_metrics.unit
    union all
    select
        evaluations.timestamp as timestamp,
        evaluations.region as region,
        coalesce(evaluations.service, 'unknown') as service,
        'reward' as name,
        evaluations.reward_mean as value,
        null as unit,
        checks.cycle_hours as cycle_hours,
        checks.shift_hours as shift_hours
    from evaluations
    join checks on checks.name = 'reward'
    where abs(evaluations.reward_mean) < cast('Infinity' as double)
)

select timestamp, region, service, name, value, unit, cycle_hours, shift_hours
from final
