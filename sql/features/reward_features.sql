-- title: Regression features that follow from evaluations
-- grain: one row per region, service and interval with evaluations
-- materialized: run
-- audit: rewards of different agents and environments have different scales, so each pair is
--   compared with its own baseline: (mean now - mean then) / the larger of |mean then| and the
--   usual standard deviation of an evaluation then; the pairs are weighted by their evaluations in
--   the interval
with
windows as (
    select
        region,
        service,
        agent_type,
        environment,
        position,
        sum(rewarded) as rewarded,
        exact_sum(reward) / nullif(sum(rewarded), 0) as reward
    from evaluation_parts
    where position is not null
    group by region, service, agent_type, environment, position
),

baselines as (
    select
        region,
        service,
        agent_type,
        environment,
        exact_sum(reward) / nullif(sum(rewarded), 0) as reward,
        exact_sum(reward_std) / nullif(sum(deviations), 0) as reward_std
    from evaluation_parts
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
        sketch_quantile(sketch_merge(queue_wait), 0.95) as queue_wait_p95
    from evaluation_parts
    where position is not null
    group by region, service, position
),

usual_waits as (
    select
        region,
        service,
        sketch_quantile(sketch_merge(queue_wait), 0.95) as queue_wait_p95
    from evaluation_parts
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
