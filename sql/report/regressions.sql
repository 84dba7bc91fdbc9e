-- title: Regressions as episodes
-- grain: one row per stretch of windows of one region and service with the same bad verdict
-- materialized: run
-- audit: a verdict that is UNCERTAIN is none
-- audit: two stretches at most one interval apart are one regression
-- audit: fewer than `min_windows` bad windows that share no requests may be chance and are no
--   regression: a window judged over a stretch of n intervals adds 1/n to those before it
with
judged as (
    select region, service, window_start, window_end, verdict, confidence, factors, judged_by
    from verdicts
    where window_start >= $from and window_start < $to and verdict not in ('BENIGN', 'UNCERTAIN')
),

-- What a window adds in parts of a whole one. Integers add up the same in any order; 27720 can be
-- divided by each of 1 to 12, the most that `pooled_windows` can be.
weighed as (
    select
        judged.*,
        27720 / coalesce(requested.stretch, 1) as share
    from judged
    left join request_features as requested
        on judged.region = requested.region
        and judged.service = requested.service
        and (cast(judged.window_start as bigint) - cast($from as bigint))
            / ($interval_seconds * 1000000) = requested.position
),

reach as (
    select
        *,
        max(window_end) over (
            partition by region, service, verdict
            order by window_start, window_end
            rows between unbounded preceding and 1 preceding
        ) as reached
    from weighed
),

starts as (
    select
        *,
        case
            when extract(epoch from window_start) - extract(epoch from reached)
                <= $interval_seconds then 0
            else 1
        end as is_start
    from reach
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by region, service, verdict
            order by window_start, window_end
            rows between unbounded preceding and current row
        ) as episode
    from starts
),

episodes as (
    select
        region,
        service,
        verdict,
        episode,
        min(window_start) as started_at,
        max(window_end) as ended_at,
        count(*) as windows,
        max(confidence) as confidence,
        first_value(factors order by confidence desc, window_start) as factors,
        max(judged_by) as judged_by
    from numbered
    group by region, service, verdict, episode
    -- The first window counts in full, because nothing before it is shared.
    having
        1 + sum(case when is_start = 1 then 0 else share end) / 27720
            >= (select max(min_windows) from settings_detection)
),

-- What was changed there last before it ended, as far back as the baseline reaches.
changed as (
    select timestamp, region, service, kind, key, version, detail
    from changes
    where
        timestamp >= least($baseline_from, $from)
        and timestamp < $to
        and kind <> 'rollback_test'
),

candidates as (
    select
        episodes.region as region,
        episodes.service as service,
        episodes.verdict as verdict,
        episodes.episode as episode,
        changed.timestamp as changed_at,
        changed.kind as change_kind,
        coalesce(changed.version, changed.key, changed.detail) as change_name
    from episodes
    join changed
        on episodes.service = changed.service
        and changed.region in (episodes.region, 'unknown', 'global', 'all')
        and changed.timestamp < episodes.ended_at
),

last_change as (
    select
        region,
        service,
        verdict,
        episode,
        max(changed_at) as changed_at,
        last_value(change_kind order by changed_at, change_kind, change_name) as change_kind,
        last_value(change_name order by changed_at, change_kind, change_name) as change_name
    from candidates
    group by region, service, verdict, episode
),

final as (
    select
        episodes.region as region,
        episodes.service as service,
        episodes.verdict as verdict,
        episodes.started_at as started_at,
        episodes.ended_at as ended_at,
        episodes.windows as windows,
        episodes.confidence as confidence,
        episodes.factors[1]['feature'] as factor_1,
        episodes.factors[1]['value'] as factor_1_value,
        episodes.factors[1]['threshold'] as factor_1_threshold,
        episodes.factors[2]['feature'] as factor_2,
        episodes.factors[2]['value'] as factor_2_value,
        episodes.factors[2]['threshold'] as factor_2_threshold,
        episodes.factors[3]['feature'] as factor_3,
        episodes.factors[3]['value'] as factor_3_value,
        episodes.factors[3]['threshold'] as factor_3_threshold,
        last_change.changed_at as changed_at,
        last_change.change_kind as change_kind,
        last_change.change_name as change_name,
        episodes.judged_by as judged_by
    from episodes
    left join last_change
        on episodes.region = last_change.region
        and episodes.service = last_change.service
        and episodes.verdict = last_change.verdict
        and episodes.episode = last_change.episode
)

select
    region,
    service,
    verdict,
    started_at,
    ended_at,
    windows,
    confidence,
    factor_1,
    factor_1_value,
    factor_1_threshold,
    factor_2,
    factor_2_value,
    factor_2_threshold,
    factor_3,
    factor_3_value,
    factor_3_threshold,
    changed_at,
    change_kind,
    change_name,
    judged_by
from final
