-- title: What each SLO observed in each window
-- grain: one row per SLO, region, service and window; windows follow each other from $from
-- materialized: run
-- audit: a window without data has a row with `observed` NULL and `samples` 0: it is not measured,
--   so it is neither met nor violated
-- audit: services are those with any data in the window or its baseline, so that one that fell
--   silent shows as not measured
-- audit: good_share is the share of requests within the target (latency) or without failure; NULL
--   for throughput, whose windows have no good and bad requests
-- audit: met means at least as good as the target, violated means worse than the threshold
with
slos as (
    select
        name,
        type,
        target,
        threshold,
        window_seconds,
        percentile,
        region,
        service,
        route,
        type in ('latency', 'error_rate') as is_lower_better
    from settings_slos
),

-- SLOs that look at the same requests in the same windows share one pass over them.
scopes as (
    select
        window_seconds,
        region,
        service,
        route,
        max(case when type = 'latency' then 1 else 0 end) as reads_latency
    from slos
    where type <> 'evaluation_success'
    group by window_seconds, region, service, route
),

requests_in_scope as (
    select
        scopes.window_seconds as window_seconds,
        scopes.region as only_region,
        scopes.service as only_service,
        scopes.route as only_route,
        requests.region as region,
        requests.service as service,
        -- Minutes of the baseline make their service known, nothing else.
        case
            when requests.minute >= $from
                then (cast(requests.minute as bigint) - cast($from as bigint))
                    / (scopes.window_seconds * 1000000)
        end as position,
        requests.requests as requests,
        requests.errors as errors,
        requests.durations as durations,
        case when scopes.reads_latency = 1 and requests.minute >= $from then requests.latency end
            as latency
    from scopes
    join request_minutes as requests
        on coalesce(scopes.region, requests.region) = requests.region
        and coalesce(scopes.service, requests.service) = requests.service
        and (scopes.route is null or scopes.route = requests.route)
),

request_windows as (
    select
        window_seconds,
        only_region,
        only_service,
        only_route,
        region,
        service,
        position,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(durations) as durations,
        sketch_merge(latency) as latency
    from requests_in_scope
    group by window_seconds, only_region, only_service, only_route, region, service, position
),

request_observations as (
    select
        slos.name as slo,
        request_windows.region as region,
        request_windows.service as service,
        request_windows.position as position,
        case slos.type
            when 'latency' then sketch_quantile(request_windows.latency, slos.percentile)
            when 'error_rate' then request_windows.errors / cast(request_windows.requests as double)
            when 'availability'
                then (request_windows.requests - request_windows.errors)
                    / cast(request_windows.requests as double)
            when 'throughput' then request_windows.requests / cast(slos.window_seconds as double)
        end as observed,
        case
            when slos.type = 'latency' then request_windows.durations
            else request_windows.requests
        end as samples,
        case slos.type
            when 'latency' then sketch_share_below(request_windows.latency, slos.target)
            when 'throughput' then null
            else (request_windows.requests - request_windows.errors)
                / cast(request_windows.requests as double)
        end as good_share
    from slos
    join request_windows
        on slos.window_seconds = request_windows.window_seconds
        and (slos.region is not distinct from request_windows.only_region)
        and (slos.service is not distinct from request_windows.only_service)
        and (slos.route is not distinct from request_windows.only_route)
    where slos.type <> 'evaluation_success'
),

evaluation_windows as (
    select
        slos.name as slo,
        evaluations.region as region,
        coalesce(evaluations.service, 'unknown') as service,
        case
            when evaluations.timestamp >= $from
                then (cast(evaluations.timestamp as bigint) - cast($from as bigint))
                    / (slos.window_seconds * 1000000)
        end as position,
        sum(case when evaluations.status = 'success' then 1 else 0 end) as successes,
        count(*) as samples
    from slos
    join evaluations
        on coalesce(slos.region, evaluations.region) = evaluations.region
        and (slos.service is null or slos.service = evaluations.service)
    where
        slos.type = 'evaluation_success'
        and evaluations.status is not null
        and evaluations.timestamp >= least($from, $baseline_from)
        and evaluations.timestamp < $to
    group by 1, 2, 3, 4
),

observations as (
    select slo, region, service, position, observed, samples, good_share
    from request_observations
    union all
    select
        slo,
        region,
        service,
        position,
        successes / cast(samples as double) as observed,
        samples,
        successes / cast(samples as double) as good_share
    from evaluation_windows
),

series as (
    select distinct slo, region, service
    from observations
),

-- Every window of every series, whether or not anything was observed in it.
grid as (
    select
        slos.name as slo,
        slos.type as type,
        series.region as region,
        series.service as service,
        slos.window_seconds as window_seconds,
        slos.percentile as percentile,
        slos.target as target,
        slos.threshold as threshold,
        slos.is_lower_better as is_lower_better,
        unnest(
            range(
                0,
                (cast($to as bigint) - cast($from as bigint) + slos.window_seconds * 1000000 - 1)
                    / (slos.window_seconds * 1000000)
            )
        ) as position
    from series
    join slos on series.slo = slos.name
),

final as (
    select
        grid.slo as slo,
        grid.type as type,
        grid.region as region,
        grid.service as service,
        arrow_cast(
            cast($from as bigint) + grid.position * grid.window_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last window ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (grid.position + 1) * grid.window_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end,
        observations.observed as observed,
        coalesce(observations.samples, 0) as samples,
        observations.good_share as good_share,
        grid.target as target,
        grid.threshold as threshold,
        grid.percentile as percentile,
        grid.is_lower_better as is_lower_better,
        case
            when grid.is_lower_better then observations.observed <= grid.target
            else observations.observed >= grid.target
        end as is_met,
        case
            when grid.is_lower_better then observations.observed > grid.threshold
            else observations.observed < grid.threshold
        end as is_violated
    from grid
    left join observations
        on grid.slo = observations.slo
        and grid.region = observations.region
        and grid.service = observations.service
        and grid.position = observations.position
)

select
    slo,
    type,
    region,
    service,
    window_start,
    window_end,
    observed,
    samples,
    target,
    threshold,
    percentile,
    is_lower_better,
    is_met,
    is_violated,
    good_share
from final
