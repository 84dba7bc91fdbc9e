-- title: Rewards of agents, by interval
-- grain: one row per side, interval, region and service that finished an evaluation with a reward
-- materialized: once
-- audit: `side` and `slot` as in request_intervals; `total` / `samples` is the mean of rewards
with
sides as (
    select side, since, until
    from (
        values
            ('current', $from, $to),
            ('baseline', $baseline_from, $baseline_to)
    ) as listed (side, since, until)
    where side = 'current' or $baseline_name = ''
),

final as (
    select
        sides.side as side,
        (cast(played.timestamp as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000) as slot,
        played.region as region,
        coalesce(played.service, 'unknown') as service,
        exact_sum(played.reward_mean) as total,
        count(*) as samples
    from evaluations as played
    join sides on played.timestamp >= sides.since and played.timestamp < sides.until
    where abs(played.reward_mean) < cast('Infinity' as double)
    group by
        sides.side,
        (cast(played.timestamp as bigint) - cast(sides.since as bigint))
            / ($interval_seconds * 1000000),
        played.region,
        coalesce(played.service, 'unknown')
)

select side, slot, region, service, total, samples
from final
