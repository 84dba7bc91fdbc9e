-- title: Regression features that follow from evaluations
-- grain: one row per region, service and interval with evaluations
-- materialized: run
-- audit: rewards of different agents and environments have different scales, so each pair is
--   compared with its own baseline: (mean now - mean then) / the larger of |mean then| and the
--   usual standard deviation of an evaluation then; the pairs are weighted by their evaluations in
--   the interval
with
evaluated as (
    select
        region,
        coalesce(service, 'unknown') as service,
        coalesce(agent_type, 'unknown') as agent_type,
        coalesce(environment, 'unknown') as environment,
        case
            when timestamp >= $from
                then (cast(timestamp as bigint) - cast($from as bigint))
                    / ($interval_seconds * 1000000)
        end as position,
        timestamp >= $baseline_from and timestamp < $baseline_to as in_baseline,
        case when abs(reward_mean) < cast('Infinity' as double) then reward_mean end as reward_mean,
        case when reward_std >= 0.0 and reward_std < cast('Infinity' as double) then reward_std end
            as reward_std,
        case when queue_wait_ms >= 0.0 and queue_wait_ms <= 1e12 then queue_wait_ms end
            as queue_wait_ms
    from evaluations
    where timestamp >= least($from, $baseline_from) and timestamp < $to
),

windows as (
    select
        region,
        service,
        agent_type,
        environment,
        position,
        count(reward_mean) as rewarded,
        exact_avg(reward_mean) as reward
    from evaluated
    where position is not null
    group by region, service, agent_type, environment, position
),

baselines as (
    select
        region,
        service,
        agent_type,
        environment,
        exact_avg(reward_mean) as reward,
        exact_avg(reward_std) as reward_std
    from evaluated
    where in_baseline
    group by region, service, agent_type, environment
),

deltas as (
    select
        windows.region as region,
        windows.service as service,
        windows.position as position,
        windows.rewarded as rewarded,
        (windows.reward - baselines.reward)
            / nullif(greatest(abs(baselines.reward), coalesce(baselines.reward_std, 0.0)), 0.0)
                as delta
    from windows
    left join baselines
        on windows.region = baselines.region
        and windows.service = baselines.service
        and windows.agent_type = baselines.agent_type
        and windows.environment = baselines.environment
),

weighted as (
    select
        region,
        service,
        position,
        exact_sum(delta * rewarded)
            / nullif(sum(case when delta is not null then rewarded end), 0) as reward_delta
    from deltas
    group by region, service, position
),

waits as (
    select
        region,
        service,
        position,
        sketch_quantile(quantile_sketch(queue_wait_ms), 0.95) as queue_wait_p95
    from evaluated
    where position is not null
    group by region, service, position
),

usual_waits as (
    select
        region,
        service,
        sketch_quantile(quantile_sketch(queue_wait_ms), 0.95) as queue_wait_p95
    from evaluated
    where in_baseline
    group by region, service
),

final as (
    select
        waits.region as region,
        waits.service as service,
        waits.position as position,
        weighted.reward_delta as reward_delta,
        waits.queue_wait_p95 - coalesce(usual_waits.queue_wait_p95, 0.0) as queue_wait_p95
    from waits
    left join usual_waits
        on waits.region = usual_waits.region and waits.service = usual_waits.service
    left join weighted
        on waits.region = weighted.region
        and waits.service = weighted.service
        and waits.position = weighted.position
)

select region, service, position, reward_delta, queue_wait_p95
from final
