-- title: Did every region take over: traffic, errors, latency and replication side by side
-- when: A region was failed over, or is about to be: before, to see what may be lost; after, to see that it was not.
-- params: none
select
    kpis.region as region,
    kpis.is_primary as is_primary,
    kpis.requests as requests,
    round(100 * kpis.request_share, 1) as share_percent,
    round(100 * kpis.availability, 3) as availability_percent,
    round(kpis.p95_ms, 1) as p95_ms,
    round(replication.lag_p95_ms, 1) as lag_p95_ms,
    round(replication.lag_worst_ms, 1) as lag_worst_ms,
    replication.lag_worst_at as lag_worst_at,
    replication.rows_behind as rows_behind,
    round(100 * sockets.success_rate, 2) as websocket_success_percent,
    round(sockets.reconnect_p95_ms, 0) as websocket_reconnect_p95_ms
from region_kpis as kpis
left join replication_health as replication on kpis.region = replication.region
left join ws_health as sockets on kpis.region = sockets.region
order by kpis.is_primary desc, kpis.region
