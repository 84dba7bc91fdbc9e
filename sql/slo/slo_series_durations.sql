-- title: Requests with a duration that exact percentiles are made of, one by one
-- grain: one row per series with `percentiles = "exact"` and request with a duration
-- materialized: view
with
series as (
    select
        series.series as series,
        series.slo as slo,
        series.region as region,
        series.service as service,
        routes.route as route
    from slo_series as series
    join slo_stream_routes as routes on series.stream = routes.stream
    where series.reads = 'exact'
),

final as (
    select
        series.series as series,
        durations.timestamp as timestamp,
        durations.duration_ms as duration_ms
    from series
    join slo_durations as durations
        on series.slo = durations.slo
        and series.region = durations.region
        and series.service = durations.service
    where series.route is null
    union all
    select
        series.series as series,
        durations.timestamp as timestamp,
        durations.duration_ms as duration_ms
    from series
    join slo_durations as durations
        on series.slo = durations.slo
        and series.region = durations.region
        and series.service = durations.service
        and series.route = coalesce(durations.route, '')
)

select series, timestamp, duration_ms
from final
