-- title: Where work waits: depth, wait and throughput of queues by five minutes
-- when: Evaluations wait for workers, or jobs pile up while CPU is idle.
-- params: $service: the service whose workers are short
select
    slot,
    max(case when rule = 'queue_depth_max' then value end) as queue_depth_max,
    round(max(case when rule = 'queue_wait_p95' then value end), 1) as queue_wait_p95_ms,
    round(max(case when rule = 'queue_processing_rate' then value end), 3) as processed_per_second,
    round(max(case when rule = 'cpu_utilization_mean' then value end), 1) as cpu_percent,
    max(case when rule = 'replicas_total' then value end) as replicas
from recording_rules
where
    service = $service
    and rule in (
        'queue_depth_max',
        'queue_wait_p95',
        'queue_processing_rate',
        'cpu_utilization_mean',
        'replicas_total'
    )
group by slot
order by slot
