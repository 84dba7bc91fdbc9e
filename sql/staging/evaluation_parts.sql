-- title: What evaluations brought, by interval and in the baseline
-- grain: one row per region, service, agent type, environment, interval (NULL outside of the window)
--   and whether it is of the baseline
-- materialized: once
with
evaluated as (
    select
        region,
        coalesce(service, 'unknown') as service,
        coalesce(agent_type, 'unknown') as agent_type,
        coalesce(environment, 'unknown') as environment,
        case
            when timestamp >= $from and timestamp < $to
                then (cast(timestamp as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        timestamp >= $baseline_from and timestamp < $baseline_to as in_baseline,
        status,
        case when abs(reward_mean) < cast('Infinity' as double) then reward_mean end as reward_mean,
        case when reward_std >= 0.0 and reward_std < cast('Infinity' as double) then reward_std end
            as reward_std,
        case when queue_wait_ms >= 0.0 and queue_wait_ms <= 1e12 then queue_wait_ms end
            as queue_wait_ms
    from evaluations
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < greatest($to, $baseline_to)
),

final as (
    select
        region,
        service,
        agent_type,
        environment,
        position,
        in_baseline,
        count(status) as evaluations,
        sum(case when status = 'success' then 1 else 0 end) as succeeded,
        count(reward_mean) as rewarded,
        exact_sum(reward_mean) as reward,
        count(reward_std) as deviations,
        exact_sum(reward_std) as reward_std,
        quantile_sketch(queue_wait_ms) as queue_wait
    from evaluated
    group by region, service, agent_type, environment, position, in_baseline
)

select
    region,
    service,
    agent_type,
    environment,
    position,
    in_baseline,
    evaluations,
    succeeded,
    rewarded,
    reward,
    deviations,
    reward_std,
    queue_wait
from final
