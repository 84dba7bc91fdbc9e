-- title: Whether traces hang together
-- grain: one row per region of the spans, and `all`
-- materialized: view
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
        timestamp,
        region,
        trace_id,
        span_id,
        parent_span_id,
        coalesce(attributes['peer.region'], attributes['server.region']) as peer_region,
        coalesce(status, 'ok') = 'error' as is_error
    from spans
    where
        timestamp >= $from - interval '1 hour'
        and timestamp < $to + interval '1 hour'
        and trace_id is not null
),

parents as (
    select trace_id, span_id, min(region) as region
    from spans_around
    where span_id is not null
    group by trace_id, span_id
),

judged as (
    select distinct region, trace_id, span_id, parent_span_id, peer_region, is_error
    from spans_around
    where timestamp >= $from and timestamp < $to
),

linked as (
    select
        judged.region as region,
        judged.trace_id as trace_id,
        judged.span_id as span_id,
        judged.parent_span_id as parent_span_id,
        judged.parent_span_id is not null and parents.span_id is null as is_orphan,
        parents.region is not null and parents.region <> judged.region as is_abroad
    from judged
    left join parents
        on judged.trace_id = parents.trace_id and judged.parent_span_id = parents.span_id
),

-- Calls to another region, and whether a span there says that it was reached.
hops as (
    select
        calls.trace_id as trace_id,
        calls.region as region,
        calls.peer_region as peer_region,
        count(answers.span_id) = 0 and not calls.is_error as is_unanswered
    from judged as calls
    left join spans_around as answers
        on calls.trace_id = answers.trace_id and calls.span_id = answers.parent_span_id
    where calls.peer_region is not null and calls.peer_region <> calls.region
    group by calls.trace_id, calls.span_id, calls.region, calls.peer_region, calls.is_error
),

unanswered as (
    select trace_id, sum(case when is_unanswered then 1 else 0 end) as unanswered
    from hops
    group by trace_id
),

traces as (
    select
        linked.trace_id as trace_id,
        count(distinct linked.region) > 1
            or bool_or(linked.is_abroad)
            or count(unanswered.trace_id) > 0 as is_cross_region,
        bool_or(linked.parent_span_id is null) as has_root,
        sum(case when linked.is_orphan then 1 else 0 end) as orphans,
        max(coalesce(unanswered.unanswered, 0)) as unanswered
    from linked
    left join unanswered on linked.trace_id = unanswered.trace_id
    group by linked.trace_id
),

per_span as (
    select
        linked.region as region,
        linked.trace_id as trace_id,
        linked.parent_span_id is not null as is_child,
        linked.is_orphan as is_orphan,
        linked.is_abroad as is_abroad,
        traces.has_root as has_root,
        traces.is_cross_region as is_cross_region,
        traces.is_cross_region and (traces.orphans > 0 or traces.unanswered > 0) as is_broken,
        traces.unanswered as unanswered
    from linked
    join traces on linked.trace_id = traces.trace_id
),

-- One row per trace and place first, because counting distinct traces and spans at once is slow.
per_trace as (
    select
        region,
        trace_id,
        count(*) as spans,
        sum(case when is_child then 1 else 0 end) as children,
        sum(case when is_orphan then 1 else 0 end) as orphans,
        sum(case when is_orphan and not has_root then 1 else 0 end) as rootless_orphans,
        sum(case when is_abroad then 1 else 0 end) as links_abroad,
        bool_or(not has_root) as is_rootless,
        bool_or(is_cross_region) as is_cross_region,
        bool_or(is_broken) as is_broken
    from per_span
    group by grouping sets ((region, trace_id), (trace_id))
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
        sum(rootless_orphans) as rootless_orphans,
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
