-- title: Whether requests are read from logs or from spans
-- grain: one row per region and service
-- materialized: once
-- audit: the fuller of the two counts, logs when they hold as many; never both, which would count
--   requests twice: sampled traces hold fewer requests than logs, and a few access lines among
--   application logs fewer than the traces
with
log_totals as (
    select region, coalesce(service, 'unknown') as service, sum(requests) as requests
    from log_minutes
    where minute >= least($from, $baseline_from) and minute < $to
    group by 1, 2
),

span_totals as (
    select region, coalesce(service, 'unknown') as service, sum(requests) as requests
    from span_minutes
    where minute >= least($from, $baseline_from) and minute < $to
    group by 1, 2
),

final as (
    select
        coalesce(log_totals.region, span_totals.region) as region,
        coalesce(log_totals.service, span_totals.service) as service,
        case
            when coalesce(log_totals.requests, 0) >= coalesce(span_totals.requests, 0) then 'logs'
            else 'spans'
        end as signal
    from log_totals
    full outer join span_totals
        on log_totals.region = span_totals.region and log_totals.service = span_totals.service
)

select region, service, signal
from final
