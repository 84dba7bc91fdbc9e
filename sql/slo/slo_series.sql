-- title: SLOs and composites, place by place, with what they ask for
-- grain: one row per SLO, region and service with any data in the window or its baseline, and by
--   route where the SLO is judged by it; one row per composite and region of its parts, whose
--   service is `all`
-- materialized: once
-- audit: a series is an SLO at a region and service, and at a route where it is judged by route
-- audit: series is a number: models by time have it instead of names, which are joined to what
--   comes out
-- audit: route is NULL where the SLO is not judged by route
-- audit: stream and what belongs to windows are NULL for composites
-- audit: what counts as an anomaly is in every row, because a filter over it must not become a join:
--   least_step is how far a value has to be from its expectation, as `deviation_floor` of the way from
--   target to threshold, or of a tenth of the target where these are the same
with
known as (
    select distinct stream
    from slo_counts
),

measured as (
    select
        slos.name as slo,
        slos.type as type,
        streams.region as region,
        streams.service as service,
        streams.judged_as as route,
        streams.stream as stream,
        slos.window_seconds as window_seconds,
        scopes.bucket_seconds as bucket_seconds,
        slos.percentile as percentile,
        slos.target as target,
        slos.threshold as threshold,
        slos.type in ('latency', 'error_rate') as is_lower_better,
        coalesce(slos.band, 'bollinger') as band,
        coalesce(slos.detect, 'both') as detect,
        scopes.reads as reads,
        slos.budgeting as budgeting,
        slos.time_zone as time_zone,
        limits.ewma_alpha as ewma_alpha,
        limits.band_periods as band_periods,
        limits.band_width as band_width,
        limits.zscore_limit as zscore_limit,
        limits.min_samples as min_samples,
        limits.deviation_floor
        * coalesce(nullif(abs(slos.threshold - slos.target), 0.0), 0.1 * slos.target)
            as least_step
    from settings_slos as slos
    join slo_scopes as scopes on slos.name = scopes.slo
    join slo_streams as streams on scopes.scope = streams.scope
    join known on streams.stream = known.stream
    cross join settings_detection as limits
),

composites as (
    select distinct composites.name as slo, measured.region as region
    from settings_composites as composites
    join measured on composites.part = measured.slo
),

final as (
    select
        slo,
        type,
        region,
        service,
        route,
        stream,
        window_seconds,
        bucket_seconds,
        percentile,
        target,
        threshold,
        is_lower_better,
        band,
        detect,
        reads,
        budgeting,
        time_zone,
        ewma_alpha,
        band_periods,
        band_width,
        zscore_limit,
        min_samples,
        least_step
    from measured
    union all
    select
        slo,
        'composite' as type,
        region,
        'all' as service,
        null as route,
        null as stream,
        null as window_seconds,
        null as bucket_seconds,
        null as percentile,
        null as target,
        null as threshold,
        null as is_lower_better,
        null as band,
        null as detect,
        'parts' as reads,
        'ratio_timeslices' as budgeting,
        null as time_zone,
        null as ewma_alpha,
        null as band_periods,
        null as band_width,
        null as zscore_limit,
        null as min_samples,
        null as least_step
    from composites
)

select
    cast(row_number() over (order by slo, region, service, route) as bigint) as series,
    slo,
    type,
    region,
    service,
    route,
    stream,
    window_seconds,
    bucket_seconds,
    percentile,
    target,
    threshold,
    is_lower_better,
    band,
    detect,
    reads,
    budgeting,
    time_zone,
    ewma_alpha,
    band_periods,
    band_width,
    zscore_limit,
    min_samples,
    least_step
from final
