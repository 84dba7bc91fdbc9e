-- title: What services and their hosts did, by five minutes
-- grain: one row per region, service, metric and slot that was measured
-- materialized: view
-- audit: requests, error rate and p95 latency of every service, and the metrics that have a role in
--   the settings; those that state no service are of service `all`
-- audit: slot counts five minutes since 1970
with
requests as (
    select
        region,
        service,
        cast(slot as bigint) / 300000000 as slot,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(durations) as durations,
        sketch_merge(latency) as latency
    from service_slots
    where slot >= $from and slot < $to
    group by 1, 2, 3
),

final as (
    select region, service, 'requests' as metric, slot, cast(requests as double) as value
    from requests
    union all
    select region, service, 'error_rate', slot, errors / cast(requests as double)
    from requests
    union all
    select region, service, 'latency_p95_ms', slot, sketch_quantile(latency, 0.95)
    from requests
    where durations > 0
    union all
    select
        region,
        coalesce(service, 'all') as service,
        role as metric,
        cast(slot as bigint) / 300000000 as slot,
        exact_sum(total) / sum(samples) as value
    from role_slots
    where slot >= $from and slot < $to
    group by 1, 2, 3, 4
)

select region, service, metric, slot, value
from final
