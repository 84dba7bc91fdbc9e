-- title: Which corrections are for which series
-- grain: one row per series of `slo_series` that corrections are for
-- materialized: once
-- audit: a correction of a route is for series of that route alone: those of SLOs that are judged
--   by route, or that have that route as their filter
-- audit: series with the same corrections share a scope, so that what they cover is found by scope
--   and minute
with
covered as (
    select
        series.series as series,
        array_to_string(array_agg(corrections.name order by corrections.name), chr(31)) as names
    from slo_series as series
    join settings_slos as slos on series.slo = slos.name
    join settings_corrections as corrections
        on (corrections.slo is null or corrections.slo = series.slo)
        and (corrections.region is null or corrections.region = series.region)
        and (corrections.service is null or corrections.service = series.service)
        and (
            corrections.route is null
            or corrections.route = coalesce(series.route, slos.route)
        )
    group by series.series
)

select
    series,
    cast(dense_rank() over (order by names) as bigint) as scope,
    string_to_array(names, chr(31)) as names
from covered
