-- title: Queue depth, queue wait and CPU of a service above their usual level, by five minutes
-- when: Requests wait before work begins, or a report names queue or CPU as the leading factor.
-- params: $service: the service to look at
select
    window_start,
    region,
    round(queue_depth_mean, 1) as queue_depth_mean,
    round(queue_depth_max, 1) as queue_depth_max,
    round(queue_wait_time_p95, 1) as queue_wait_p95_ms,
    round(cpu_utilization_mean, 1) as cpu_headroom_percent,
    round(memory_utilization_mean, 1) as memory_headroom_percent
from regression_features
where service = $service
order by region, window_start
