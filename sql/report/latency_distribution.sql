-- title: Distribution of request latency
-- grain: one row per latency bucket, fastest first; the last ends at infinity
-- materialized: view
-- audit: a bucket holds what took longer than `lower_ms` and at most `upper_ms`
-- audit: shares come from the merged sketches (relative error 1 %) and add up to 1
with
merged as (
    select sketch_merge(latency) as latency
    from service_slots
    where slot >= $from and slot < $to
),

-- Bounds that separate what the platform's limits separate: 150 ms is the latency target of the
-- platform, 200 ms its threshold, 500 ms the certification limit of p99.
bounds as (
    select position, upper_ms
    from (
        values
            (1, 10.0), (2, 25.0), (3, 50.0), (4, 100.0), (5, 150.0), (6, 200.0), (7, 500.0),
            (8, 1000.0), (9, 5000.0), (10, cast('Infinity' as double))
    ) as listed (position, upper_ms)
),

cumulative as (
    select
        bounds.position as position,
        bounds.upper_ms as upper_ms,
        case
            when coalesce(sketch_count(merged.latency), 0) = 0 then null
            when bounds.upper_ms = cast('Infinity' as double) then 1.0
            else sketch_share_within(merged.latency, bounds.upper_ms)
        end as cumulative_share
    from bounds
    cross join merged
),

final as (
    select
        position,
        coalesce(lag(upper_ms) over (order by position), 0.0) as lower_ms,
        upper_ms,
        cumulative_share - coalesce(lag(cumulative_share) over (order by position), 0.0) as share,
        cumulative_share
    from cumulative
)

select position, lower_ms, upper_ms, share, cumulative_share
from final
