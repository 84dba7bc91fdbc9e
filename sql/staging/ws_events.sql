-- title: What happened to WebSockets
-- grain: one row per log line of the window whose `event` begins with `ws.`
-- materialized: view
-- audit: an attempt is ws.connect, ws.reconnect, or either with `_failed`; it failed when its name,
--   its `outcome`, its level or its `error` says so
-- audit: quantities come from attributes; one that is no number, negative or longer than 31 years
--   is NULL
with
events as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        host,
        event,
        says_failure,
        latency_ms,
        reconnect_ms,
        downtime_ms,
        connected_ms,
        missed,
        heartbeats,
        lost_messages,
        messages_sent,
        close_code
    from websocket_events
    where timestamp >= $from and timestamp < $to
),

final as (
    select
        timestamp,
        region,
        service,
        host,
        event,
        event in ('ws.connect', 'ws.reconnect', 'ws.connect_failed', 'ws.reconnect_failed')
            as is_attempt,
        event in ('ws.reconnect', 'ws.reconnect_failed') as is_reconnect,
        event in ('ws.connect_failed', 'ws.reconnect_failed') or says_failure
            as is_failure,
        case when latency_ms >= 0.0 and latency_ms <= 1e12 then latency_ms end as latency_ms,
        case when reconnect_ms >= 0.0 and reconnect_ms <= 1e12 then reconnect_ms end
            as reconnect_ms,
        case when downtime_ms >= 0.0 and downtime_ms <= 1e12 then downtime_ms end as downtime_ms,
        case when connected_ms >= 0.0 and connected_ms <= 1e12 then connected_ms end
            as connected_ms,
        -- A line that says no number still tells of one.
        case when event = 'ws.heartbeat_miss' then greatest(coalesce(missed, 1), 1) end as missed,
        case when heartbeats >= 0 then heartbeats end as heartbeats,
        case when event = 'ws.message_loss' then greatest(coalesce(lost_messages, 1), 1) end
            as lost_messages,
        case when messages_sent >= 0 then messages_sent end as messages_sent,
        -- RFC 6455, section 7.4.1: 1000 is a normal closure, 1001 going away.
        event = 'ws.disconnect' and coalesce(close_code, '1000') not in ('1000', '1001')
            as is_abnormal_close
    from events
)

select
    timestamp,
    region,
    service,
    host,
    event,
    is_attempt,
    is_reconnect,
    is_failure,
    latency_ms,
    reconnect_ms,
    downtime_ms,
    connected_ms,
    missed,
    heartbeats,
    lost_messages,
    messages_sent,
    is_abnormal_close
from final
