-- title: How long dashboards and panels take to load
-- grain: one row per page (`dashboard`, `panel`)
-- materialized: once
-- audit: samples of a metric with the role, which say what users waited for, go before requests to
--   the routes of the settings, which say what the server took; `source` says which it was
with
pages as (
    select page, role, selector
    from (
        values
            ('dashboard', 'dashboard_load_ms', 'dashboard_route'),
            ('panel', 'panel_load_ms', 'panel_route')
    ) as listed (page, role, selector)
),

measured as (
    select role, count(*) as loads, quantile_sketch(value) as latency
    from platform_samples
    where role in ('dashboard_load_ms', 'panel_load_ms')
    group by role
),

-- A route may fit several patterns and counts once.
routes as (
    select distinct selectors.what as selector, requests.route as route
    from (select distinct route from request_slots) as requests
    join settings_selectors as selectors on requests.route like selectors.pattern
    where selectors.what in ('dashboard_route', 'panel_route')
),

served as (
    select
        routes.selector as selector,
        sum(requests.durations) as loads,
        sketch_merge(requests.latency) as latency
    from request_slots as requests
    join routes on requests.route = routes.route
    where requests.slot >= $from and requests.slot < $to
    group by routes.selector
),

chosen as (
    select
        pages.page as page,
        case
            when measured.loads > 0 then 'metric'
            when served.loads > 0 then 'requests'
        end as source,
        case when measured.loads > 0 then measured.loads else served.loads end as loads,
        case when measured.loads > 0 then measured.latency else served.latency end as latency
    from pages
    left join measured on pages.role = measured.role
    left join served on pages.selector = served.selector
),

final as (
    select
        page,
        source,
        coalesce(loads, 0) as loads,
        sketch_quantile(latency, 0.50) as p50_ms,
        sketch_quantile(latency, 0.95) as p95_ms,
        sketch_quantile(latency, 0.99) as p99_ms
    from chosen
)

select page, source, loads, p50_ms, p95_ms, p99_ms
from final
