-- title: Spans whose parent is nowhere, newest first
-- when: Trace continuity is below 100 %: the pairs of service and operation that lose the context most are named here.
-- params: none
with around as (
    select timestamp, region, service, name, trace_id, span_id, parent_span_id
    from spans
    where
        timestamp >= $from - interval '1 hour'
        and timestamp < $to + interval '1 hour'
        and trace_id is not null
),

orphans as (
    select child.region, child.service, child.name, child.trace_id, child.timestamp
    from around as child
    left join around as parent
        on child.trace_id = parent.trace_id and child.parent_span_id = parent.span_id
    where
        child.parent_span_id is not null
        and parent.span_id is null
        and child.timestamp >= $from
        and child.timestamp < $to
)

select
    service,
    name,
    region,
    count(*) as orphans,
    count(distinct trace_id) as traces,
    max(timestamp) as last_at,
    min(trace_id) as example
from orphans
group by service, name, region
order by orphans desc, service, name, region
limit 50
