-- title: Whether traces hang together
-- grain: one row per region of the spans, and `all`
-- materialized: once
-- audit: a span is judged when it names a parent and its trace has a span in the window; what was
--   never sampled has no span, so sampling alone breaks nothing
-- audit: continuity is the share of such spans whose parent is in the lake; a parent may lie up to
--   an hour outside of the window, so that its edges cut no trace
-- audit: a trace is broken across regions when it touches two or more and has an orphan, or a call
--   to another region that succeeded and that no span there answers to
-- audit: orphans of traces without a root may hang below a parent that a sampler dropped: they
--   count as orphans, and `rootless_orphans` says how many they are
with
spans_around as (
    select
        region,
        trace_id,
        span_id,
        parent_span_id,
        coalesce(attributes['peer.region'], attributes['server.region']) as peer_region,
        coalesce(status, 'ok') = 'error' as is_error,
        timestamp >= $from and timestamp < $to as is_judged
    from spans
    where
        timestamp >= $from - interval '1 hour'
        and timestamp < $to + interval '1 hour'
        and trace_id is not null
),

-- Each trace is judged once, as a whole; joining its spans with each other takes far longer.
judged as (
    select
        unnest(
            trace_parts(region, span_id, parent_span_id, peer_region, is_error, is_judged)
        ) as part
    from spans_around
    group by trace_id
),

per_trace as (
    select
        part['region'] as region,
        part['spans'] as spans,
        part['child_spans'] as children,
        part['orphans'] as orphans,
        part['links_abroad'] as links_abroad,
        part['is_rootless'] as is_rootless,
        part['is_cross_region'] as is_cross_region,
        part['is_broken'] as is_broken
    from judged
),

final as (
    select
        coalesce(region, 'all') as region,
        count(*) as traces,
        sum(spans) as spans,
        sum(children) as child_spans,
        sum(children) - sum(orphans) as connected_spans,
        sum(orphans) as orphaned_spans,
        (sum(children) - sum(orphans)) / nullif(cast(sum(children) as double), 0.0) as continuity,
        sum(case when is_rootless then 1 else 0 end) as rootless_traces,
        sum(case when is_rootless then orphans else 0 end) as rootless_orphans,
        sum(links_abroad) as cross_region_links,
        sum(case when is_cross_region then 1 else 0 end) as cross_region_traces,
        sum(case when is_broken then 1 else 0 end) as broken_cross_region_traces
    from per_trace
    group by region
)

select
    region,
    traces,
    spans,
    child_spans,
    connected_spans,
    orphaned_spans,
    continuity,
    rootless_traces,
    rootless_orphans,
    cross_region_links,
    cross_region_traces,
    broken_cross_region_traces
from final
