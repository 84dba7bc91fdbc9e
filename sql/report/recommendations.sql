-- title: Recommendations
-- grain: one row per kind of finding that the window gives reason for; none when all is well
-- materialized: view
with
advice as (
    select code, text, runbook, rank
    from settings_recommendations
),

violations as (
    select
        type,
        slo,
        region,
        service,
        route,
        severity,
        started_at,
        ended_at,
        row_number() over (
            partition by type
            order by severity_rank desc, windows desc, started_at, slo, region, service, route
        ) as place,
        count(*) over (partition by type) as episodes
    from slo_episodes
    where kind = 'violation'
),

slo_findings as (
    select
        'slo_' || type as code,
        case when episodes = 1 then '1 violation' else episodes || ' violations' end
            || '; the worst (' || severity || '): ' || slo
            || coalesce(', ' || service, '')
            || coalesce(' ' || route, '')
            || coalesce(' in ' || region, '')
            || ', ' || to_char(started_at, '%Y-%m-%d %H:%M')
            || ' to ' || to_char(ended_at, '%Y-%m-%d %H:%M') as evidence
    from violations
    where place = 1
),

regressed as (
    select
        lower(verdict) as code,
        region,
        service,
        started_at,
        ended_at,
        confidence,
        factor_1,
        change_kind,
        change_name,
        changed_at,
        row_number() over (
            partition by verdict order by confidence desc, windows desc, started_at, region, service
        ) as place,
        count(*) over (partition by verdict) as episodes
    from regressions
),

regression_findings as (
    select
        code,
        case when episodes = 1 then '1 regression' else episodes || ' regressions' end
            || '; the surest (confidence ' || cast(round(confidence, 2) as varchar) || '): '
            || coalesce(service, 'all services')
            || ' in ' || region
            || ', ' || to_char(started_at, '%Y-%m-%d %H:%M')
            || ' to ' || to_char(ended_at, '%Y-%m-%d %H:%M')
            || coalesce(', led by ' || factor_1, '')
            || coalesce(
                '; last change there: ' || change_kind || coalesce(' ' || change_name, '')
                    || ' at ' || to_char(changed_at, '%Y-%m-%d %H:%M'),
                ''
            ) as evidence
    from regressed
    where place = 1
),

-- A region's own drift is named where there is one; `all` speaks only where no single region does.
drifted as (
    select
        category,
        name,
        region,
        status,
        drift_percent,
        row_number() over (
            partition by category
            order by status = 'critical' desc, region = 'all', abs(drift_percent) desc, name, region
        ) as place,
        count(*) over (partition by category) as checks
    from drift_checks
    where status in ('warning', 'critical')
),

drift_findings as (
    select
        'drift_' || category as code,
        case when checks = 1 then '1 check' else checks || ' checks' end
            || ' off baseline; the furthest (' || status || '): ' || name
            || case when region = 'all' then ' over all regions' else ' in ' || region end
            || case
                when abs(drift_percent) < 1000000
                    then ', ' || case when drift_percent > 0 then '+' else '' end
                        || cast(round(drift_percent, 1) as varchar) || ' %'
                else ', from zero'
            end as evidence
    from drifted
    where place = 1
),

regional_limit as (
    select max(amount) as drift_ms
    from settings_health
    where item = 'regional_drift_ms'
),

far_regions as (
    select
        region_drift.region as region,
        region_drift.drift_ms as drift_ms,
        row_number() over (order by abs(region_drift.drift_ms) desc, region_drift.region) as place
    from region_drift
    cross join regional_limit
    where abs(region_drift.drift_ms) > regional_limit.drift_ms
),

regional_findings as (
    select
        'regional_drift' as code,
        'p95 of ' || region || ' is ' || cast(cast(round(abs(drift_ms), 0) as bigint) as varchar)
            || case when drift_ms > 0 then ' ms slower' else ' ms faster' end
            || ' than the primary''s' as evidence
    from far_regions
    where place = 1
),

slo_coverage as (
    select
        coalesce(sum(windows), 0) as windows,
        coalesce(sum(measured_windows), 0) as measured_windows
    from slo_compliance
),

silent_regions as (
    select string_agg(region, ', ' order by region) as regions
    from region_kpis
    where coalesce(requests, 0) = 0
),

coverage_findings as (
    select
        'low_coverage' as code,
        slo_coverage.measured_windows || ' of ' || slo_coverage.windows || ' SLO windows have data'
            || coalesce('; no requests from ' || silent_regions.regions, '') as evidence
    from slo_coverage
    cross join silent_regions
    where
        slo_coverage.measured_windows < slo_coverage.windows
        or silent_regions.regions is not null
),

reject_counts as (
    select
        sum(records) as records,
        first_value(code order by records desc, code) as code
    from rejected_input
),

reject_findings as (
    select
        'rejected_input' as code,
        case when records = 1 then '1 record' else records || ' records' end
            || ' rejected; most often: ' || code as evidence
    from reject_counts
    where records > 0
),

findings as (
    select code, evidence from slo_findings
    union all
    select code, evidence from regression_findings
    union all
    select code, evidence from drift_findings
    union all
    select code, evidence from regional_findings
    union all
    select code, evidence from coverage_findings
    union all
    select code, evidence from reject_findings
),

final as (
    select
        advice.rank as rank,
        findings.code as code,
        advice.text as text,
        findings.evidence as evidence,
        advice.runbook as runbook
    from findings
    join advice on findings.code = advice.code
)

select rank, code, text, evidence, runbook
from final
