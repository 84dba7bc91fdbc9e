-- title: Rows of the rollups that SLOs count, stream by stream
-- grain: one row per stream and row of a rollup that it looks at; several rows of one stream and
--   time are added up by `slo_counts`
-- materialized: view
-- audit: slots that others read as well where they lie within the buckets, else minutes
-- audit: rollups are joined with streams as they are, and not what is made of them: how many rows a
--   rollup has is known, so that the few streams are what a join holds in memory
-- audit: streams of single routes are joined by them as well, because each row of a service would
--   meet the streams of all its routes; a branch whose streams are none reads nothing
with
final as (
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join log_service_slots as parts
        on streams.region = parts.region
        and streams.service = coalesce(parts.service, 'unknown')
    where
        streams.source = 'requests'
        and streams.reads = 'slots'
        and streams.signal = 'logs'
        and streams.route is null
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join log_slots as parts
        on streams.region = parts.region
        and streams.service = coalesce(parts.service, 'unknown')
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'requests'
        and streams.reads = 'slots'
        and streams.signal = 'logs'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join span_service_slots as parts
        on streams.region = parts.region
        and streams.service = coalesce(parts.service, 'unknown')
    where
        streams.source = 'requests'
        and streams.reads = 'slots'
        and streams.signal = 'spans'
        and streams.route is null
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join span_slots as parts
        on streams.region = parts.region
        and streams.service = coalesce(parts.service, 'unknown')
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'requests'
        and streams.reads = 'slots'
        and streams.signal = 'spans'
        and parts.slot >= least($from, $baseline_from)
        and parts.slot < $to
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join minute_slots as parts
        on streams.region = parts.region
        and streams.service = parts.service
    where
        streams.source = 'requests'
        and streams.reads = 'parts'
        and streams.route is null
    union all
    select
        streams.*,
        parts.slot as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join minute_slots as parts
        on streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'requests'
        and streams.reads = 'parts'
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_log_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
    where
        streams.source = 'requests'
        and streams.reads = 'minutes'
        and streams.signal = 'logs'
        and streams.route is null
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_log_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'requests'
        and streams.reads = 'minutes'
        and streams.signal = 'logs'
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_span_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
    where
        streams.source = 'requests'
        and streams.reads = 'minutes'
        and streams.signal = 'spans'
        and streams.route is null
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_span_minutes as parts
        on streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'requests'
        and streams.reads = 'minutes'
        and streams.signal = 'spans'
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_selected as parts
        on streams.scope = parts.slo
        and streams.region = parts.region
        and streams.service = parts.service
    where
        streams.source = 'selected'
        and streams.route is null
    union all
    select
        streams.*,
        parts.minute as minute,
        parts.requests as requests,
        parts.errors as errors,
        parts.durations as durations,
        parts.latency as latency
    from slo_stream_routes as streams
    join slo_selected as parts
        on streams.scope = parts.slo
        and streams.region = parts.region
        and streams.service = parts.service
        and streams.route = coalesce(parts.route, '')
    where
        streams.source = 'selected'
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
