-- title: Whether requests are read from logs or from spans
-- grain: one row per region and service
-- materialized: once
-- audit: the fuller of the two counts, logs when they hold as many; never both, which would count
--   requests twice: sampled traces hold fewer requests than logs, and a few access lines among
--   application logs fewer than the traces
-- audit: slots of services are counted where the window and its baseline begin and end with them,
--   which is known when the query is planned; else minutes are
with
counted as (
    select 'logs' as signal, region, service, requests
    from log_service_slots
    where
        cast(least($from, $baseline_from) as bigint) % 300000000 = 0
        and cast($to as bigint) % 300000000 = 0
        and slot >= least($from, $baseline_from)
        and slot < $to
    union all
    select 'logs' as signal, region, service, requests
    from log_minutes
    where
        (
            cast(least($from, $baseline_from) as bigint) % 300000000 <> 0
            or cast($to as bigint) % 300000000 <> 0
        )
        and minute >= least($from, $baseline_from)
        and minute < $to
    union all
    select 'spans' as signal, region, service, requests
    from span_service_slots
    where
        cast(least($from, $baseline_from) as bigint) % 300000000 = 0
        and cast($to as bigint) % 300000000 = 0
        and slot >= least($from, $baseline_from)
        and slot < $to
    union all
    select 'spans' as signal, region, service, requests
    from span_minutes
    where
        (
            cast(least($from, $baseline_from) as bigint) % 300000000 <> 0
            or cast($to as bigint) % 300000000 <> 0
        )
        and minute >= least($from, $baseline_from)
        and minute < $to
),

final as (
    select
        region,
        coalesce(service, 'unknown') as service,
        case
            when
                sum(case when signal = 'logs' then requests else 0 end)
                >= sum(case when signal = 'spans' then requests else 0 end)
                then 'logs'
            else 'spans'
        end as signal
    from counted
    group by 1, 2
)

select region, service, signal
from final
