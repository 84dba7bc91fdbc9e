-- title: Health of WebSockets
-- grain: one row per region with events, and `all`
-- materialized: once
-- audit: success is of attempts to connect or reconnect; uptime is connected time over connected
--   time and downtime, both as events tell of it; loss is of messages that events count, and is
--   NULL where none counts what was sent
-- audit: a reconnection that failed has no reconnect time, but its downtime counts
with
events as (
    select * from ws_events
),

counted as (
    select
        coalesce(region, 'all') as region,
        count(*) as events,
        sum(case when is_attempt then 1 else 0 end) as attempts,
        sum(case when is_attempt and is_failure then 1 else 0 end) as failures,
        sum(case when is_reconnect then 1 else 0 end) as reconnects,
        sum(case when is_reconnect and is_failure then 1 else 0 end) as failed_reconnects,
        sum(case when event = 'ws.disconnect' then 1 else 0 end) as disconnects,
        sum(case when is_abnormal_close then 1 else 0 end) as abnormal_closes,
        exact_avg(latency_ms) as latency_avg_ms,
        sketch_quantile(quantile_sketch(latency_ms), 0.95) as latency_p95_ms,
        count(case when not is_failure then reconnect_ms end) as timed_reconnects,
        exact_avg(case when not is_failure then reconnect_ms end) as reconnect_avg_ms,
        quantile_sketch(case when not is_failure then reconnect_ms end) as reconnect,
        max(case when not is_failure then reconnect_ms end) as reconnect_max_ms,
        max(downtime_ms) as downtime_max_ms,
        exact_sum(downtime_ms) as downtime_ms,
        exact_sum(connected_ms) as connected_ms,
        sum(missed) as heartbeats_missed,
        sum(heartbeats) as heartbeats_sent,
        sum(lost_messages) as messages_lost,
        sum(messages_sent) as messages_sent
    from events
    group by grouping sets ((region), ())
),

final as (
    select
        region,
        events,
        coalesce(attempts, 0) as attempts,
        coalesce(failures, 0) as failures,
        (attempts - failures) / nullif(cast(attempts as double), 0.0) as success_rate,
        connected_ms / nullif(connected_ms + coalesce(downtime_ms, 0.0), 0.0) as uptime,
        coalesce(disconnects, 0) as disconnects,
        coalesce(abnormal_closes, 0) as abnormal_closes,
        coalesce(reconnects, 0) as reconnects,
        coalesce(failed_reconnects, 0) as failed_reconnects,
        latency_avg_ms,
        latency_p95_ms,
        timed_reconnects,
        reconnect_avg_ms,
        sketch_quantile(reconnect, 0.50) as reconnect_p50_ms,
        sketch_quantile(reconnect, 0.95) as reconnect_p95_ms,
        reconnect_max_ms,
        downtime_max_ms,
        coalesce(downtime_ms, 0.0) as downtime_ms,
        connected_ms,
        case when events > 0 then coalesce(heartbeats_missed, 0) end as heartbeats_missed,
        heartbeats_sent,
        coalesce(heartbeats_missed, 0) / nullif(cast(heartbeats_sent as double), 0.0)
            as heartbeat_miss_rate,
        case when events > 0 then coalesce(messages_lost, 0) end as messages_lost,
        messages_sent,
        coalesce(messages_lost, 0) / nullif(cast(messages_sent as double), 0.0)
            as message_loss_rate
    from counted
)

select
    region,
    events,
    attempts,
    failures,
    success_rate,
    uptime,
    disconnects,
    abnormal_closes,
    reconnects,
    failed_reconnects,
    latency_avg_ms,
    latency_p95_ms,
    timed_reconnects,
    reconnect_avg_ms,
    reconnect_p50_ms,
    reconnect_p95_ms,
    reconnect_max_ms,
    downtime_max_ms,
    downtime_ms,
    connected_ms,
    heartbeats_missed,
    heartbeats_sent,
    heartbeat_miss_rate,
    messages_lost,
    messages_sent,
    message_loss_rate
from final
