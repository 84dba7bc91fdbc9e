-- title: Rows of the rollups that SLOs count, stream by stream
-- grain: one row per stream and row of a rollup that it looks at; several rows of one stream and
--   time are added up by `slo_slots`
-- materialized: view
-- audit: slots that others read as well where they lie within the buckets, else minutes
-- audit: streams of single routes are joined by them as well, because each row of a service would
--   meet the streams of all its routes; a branch whose streams are none reads nothing
with
readable as (
    select
        streams.stream as stream,
        streams.scope as scope,
        streams.source as source,
        streams.region as region,
        streams.service as service,
        streams.route as route,
        streams.reads_latency as reads_latency,
        streams.bucket_seconds * 1000000 as bucket,
        streams.bucket_seconds >= 300 or grain.seconds = 60 as reads_slots
    from slo_stream_routes as streams
    cross join request_grain as grain
),

final as (
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join service_slots as parts
        on streams.region = parts.region
        and streams.service = parts.service
    where streams.source = 'requests' and streams.reads_slots and streams.route is null
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join slo_route_slots as parts
        on streams.region = parts.region
        and streams.service = parts.service
        and streams.route = parts.route
    where streams.source = 'requests' and streams.reads_slots
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join slo_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
    where streams.source = 'requests' and not streams.reads_slots and streams.route is null
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join slo_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where streams.source = 'requests' and not streams.reads_slots
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join slo_selected as parts
        on streams.scope = parts.slo
        and streams.region = parts.region
        and streams.service = parts.service
    where streams.source = 'selected' and streams.route is null
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from readable as streams
    join slo_selected as parts
        on streams.scope = parts.slo
        and streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where streams.source = 'selected'
)

select
    stream,
    bucket,
    minute,
    requests,
    errors,
    durations,
    case when reads_latency then latency end as latency
from final
