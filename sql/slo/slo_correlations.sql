-- title: What else moved when an SLO was violated
-- grain: one row per violation, metric and place that moved with it, ranked
-- materialized: view
-- audit: of the 50 worst violations, from two hours before to their end, by five minutes
-- audit: a metric counts in the region of the violation: requests, error rate and p95 latency of
--   every service, and the metrics that have a role in the settings; by service where they state one
-- audit: values are ranked among those of the stretch (Spearman), so that one outlier moves
--   nothing, and compared at lags of -2 to 2 slots; a positive lag_seconds says that the metric
--   moved first
-- audit: reported when the strength (the correlation at its best lag) is at least 0.6, over twelve
--   slots or more, and passes a t-test at the 0.1 % level divided by the five lags (t beyond 4.2),
--   and the metric's median within the violation differs from that before it by three robust
--   standard deviations (1.4826 times the median absolute deviation) before
with
episodes as (
    select *
    from (
        select
            slo,
            type,
            region,
            service,
            route,
            started_at,
            ended_at,
            row_number() over (
                order by
                    severity_rank desc, duration_seconds desc, started_at, slo, region, service, route
            ) as place
        from slo_episodes
        where kind = 'violation'
    )
    where place <= 50
),

-- What was observed of a violated route, at the slots of the stretch.
route_readings as (
    select
        episodes.place as place,
        episodes.type as type,
        cast(parts.slot as bigint) / 300000000 as slot,
        sum(parts.requests) as requests,
        sum(parts.errors) as errors,
        sum(parts.durations) as durations,
        sketch_merge(parts.latency) as latency
    from episodes
    join slo_scopes as scopes on episodes.slo = scopes.slo
    join slo_routes as routes
        on scopes.scope = routes.scope
        and episodes.region = routes.region
        and episodes.service = routes.service
        and episodes.route = routes.judged_as
    join slo_route_slots as parts
        on routes.reads = parts.reads
        and routes.region = parts.region
        and routes.service = parts.service
        and routes.route = parts.route
    where
        parts.slot >= greatest(episodes.started_at - interval '2 hours', $from)
        and parts.slot < least(episodes.ended_at, $to)
    group by 1, 2, 3
),

-- What the SLO itself observes, at the same slots, is the metric of its kind of the service, or of
-- the route where the SLO is judged by it.
subjects as (
    select
        episodes.place as place,
        readings.slot as slot,
        readings.value as value
    from episodes
    join slo_readings as readings
        on episodes.region = readings.region
        and episodes.service = readings.service
        and readings.metric = case episodes.type
            when 'latency' then 'latency_p95_ms'
            when 'throughput' then 'requests'
            else 'error_rate'
        end
    where
        episodes.route is null
        and readings.slot >= cast(episodes.started_at as bigint) / 300000000 - 24
        and readings.slot < (cast(episodes.ended_at as bigint) + 299999999) / 300000000
    union all
    select
        place,
        slot,
        case
            when type = 'throughput' then cast(requests as double)
            when type <> 'latency' then errors / cast(requests as double)
            when durations > 0 then sketch_quantile(latency, 0.95)
        end as value
    from route_readings
    where type <> 'latency' or durations > 0
),

candidates as (
    select
        episodes.place as place,
        readings.service as service,
        readings.metric as metric,
        readings.slot as slot,
        readings.value as value,
        readings.slot >= cast(episodes.started_at as bigint) / 300000000 as is_within
    from episodes
    join slo_readings as readings on episodes.region = readings.region
    where
        readings.slot >= cast(episodes.started_at as bigint) / 300000000 - 26
        and readings.slot < (cast(episodes.ended_at as bigint) + 299999999) / 300000000 + 2
        and not (
            readings.service = episodes.service
            and readings.metric = case episodes.type
                when 'latency' then 'latency_p95_ms'
                when 'throughput' then 'requests'
                else 'error_rate'
            end
        )
),

medians as (
    select
        place,
        service,
        metric,
        median(case when is_within then value end) as within,
        median(case when not is_within then value end) as before
    from candidates
    group by place, service, metric
),

moved as (
    select
        medians.place as place,
        medians.service as service,
        medians.metric as metric,
        max(medians.within) as within,
        max(medians.before) as before
    from medians
    join candidates
        on medians.place = candidates.place
        and medians.service = candidates.service
        and medians.metric = candidates.metric
    where not candidates.is_within
    group by medians.place, medians.service, medians.metric
    having
        max(abs(medians.within - medians.before))
            > 3.0 * 1.4826 * median(abs(candidates.value - medians.before))
),

lagged as (
    select place, service, metric, slot, value, unnest(range(-2, 3)) as lag
    from candidates
),

shifted as (
    select place, service, metric, value, lag, slot + lag as subject_slot
    from lagged
),

paired as (
    select
        shifted.place as place,
        shifted.service as service,
        shifted.metric as metric,
        shifted.lag as lag,
        subjects.value as subject,
        shifted.value as value
    from shifted
    join moved
        on shifted.place = moved.place
        and shifted.service = moved.service
        and shifted.metric = moved.metric
    join subjects
        on shifted.place = subjects.place and shifted.subject_slot = subjects.slot
),

-- Equal values share the mean of their ranks.
ranked as (
    select
        place,
        service,
        metric,
        lag,
        rank() over (partition by place, service, metric, lag order by subject)
            + (count(*) over (partition by place, service, metric, lag, subject) - 1) / 2.0 as x,
        rank() over (partition by place, service, metric, lag order by value)
            + (count(*) over (partition by place, service, metric, lag, value) - 1) / 2.0 as y
    from paired
),

sums as (
    select
        place,
        service,
        metric,
        lag,
        count(*) as n,
        exact_sum(x) as x,
        exact_sum(y) as y,
        exact_sum(x * y) as xy,
        exact_sum(x * x) as xx,
        exact_sum(y * y) as yy
    from ranked
    group by place, service, metric, lag
),

strengths as (
    select
        place,
        service,
        metric,
        lag,
        n,
        (n * xy - x * y) / nullif(sqrt((n * xx - x * x) * (n * yy - y * y)), 0.0) as strength
    from sums
    where n >= 12
),

best as (
    select
        *,
        row_number() over (
            partition by place, service, metric order by abs(strength) desc, abs(lag), lag desc
        ) as choice
    from strengths
    where strength is not null
),

final as (
    select
        episodes.slo as slo,
        episodes.region as region,
        episodes.service as service,
        episodes.route as route,
        episodes.started_at as started_at,
        row_number() over (
            partition by best.place order by abs(best.strength) desc, best.service, best.metric
        ) as place,
        best.service as moved_service,
        best.metric as metric,
        best.strength as strength,
        best.lag * 300 as lag_seconds,
        moved.before as before,
        moved.within as within,
        best.n as slots
    from best
    join episodes on best.place = episodes.place
    join moved
        on best.place = moved.place and best.service = moved.service and best.metric = moved.metric
    where
        best.choice = 1
        and abs(best.strength) >= 0.6
        and abs(best.strength)
            * sqrt((best.n - 2) / greatest(1.0 - best.strength * best.strength, 1e-12))
            >= 4.2
)

select
    slo,
    region,
    service,
    route,
    started_at,
    place,
    moved_service,
    metric,
    strength,
    lag_seconds,
    before,
    within,
    slots
from final
