-- title: What is observed for criteria and checks
-- grain: one row per measure; every measure has one, also without data
-- materialized: once
-- audit: observed is NULL when nothing was measured; `samples` says how much it rests on
-- audit: `sql` is a query of its own that gives the observed value
-- audit: critical incidents are critical alerts that fired and critical SLO violations; without any
--   alert in the lake and without a request in the window there is nothing to count
-- audit: drift is the largest of the checks over all regions; what moved by less than the floor of
--   its check is none, and from a baseline of zero it counts as a million percent
with
-- Each source is read once and gives several measures.
measures as (
    select measure, source, sql
    from (
        values
            ('availability', 'kpi', 'select availability from kpi_summary'),
            ('error_rate', 'kpi', 'select error_rate from kpi_summary'),
            ('p99_latency', 'kpi', 'select p99_ms from kpi_summary'),
            (
                'oom_kills',
                'kpi',
                'select case when max(requests) > 0 then max(kills) end from kpi_summary '
                    || 'cross join (select count(*) as kills from oom_events) as killed'
            ),
            (
                'agent_oom_kills',
                'kpi',
                'select case when max(requests) > 0 then max(kills) end from kpi_summary '
                    || 'cross join (select count(*) as kills from oom_events where is_agent) as killed'
            ),
            (
                'critical_incidents',
                'kpi',
                'select case when max(requests) + max(known) > 0 then max(fired) + max(violations) '
                    || 'end from kpi_summary cross join (select count(*) as known, coalesce(sum('
                    || 'case when timestamp >= $from and severity = ''critical'' '
                    || 'and status = ''firing'' then 1 else 0 end), 0) as fired from alerts '
                    || 'where timestamp < $to) as told cross join (select count(*) as violations '
                    || 'from slo_episodes where kind = ''violation'' and severity = ''critical'') '
                    || 'as violated'
            ),
            (
                'largest_drift',
                'drift',
                'select max(least(abs(drift_percent), 1e6)) from drift_checks '
                    || 'where region = ''all'' and drift_percent = drift_percent '
                    || 'and coalesce(reason, '''') <> ''difference below the floor'''
            ),
            (
                'websocket_uptime',
                'websocket',
                'select max(uptime) from ws_health where region = ''all'''
            ),
            (
                'websocket_success',
                'websocket',
                'select max(success_rate) from ws_health where region = ''all'''
            ),
            (
                'websocket_reconnect_longest',
                'websocket',
                'select max(reconnect_max_ms) from ws_health where region = ''all'''
            ),
            (
                'websocket_reconnect_typical',
                'websocket',
                'select max(reconnect_p50_ms) from ws_health where region = ''all'''
            ),
            (
                'websocket_message_loss',
                'websocket',
                'select max(message_loss_rate) from ws_health where region = ''all'''
            ),
            (
                'trace_continuity',
                'tracing',
                'select max(continuity) from trace_continuity where region = ''all'''
            ),
            (
                'broken_cross_region_traces',
                'tracing',
                'select max(case when cross_region_traces > 0 then broken_cross_region_traces end) '
                    || 'from trace_continuity where region = ''all'''
            ),
            (
                'database_p95',
                'database',
                'select sketch_quantile(sketch_merge(latency), 0.95) from slow_queries '
                    || 'where kind = ''query'''
            ),
            (
                'analytics_p95',
                'database',
                'select sketch_quantile(sketch_merge(latency), 0.95) from slow_queries '
                    || 'where kind = ''analytics'''
            ),
            ('slowest_statement', 'database', 'select max(p95_ms) from slow_queries'),
            ('replication_lag', 'replication', 'select max(lag_worst_ms) from replication_health'),
            (
                'replication_difference',
                'replication',
                'select case when count(rows_behind) > 1 then max(rows_behind) end '
                    || 'from replication_health'
            ),
            (
                'dashboard_load',
                'dashboard',
                'select max(p95_ms) from dashboard_loads where page = ''dashboard'''
            ),
            (
                'panel_load',
                'dashboard',
                'select max(p95_ms) from dashboard_loads where page = ''panel'''
            ),
            ('agent_memory', 'memory', 'select max(most_mb) from memory_growth where is_agent'),
            (
                'agent_memory_growth',
                'memory',
                'select max(growth_mb_per_hour) from memory_growth where is_agent'
            ),
            (
                'rollback_tests',
                'rollback',
                'select sum(case when success then 1 else 0 end) from changes '
                    || 'cross join settings_platform as limits where kind = ''rollback_test'' '
                    || 'and timestamp < $to and extract(epoch from timestamp) '
                    || '>= extract(epoch from $to) - limits.rollback_days * 86400'
            )
    ) as listed (measure, source, sql)
),

kills as (
    select
        count(*) as kills,
        coalesce(sum(case when is_agent then 1 else 0 end), 0) as agent_kills
    from oom_events
),

fired as (
    select
        count(*) as known,
        coalesce(
            sum(
                case
                    when timestamp >= $from and severity = 'critical' and status = 'firing' then 1
                    else 0
                end
            ),
            0
        ) as alerts
    from alerts
    where timestamp < $to
),

violated as (
    select count(*) as violations
    from slo_episodes
    where kind = 'violation' and severity = 'critical'
),

-- Kills are told by logs: where no request was logged, nobody listened.
from_kpis as (
    select
        measures.measure as measure,
        case measures.measure
            when 'availability' then kpis.availability
            when 'error_rate' then kpis.error_rate
            when 'p99_latency' then kpis.p99_ms
            when 'oom_kills' then case when kpis.requests > 0 then kills.kills end
            when 'agent_oom_kills' then case when kpis.requests > 0 then kills.agent_kills end
            when 'critical_incidents'
                then case
                    when kpis.requests + fired.known > 0 then fired.alerts + violated.violations
                end
        end as observed,
        kpis.requests as samples,
        case
            when measures.measure in ('availability', 'error_rate')
                then kpis.errors || ' of ' || kpis.requests || ' requests failed'
            when measures.measure = 'p99_latency' then 'over ' || kpis.requests || ' requests'
            when measures.measure = 'critical_incidents'
                then fired.alerts || ' critical alerts, ' || violated.violations
                    || ' critical SLO violations'
            else kills.kills || ' instances killed in all'
        end as detail
    from measures
    cross join kpi_summary as kpis
    cross join kills
    cross join fired
    cross join violated
    where measures.source = 'kpi'
),

from_drift as (
    select
        'largest_drift' as measure,
        max(least(abs(drift_percent), 1e6)) as observed,
        count(*) as samples,
        first_value(name order by least(abs(drift_percent), 1e6) desc, name)
            || ', of ' || count(*) || ' checks over all regions' as detail
    from drift_checks
    where
        region = 'all'
        and drift_percent = drift_percent
        and coalesce(reason, '') <> 'difference below the floor'
),

from_websockets as (
    select
        measures.measure as measure,
        case measures.measure
            when 'websocket_uptime' then ws.uptime
            when 'websocket_success' then ws.success_rate
            when 'websocket_reconnect_longest' then ws.reconnect_max_ms
            when 'websocket_reconnect_typical' then ws.reconnect_p50_ms
            when 'websocket_message_loss' then ws.message_loss_rate
        end as observed,
        case measures.measure
            when 'websocket_uptime' then ws.disconnects
            when 'websocket_success' then ws.attempts
            when 'websocket_message_loss' then coalesce(ws.messages_sent, 0)
            else ws.timed_reconnects
        end as samples,
        case measures.measure
            when 'websocket_uptime'
                then cast(round(ws.downtime_ms / 1000.0, 0) as bigint) || ' s down, the longest '
                    || cast(round(ws.downtime_max_ms, 0) as bigint) || ' ms'
            when 'websocket_success'
                then ws.failures || ' of ' || ws.attempts || ' attempts failed'
            when 'websocket_message_loss'
                then ws.messages_lost || ' of ' || ws.messages_sent || ' messages lost'
            else 'of ' || ws.timed_reconnects || ' reconnections'
        end as detail
    from measures
    cross join ws_health as ws
    where measures.source = 'websocket' and ws.region = 'all'
),

from_traces as (
    select
        measures.measure as measure,
        case
            when measures.measure = 'trace_continuity' then links.continuity
            when links.cross_region_traces > 0
                then cast(links.broken_cross_region_traces as double)
        end as observed,
        case
            when measures.measure = 'trace_continuity' then links.child_spans
            else links.cross_region_traces
        end as samples,
        case
            when measures.measure = 'trace_continuity'
                then links.orphaned_spans || ' of ' || links.child_spans || ' spans lack a parent'
            else links.broken_cross_region_traces || ' of ' || links.cross_region_traces
                || ' traces across regions are broken'
        end as detail
    from measures
    cross join trace_continuity as links
    where measures.source = 'tracing' and links.region = 'all'
),

by_kind as (
    select
        kind,
        sum(calls) as calls,
        sketch_quantile(sketch_merge(latency), 0.95) as p95_ms,
        max(p95_ms) as slowest_ms,
        first_value(
            service || ': ' || statement order by p95_ms desc nulls last, service, statement
        ) as slowest
    from slow_queries
    group by kind
),

from_database as (
    select
        measures.measure as measure,
        max(
            case measures.measure
                when 'database_p95' then case when by_kind.kind = 'query' then by_kind.p95_ms end
                when 'analytics_p95'
                    then case when by_kind.kind = 'analytics' then by_kind.p95_ms end
                else by_kind.slowest_ms
            end
        ) as observed,
        sum(
            case
                when measures.measure = 'database_p95' and by_kind.kind <> 'query' then 0
                when measures.measure = 'analytics_p95' and by_kind.kind <> 'analytics' then 0
                else by_kind.calls
            end
        ) as samples,
        case
            when measures.measure = 'slowest_statement'
                then first_value(
                    by_kind.slowest order by by_kind.slowest_ms desc nulls last, by_kind.kind
                )
            else 'p95 over the calls of client spans'
        end as detail
    from measures
    cross join by_kind
    where measures.source = 'database'
    group by measures.measure
),

replicated as (
    select
        max(lag_worst_ms) as lag_ms,
        coalesce(sum(lag_samples), 0) as lag_samples,
        first_value(region order by lag_worst_ms desc nulls last, region) as lagging,
        first_value(lag_worst_at order by lag_worst_ms desc nulls last, region) as lagging_at,
        count(rows_behind) as regions,
        max(rows_behind) as rows_behind,
        max(rows_at) as rows_at,
        first_value(region order by rows_behind desc nulls last, region) as furthest
    from replication_health
),

from_replication as (
    select
        measures.measure as measure,
        case
            when measures.measure = 'replication_lag' then replicated.lag_ms
            when replicated.regions > 1 then replicated.rows_behind
        end as observed,
        case
            when measures.measure = 'replication_lag' then replicated.lag_samples
            else replicated.regions
        end as samples,
        case
            when measures.measure = 'replication_lag'
                then replicated.lagging || ' from '
                    || to_char(replicated.lagging_at, '%Y-%m-%d %H:%M')
            else replicated.regions || ' regions compared at '
                || to_char(replicated.rows_at, '%Y-%m-%d %H:%M')
                || case
                    when replicated.rows_behind > 0 then ', furthest behind ' || replicated.furthest
                    else ''
                end
        end as detail
    from measures
    cross join replicated
    where measures.source = 'replication'
),

from_dashboards as (
    select
        page || '_load' as measure,
        p95_ms as observed,
        loads as samples,
        case source
            when 'metric' then 'as users measured it'
            when 'requests' then 'as served, without the browser'
        end as detail
    from dashboard_loads
),

agent_hosts as (
    select
        count(*) as hosts,
        max(most_mb) as most_mb,
        first_value(region || ' ' || host order by most_mb desc nulls last, region, host)
            as largest,
        count(growth_mb_per_hour) as judged,
        max(growth_mb_per_hour) as growth_mb_per_hour,
        first_value(region || ' ' || host order by growth_mb_per_hour desc nulls last, region, host)
            as growing
    from memory_growth
    where is_agent
),

from_memory as (
    select
        measures.measure as measure,
        case
            when measures.measure = 'agent_memory' then agent_hosts.most_mb
            else agent_hosts.growth_mb_per_hour
        end as observed,
        case
            when measures.measure = 'agent_memory' then agent_hosts.hosts
            else agent_hosts.judged
        end as samples,
        case
            when measures.measure = 'agent_memory'
                then agent_hosts.largest || ', of ' || agent_hosts.hosts || ' agent hosts'
            when agent_hosts.judged > 0
                then agent_hosts.growing || ', of ' || agent_hosts.judged || ' agent hosts'
            else 'no agent host ran long enough without a restart'
        end as detail
    from measures
    cross join agent_hosts
    where measures.source = 'memory'
),

from_rollbacks as (
    select
        'rollback_tests' as measure,
        sum(case when changes.success then 1 else 0 end) as observed,
        count(*) as samples,
        count(*) || ' tests, the last ' || to_char(max(changes.timestamp), '%Y-%m-%d %H:%M')
            as detail
    from changes
    cross join settings_platform as limits
    where
        changes.kind = 'rollback_test'
        and changes.timestamp < $to
        and extract(epoch from changes.timestamp)
        >= extract(epoch from $to) - limits.rollback_days * 86400
),

observed as (
    select measure, cast(observed as double) as observed, samples, detail from from_kpis
    union all
    select measure, cast(observed as double), samples, detail from from_drift
    union all
    select measure, cast(observed as double), samples, detail from from_websockets
    union all
    select measure, cast(observed as double), samples, detail from from_traces
    union all
    select measure, cast(observed as double), samples, detail from from_database
    union all
    select measure, cast(observed as double), samples, detail from from_replication
    union all
    select measure, cast(observed as double), samples, detail from from_dashboards
    union all
    select measure, cast(observed as double), samples, detail from from_memory
    union all
    select measure, cast(observed as double), samples, detail from from_rollbacks
),

final as (
    select
        measures.measure as measure,
        observed.observed as observed,
        coalesce(observed.samples, 0) as samples,
        case
            when observed.observed is not null or measures.source = 'memory' then observed.detail
        end as detail,
        measures.sql as sql
    from measures
    left join observed on measures.measure = observed.measure
)

select measure, observed, samples, detail, sql
from final
