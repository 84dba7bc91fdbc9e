-- title: What speaks for a rollback
-- grain: one row per signal of the settings, with or without data
-- materialized: view
-- audit: strength is the observed value as a share of `full_at`, from 0 to 1; NULL where nothing
--   was measured
-- audit: a regression counts when it follows a change; an environment that degraded is no reason to
--   take code back
with
signals as (
    select signal, weight, full_at
    from settings_rollback
),

suspects as (
    select
        service,
        region,
        started_at,
        confidence,
        change_kind,
        change_name,
        changed_at,
        row_number() over (order by confidence desc, started_at, region, service) as place
    from regressions
    where verdict = 'PERFORMANCE_REGRESSION' and changed_at is not null
),

judged as (
    select count(*) as windows
    from verdicts
),

regression_signal as (
    select
        'performance_regression' as signal,
        case when judged.windows > 0 then coalesce(suspects.confidence, 0.0) end as observed,
        case
            when suspects.confidence is null then 'no performance regression follows a change'
            else coalesce(suspects.service, 'all services') || ' in ' || suspects.region || ' from '
                || to_char(suspects.started_at, '%Y-%m-%d %H:%M') || ' UTC, after '
                || suspects.change_kind || coalesce(' ' || suspects.change_name, '') || ' at '
                || to_char(suspects.changed_at, '%Y-%m-%d %H:%M') || ' UTC'
        end as evidence
    from judged
    left join suspects on suspects.place = 1
),

compared as (
    select name, baseline_value, current_value
    from drift_checks
    where region = 'all' and baseline_value is not null and current_value is not null
),

error_signal as (
    select
        'error_rate' as signal,
        greatest(current_value - baseline_value, 0.0) as observed,
        'from ' || cast(round(baseline_value * 100.0, 3) as varchar) || ' % to '
            || cast(round(current_value * 100.0, 3) as varchar) || ' %' as evidence
    from compared
    where name = 'error_rate'
),

latency_signal as (
    select
        'latency' as signal,
        greatest(current_value / nullif(baseline_value, 0.0) - 1.0, 0.0) as observed,
        'p95 from ' || cast(round(baseline_value, 1) as varchar) || ' ms to '
            || cast(round(current_value, 1) as varchar) || ' ms' as evidence
    from compared
    where name = 'api_latency_p95'
),

windows_measured as (
    select coalesce(sum(measured_windows), 0) as windows
    from slo_compliance
),

violations as (
    select count(*) as episodes
    from slo_episodes
    where kind = 'violation' and severity in ('error', 'critical')
),

violation_signal as (
    select
        'slo_violations' as signal,
        case
            when windows_measured.windows > 0 then cast(violations.episodes as double)
        end as observed,
        case
            when violations.episodes = 1 then '1 violation'
            else violations.episodes || ' violations'
        end
            || ' of severity error or critical' as evidence
    from violations
    cross join windows_measured
),

configured as (
    select
        count(*) as measured,
        coalesce(sum(case when status in ('warning', 'critical') then 1 else 0 end), 0) as checks
    from drift_checks
    where category = 'configuration' and status <> 'no data'
),

drift_signal as (
    select
        'configuration_drift' as signal,
        cast(checks as double) as observed,
        case when checks = 1 then '1 configuration check' else checks || ' configuration checks' end
            || ' off baseline' as evidence
    from configured
    where measured > 0
),

observed as (
    select signal, observed, evidence from regression_signal
    union all
    select signal, observed, evidence from error_signal
    union all
    select signal, observed, evidence from latency_signal
    union all
    select signal, observed, evidence from violation_signal
    union all
    select signal, observed, evidence from drift_signal
),

final as (
    select
        signals.signal as signal,
        observed.observed as observed,
        signals.full_at as full_at,
        signals.weight as weight,
        least(observed.observed / signals.full_at, 1.0) as strength,
        case
            when observed.observed is null then 'nothing measured'
            else observed.evidence
        end as evidence
    from signals
    left join observed on signals.signal = observed.signal
)

select
    signal,
    observed,
    full_at,
    weight,
    strength,
    weight * strength as contribution,
    evidence
from final
