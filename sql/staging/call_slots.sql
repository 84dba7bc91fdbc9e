-- title: Calls to databases and external APIs by slots of five minutes
-- grain: one row per slot, region, service and target of the window and its baseline
-- materialized: run
-- audit: the calls of `client_call_minutes`; slots are those of `request_slots`
with
cut as (
    select seconds * 1000000 as length
    from request_grain
),

final as (
    select
        arrow_cast(
            cast(calls.minute as bigint) / cut.length * cut.length,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        calls.region as region,
        calls.service as service,
        calls.target as target,
        sum(calls.calls) as calls,
        sketch_merge(calls.latency) as latency
    from client_call_minutes as calls
    cross join cut
    group by 1, 2, 3, 4
)

select slot, region, service, target, calls, latency
from final
