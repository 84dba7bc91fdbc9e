-- title: What happened to WebSockets, as log lines tell it
-- grain: one row per log line of the files read whose `event` begins with `ws.`
-- materialized: incremental
-- source: logs
-- audit: quantities come from attributes; one that is no number is NULL
with
final as (
    select
        timestamp,
        region,
        service,
        host,
        lower(event) as event,
        level in ('ERROR', 'FATAL')
            or error is not null
            or coalesce(lower(attributes['outcome']), '')
            in ('failure', 'failed', 'error', 'timeout') as says_failure,
        coalesce(
            try_cast(attributes['handshake_ms'] as double),
            try_cast(attributes['latency_ms'] as double),
            duration_ms
        ) as latency_ms,
        try_cast(attributes['reconnect_ms'] as double) as reconnect_ms,
        try_cast(attributes['downtime_ms'] as double) as downtime_ms,
        try_cast(attributes['connected_ms'] as double) as connected_ms,
        try_cast(attributes['missed'] as bigint) as missed,
        try_cast(attributes['heartbeats'] as bigint) as heartbeats,
        try_cast(attributes['lost_messages'] as bigint) as lost_messages,
        try_cast(attributes['messages_sent'] as bigint) as messages_sent,
        attributes['close_code'] as close_code
    from logs
    where event ilike 'ws.%'
)

select
    timestamp,
    region,
    service,
    host,
    event,
    coalesce(says_failure, false) as says_failure,
    latency_ms,
    reconnect_ms,
    downtime_ms,
    connected_ms,
    missed,
    heartbeats,
    lost_messages,
    messages_sent,
    close_code
from final
