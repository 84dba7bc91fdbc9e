-- title: Database statements by the time they cost
-- grain: one row per database system, service and statement that was called in the window
-- materialized: once
-- audit: calls are counted by minutes, those of a trace as in `statement_loops`
-- audit: a statement is slow when its p95 exceeds `slow_statement_ms` of the settings, and called
--   in a loop in a trace that calls it `loop_calls` times or more
-- audit: advice follows from what was measured here; a plan has to confirm it
with
calls as (
    select
        calls.system as system,
        coalesce(calls.service, 'unknown') as service,
        calls.statement as statement,
        kinds.kind as kind,
        calls.minute >= $from and calls.minute < $to as is_current,
        calls.minute >= $baseline_from and calls.minute < $baseline_to as is_baseline,
        calls.calls as calls,
        calls.errors as errors,
        calls.total_us as total_us,
        calls.max_ms as max_ms,
        calls.latency as latency
    from statement_minutes as calls
    join statement_kinds as kinds
        on calls.system = kinds.system and calls.statement = kinds.statement
    where
        calls.minute >= least($from, $baseline_from)
        and calls.minute < $to
        and kinds.kind <> 'cache'
),

limits as (
    select loop_calls, slow_statement_ms
    from settings_platform
),

statements as (
    select
        system,
        service,
        statement,
        kind,
        sum(case when is_current then calls else 0 end) as calls,
        sum(case when is_current then errors else 0 end) as errors,
        sum(case when is_current then total_us end) / 1000.0 as total_ms,
        max(case when is_current then max_ms end) as max_ms,
        sketch_merge(case when is_current then latency end) as latency,
        sketch_merge(case when is_baseline then latency end) as baseline_latency
    from calls
    group by system, service, statement, kind
),

loops as (
    select
        loops.system as system,
        coalesce(loops.service, 'unknown') as service,
        loops.statement as statement,
        sum(loops.traces) as traces,
        max(loops.calls) as most_calls_in_trace,
        sum(case when loops.calls >= limits.loop_calls then loops.traces else 0 end)
            as looping_traces
    from statement_loops as loops
    cross join limits
    where loops.minute >= $from and loops.minute < $to
    group by 1, 2, 3
),

measured as (
    select
        statements.system as system,
        statements.service as service,
        statements.statement as statement,
        statements.kind as kind,
        statements.calls as calls,
        statements.errors as errors,
        statements.total_ms as total_ms,
        statements.total_ms / nullif(exact_sum(statements.total_ms) over (), 0.0) as time_share,
        sketch_quantile(statements.latency, 0.50) as p50_ms,
        sketch_quantile(statements.latency, 0.95) as p95_ms,
        sketch_quantile(statements.latency, 0.99) as p99_ms,
        statements.max_ms as max_ms,
        sketch_quantile(statements.baseline_latency, 0.95) as baseline_p95_ms,
        coalesce(loops.traces, 0) as traces,
        loops.most_calls_in_trace as most_calls_in_trace,
        coalesce(loops.looping_traces, 0) as looping_traces,
        statements.latency as latency
    from statements
    left join loops
        on statements.system = loops.system
        and statements.service = loops.service
        and statements.statement = loops.statement
    where statements.calls > 0
),

final as (
    select
        measured.*,
        drift_percent(baseline_p95_ms, p95_ms) as p95_change_percent,
        coalesce(p95_ms > limits.slow_statement_ms, false) as is_slow,
        nullif(
            concat_ws(
                '; ',
                case
                    when looping_traces > 0
                        then looping_traces || ' traces call it ' || limits.loop_calls
                            || ' times or more: fetch all rows with one statement'
                end,
                case
                    when p95_ms > limits.slow_statement_ms and kind = 'analytics'
                        then 'slow and over many rows: record it ahead of time, or bound it by time'
                    when p95_ms > limits.slow_statement_ms
                        then 'slow: see by its plan whether its filter uses an index or scans'
                end
            ),
            ''
        ) as advice
    from measured
    cross join limits
)

select
    system,
    service,
    statement,
    kind,
    calls,
    errors,
    total_ms,
    time_share,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms,
    baseline_p95_ms,
    p95_change_percent,
    traces,
    most_calls_in_trace,
    looping_traces,
    is_slow,
    advice,
    latency
from final
