-- title: Database statements by the time they cost
-- grain: one row per database system, service and statement that was called in the window
-- materialized: view
-- audit: a statement is slow when its p95 exceeds `slow_statement_ms` of the settings, and called
--   in a loop in a trace that calls it `loop_calls` times or more
-- audit: advice follows from what was measured here; a plan has to confirm it
with
calls as (
    select
        system,
        service,
        statement,
        kind,
        timestamp >= $from and timestamp < $to as is_current,
        timestamp >= $baseline_from and timestamp < $baseline_to as is_baseline,
        trace_id,
        duration_ms,
        is_error
    from database_calls
    where kind <> 'cache'
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
        sum(case when is_current then 1 else 0 end) as calls,
        sum(case when is_current and is_error then 1 else 0 end) as errors,
        exact_sum(case when is_current then duration_ms end) as total_ms,
        max(case when is_current then duration_ms end) as max_ms,
        quantile_sketch(case when is_current then duration_ms end) as latency,
        quantile_sketch(case when is_baseline then duration_ms end) as baseline_latency
    from calls
    group by system, service, statement, kind
),

in_traces as (
    select system, service, statement, kind, trace_id, count(*) as calls
    from calls
    where is_current and trace_id is not null
    group by system, service, statement, kind, trace_id
),

loops as (
    select
        in_traces.system as system,
        in_traces.service as service,
        in_traces.statement as statement,
        in_traces.kind as kind,
        count(*) as traces,
        max(in_traces.calls) as most_calls_in_trace,
        sum(case when in_traces.calls >= limits.loop_calls then 1 else 0 end) as looping_traces
    from in_traces
    cross join limits
    group by in_traces.system, in_traces.service, in_traces.statement, in_traces.kind
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
        and statements.kind = loops.kind
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
