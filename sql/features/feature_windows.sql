-- title: Intervals in which a service says anything of itself
-- grain: one row per region, service and interval of $interval_seconds from $from with any
--   telemetry
-- materialized: run
with
windows as (
    select region, service, position from request_features
    union
    select region, service, position from metric_features where service is not null
    union
    select region, service, position from call_features
    union
    select region, service, position from reward_features
),

final as (
    select
        region,
        service,
        position,
        arrow_cast(
            cast($from as bigint) + position * $interval_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as window_start,
        -- The last interval ends with the range, where that is no multiple of its length.
        least(
            arrow_cast(
                cast($from as bigint) + (position + 1) * $interval_seconds * 1000000,
                'Timestamp(Microsecond, Some("UTC"))'
            ),
            $to
        ) as window_end
    from windows
)

select region, service, position, window_start, window_end
from final
