-- title: Database statements by the time they cost, with what to look at
-- when: The database is slow or busy, and the question is which statement to optimise first.
-- params: none
select
    service,
    statement,
    kind,
    calls,
    round(100 * time_share, 1) as time_percent,
    round(p95_ms, 1) as p95_ms,
    round(baseline_p95_ms, 1) as baseline_p95_ms,
    round(p95_change_percent, 1) as change_percent,
    most_calls_in_trace,
    looping_traces,
    advice
from slow_queries
order by total_ms desc, service, statement
limit 30
