-- title: What recording rules are made of
-- grain: one row per interval of $interval_seconds from $from, region, service, label and quantity
-- materialized: view
-- audit: `label` tells apart what has no column of its own: the agent type of evaluations, the
--   system of database calls, the peer of other calls, the type of an error or of an SLO
-- audit: `tally` is how many there were (requests, samples, windows), `total` the sum of their
--   values, `spread` a sketch of them, of metrics where a rule asks for a quantile; metrics that no
--   rule asks for are left out
-- audit: a metric with a role is the quantity `role:NAME`, in the role's unit; any metric is
--   `metric:NAME`, as it came
with
-- Most rules read sums and means: only what a quantile is asked of has a sketch for each interval.
asked as (
    select quantity, bool_or(has_spread) as has_spread
    from (
        select quantity, statistic in ('p50', 'p95', 'p99', 'max') as has_spread
        from settings_recording_rules
        union all
        select of_quantity as quantity, false as has_spread
        from settings_recording_rules
        where of_quantity is not null
    ) as named
    group by quantity
),

served as (
    select
        (cast(minute as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        region,
        service,
        sum(requests) as requests,
        sum(errors) as errors,
        sum(timeouts) as timeouts,
        sum(retries) as retries,
        sum(duration_us) / 1000.0 as duration_ms,
        sketch_merge(latency) as latency,
        sum(queue_waits) as queue_waits,
        sketch_merge(queue_wait) as queue_wait,
        sum(bytes_sent) as bytes_sent
    from request_minutes
    where minute >= $from and minute < $to
    group by position, region, service
),

request_facts as (
    select
        served.position as position,
        served.region as region,
        served.service as service,
        '' as label,
        parts.quantity as quantity,
        case parts.quantity
            when 'requests' then served.requests
            when 'request_errors' then served.errors
            when 'request_timeouts' then served.timeouts
            when 'request_retries' then served.retries
            when 'queue_waits' then served.queue_waits
            else served.requests
        end as tally,
        case parts.quantity
            when 'requests' then served.duration_ms
            when 'bytes_sent' then cast(served.bytes_sent as double)
        end as total,
        case parts.quantity
            when 'requests' then served.latency
            when 'queue_waits' then served.queue_wait
        end as spread
    from (
        values
            ('requests'),
            ('request_errors'),
            ('request_timeouts'),
            ('request_retries'),
            ('queue_waits'),
            ('bytes_sent')
    ) as parts (quantity)
    cross join served
),

evaluated as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        region,
        coalesce(service, 'unknown') as service,
        coalesce(agent_type, 'unknown') as label,
        count(*) as evaluations,
        sum(case when status = 'success' then 1 else 0 end) as succeeded,
        sum(case when status <> 'success' then 1 else 0 end) as failed,
        exact_sum(case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end)
            as duration_ms,
        quantile_sketch(case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end)
            as duration,
        count(reward_mean) as rewarded,
        exact_sum(reward_mean) as reward,
        sum(episodes) as episodes,
        sum(steps) as steps,
        count(queue_wait_ms) as waits,
        quantile_sketch(
            case when queue_wait_ms >= 0.0 and queue_wait_ms <= 1e12 then queue_wait_ms end
        ) as waited,
        count(nash_stability) as stabilities,
        exact_sum(nash_stability) as stability,
        count(nash_conflict) as conflicts,
        exact_sum(nash_conflict) as conflict
    from evaluations
    where timestamp >= $from and timestamp < $to
    group by position, region, coalesce(service, 'unknown'), coalesce(agent_type, 'unknown')
),

evaluation_facts as (
    select
        evaluated.position as position,
        evaluated.region as region,
        evaluated.service as service,
        evaluated.label as label,
        parts.quantity as quantity,
        case parts.quantity
            when 'evaluations' then evaluated.evaluations
            when 'evaluations_succeeded' then evaluated.succeeded
            when 'evaluations_failed' then evaluated.failed
            when 'rewards' then evaluated.rewarded
            when 'episodes' then evaluated.episodes
            when 'steps' then evaluated.steps
            when 'evaluation_waits' then evaluated.waits
            when 'nash_stability' then evaluated.stabilities
            else evaluated.conflicts
        end as tally,
        case parts.quantity
            when 'evaluations' then evaluated.duration_ms
            when 'rewards' then evaluated.reward
            when 'nash_stability' then evaluated.stability
            when 'nash_conflict' then evaluated.conflict
        end as total,
        case parts.quantity
            when 'evaluations' then evaluated.duration
            when 'evaluation_waits' then evaluated.waited
        end as spread
    from (
        values
            ('evaluations'),
            ('evaluations_succeeded'),
            ('evaluations_failed'),
            ('rewards'),
            ('episodes'),
            ('steps'),
            ('evaluation_waits'),
            ('nash_stability'),
            ('nash_conflict')
    ) as parts (quantity)
    cross join evaluated
),

called as (
    select
        (cast(calls.minute as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        calls.region as region,
        coalesce(calls.service, 'unknown') as service,
        calls.system as label,
        case kinds.kind when 'cache' then 'cache_calls' else 'database_calls' end as quantity,
        calls.calls as calls,
        calls.errors as errors,
        calls.total_us as total_us,
        calls.latency as latency
    from statement_minutes as calls
    join statement_kinds as kinds
        on calls.system = kinds.system and calls.statement = kinds.statement
    where calls.minute >= $from and calls.minute < $to
),

calls_summed as (
    select
        position,
        region,
        service,
        label,
        quantity,
        sum(calls) as calls,
        sum(errors) as errors,
        sum(total_us) / 1000.0 as duration_ms,
        sketch_merge(latency) as latency
    from called
    group by position, region, service, label, quantity
),

call_facts as (
    select
        position,
        region,
        service,
        label,
        quantity,
        calls as tally,
        duration_ms as total,
        latency as spread
    from calls_summed
    union all
    select
        position,
        region,
        service,
        label,
        'database_errors',
        errors,
        cast(null as double),
        arrow_cast(null, 'Binary')
    from calls_summed
    where quantity = 'database_calls'
),

role_points as (
    select
        (cast(points.timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        points.region as region,
        coalesce(points.service, '') as service,
        'role:' || points.role as quantity,
        asked.has_spread as has_spread,
        points.value as value
    from metric_points as points
    join asked on 'role:' || points.role = asked.quantity
    where points.timestamp >= $from and points.timestamp < $to and not points.is_part
),

metric_samples as (
    select
        (cast(points.timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        points.region as region,
        coalesce(points.service, '') as service,
        'metric:' || points.metric as quantity,
        asked.has_spread as has_spread,
        points.value as value
    from metrics as points
    join asked on 'metric:' || points.metric = asked.quantity
    where
        points.timestamp >= $from
        and points.timestamp < $to
        and abs(points.value) < cast('Infinity' as double)
),

metric_facts as (
    select
        position,
        region,
        service,
        '' as label,
        quantity,
        count(value) as tally,
        exact_sum(value) as total,
        quantile_sketch(case when has_spread then value end) as spread
    from (
        select * from role_points
        union all
        select * from metric_samples
    ) as samples
    group by position, region, service, quantity
),

-- Calls to whatever a client span names as its peer, databases and caches apart.
peer_calls as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        region,
        coalesce(service, 'unknown') as service,
        peer_service as label,
        count(*) as calls,
        sum(case when status = 'error' then 1 else 0 end) as errors,
        quantile_sketch(case when duration_ms >= 0.0 and duration_ms <= 1e12 then duration_ms end)
            as duration
    from spans
    where
        timestamp >= $from
        and timestamp < $to
        and kind = 'client'
        and peer_service is not null
        and attributes['db.system'] is null
        and attributes['db.system.name'] is null
    group by position, region, coalesce(service, 'unknown'), peer_service
),

peer_facts as (
    select
        peers.position as position,
        peers.region as region,
        peers.service as service,
        peers.label as label,
        parts.quantity as quantity,
        case parts.quantity when 'peer_calls' then peers.calls else peers.errors end as tally,
        cast(null as double) as total,
        case parts.quantity when 'peer_calls' then peers.duration end as spread
    from peer_calls as peers
    cross join (values ('peer_calls'), ('peer_errors')) as parts (quantity)
),

-- What happens now and then: errors by type, kills, verdicts that `tars score` kept, changes that
-- failed.
happened as (
    select
        timestamp,
        region,
        service,
        error_type as label,
        'typed_errors' as quantity,
        cast(null as double) as value
    from logs
    where timestamp >= $from and timestamp < $to and error_type is not null
    union all
    select timestamp, region, service, '', 'oom_kills', null
    from oom_events
    union all
    select window_start, region, service, verdict, 'regressions', confidence
    from predictions
    where
        window_start >= $from
        and window_start < $to
        and verdict in ('PERFORMANCE_REGRESSION', 'ENVIRONMENT_REGRESSION')
    union all
    select timestamp, region, service, kind, 'failed_changes', null
    from changes
    where timestamp >= $from and timestamp < $to and not success
),

event_facts as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000)
            as position,
        region,
        coalesce(service, 'unknown') as service,
        label,
        quantity,
        count(*) as tally,
        exact_sum(value) as total,
        quantile_sketch(value) as spread
    from happened
    group by position, region, coalesce(service, 'unknown'), label, quantity
),

-- An SLO window counts in the interval in which it starts.
slo_tallies as (
    select
        windows.position * series.window_seconds / $interval_seconds as position,
        series.region as region,
        series.service as service,
        series.type as label,
        count(windows.observed) as measured,
        sum(
            case
                when series.is_lower_better and windows.observed <= series.target then 1
                when not series.is_lower_better and windows.observed >= series.target then 1
                else 0
            end
        ) as met
    from slo_series as series
    join slo_observed as windows on series.series = windows.series
    group by 1, series.region, series.service, series.type
),

slo_facts as (
    select
        tallies.position as position,
        tallies.region as region,
        tallies.service as service,
        tallies.label as label,
        parts.quantity as quantity,
        case parts.quantity
            when 'slo_windows' then tallies.measured
            else tallies.met
        end as tally,
        cast(null as double) as total,
        arrow_cast(null, 'Binary') as spread
    from slo_tallies as tallies
    cross join (values ('slo_windows'), ('slo_windows_met')) as parts (quantity)
),

facts as (
    select position, region, service, label, quantity, tally, total, spread from request_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from evaluation_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from call_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from metric_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from peer_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from event_facts
    union all
    select position, region, service, label, quantity, tally, total, spread from slo_facts
),

final as (
    select
        arrow_cast(
            cast($from as bigint) + facts.position * $interval_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as slot,
        coalesce(facts.region, 'unknown') as region,
        coalesce(facts.service, 'unknown') as service,
        facts.label as label,
        facts.quantity as quantity,
        cast(facts.tally as bigint) as tally,
        facts.total as total,
        facts.spread as spread
    from facts
    join asked on facts.quantity = asked.quantity
)

select slot, region, service, label, quantity, tally, total, spread
from final
