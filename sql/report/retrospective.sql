-- title: Retrospective: what went well and what could be improved
-- grain: one row per finding; `side` is `went well` or `could be improved`
-- materialized: view
-- audit: a finding needs data: what was not measured went neither well nor badly, except that a
--   lack of data is itself something to improve
with
slos as (
    select slo, windows, measured_windows, met_windows, violations, worst_region, worst_service
    from slo_overview
),

slo_findings as (
    select
        'went well' as side,
        'slo' as topic,
        slo as subject,
        1.0 as weight,
        'SLO ' || slo || ' was met in all ' || measured_windows || ' measured windows' as finding,
        met_windows || ' of ' || measured_windows || ' windows met' as evidence
    from slos
    where measured_windows > 0 and met_windows = measured_windows and violations = 0
    union all
    select
        'could be improved',
        'slo',
        slo,
        10.0 + violations,
        'SLO ' || slo || ' was missed in ' || (measured_windows - met_windows) || ' of '
            || measured_windows || ' measured windows',
        case when violations = 1 then '1 violation' else violations || ' violations' end
            || coalesce('; worst: ' || worst_service || ' in ' || worst_region, '')
    from slos
    where measured_windows > 0 and met_windows < measured_windows
),

coverage_findings as (
    select
        case when coverage >= 0.999 then 'went well' else 'could be improved' end as side,
        'coverage' as topic,
        'requests' as subject,
        5.0 as weight,
        case
            when coverage >= 0.999 then 'Requests were measured in every minute'
            else 'Requests were not measured all the time'
        end as finding,
        minutes_with_data || ' of ' || cast(window_minutes as bigint) || ' minutes have data'
            as evidence
    from kpi_summary
),

known as (
    select outcome, count(*) as incidents
    from known_incidents
    group by outcome
),

incident_findings as (
    select
        case
            when outcome in ('detected', 'rightly quiet') then 'went well'
            else 'could be improved'
        end as side,
        'incidents' as topic,
        outcome as subject,
        20.0 + incidents as weight,
        case outcome
            when 'detected' then 'Recorded incidents were detected as what they were'
            when 'rightly quiet' then 'Harmless changes raised no alarm'
            when 'missed' then 'Recorded incidents were not detected'
            when 'false alarm' then 'Harmless changes raised an alarm'
            else 'Recorded incidents were detected as the other class'
        end as finding,
        case when incidents = 1 then '1 incident' else incidents || ' incidents' end
            || ': ' || outcome as evidence
    from known
),

judged as (
    select count(*) as windows
    from verdicts
),

regressed as (
    select
        verdict,
        count(*) as episodes,
        max(confidence) as confidence,
        sum(case when changed_at is not null then 1 else 0 end) as after_change
    from regressions
    group by verdict
),

regression_findings as (
    select
        'went well' as side,
        'regressions' as topic,
        'none' as subject,
        3.0 as weight,
        'No window was judged a regression' as finding,
        judged.windows || ' windows judged' as evidence
    from judged
    left join regressed on true
    where judged.windows > 0 and regressed.verdict is null
    union all
    select
        'could be improved',
        'regressions',
        verdict,
        30.0 + episodes,
        case when episodes = 1 then '1 stretch was' else episodes || ' stretches were' end
            || ' judged ' || verdict,
        'surest with confidence ' || cast(round(confidence, 2) as varchar) || '; '
            || after_change || ' after a recorded change'
    from regressed
),

fired as (
    select
        alert,
        max(
            case severity
                when 'critical' then 4
                when 'error' then 3
                when 'warning' then 2
                else 1
            end
        ) as severity_rank,
        count(*) as times
    from alerts
    where timestamp >= $from and timestamp < $to and status = 'firing'
    group by alert
),

alert_findings as (
    select
        'could be improved' as side,
        'alerts' as topic,
        alert as subject,
        10.0 * severity_rank + times as weight,
        'Alert ' || alert || ' fired' as finding,
        case when times = 1 then 'once' else times || ' times' end
            || case when severity_rank = 4 then ', critical' else '' end as evidence
    from fired
    where severity_rank >= 3
),

drifted as (
    select category, checks, ok, warning, critical, no_data
    from drift_summary
),

drift_findings as (
    select
        case when warning + critical = 0 then 'went well' else 'could be improved' end as side,
        'drift' as topic,
        category as subject,
        5.0 + 2.0 * critical + warning as weight,
        case
            when warning + critical = 0 then 'No ' || category || ' drift'
            else 'Drift of ' || category || ' measures'
        end as finding,
        ok || ' ok, ' || warning || ' warning, ' || critical || ' critical, '
            || no_data || ' no data' as evidence
    from drifted
    where ok + warning + critical > 0
),

changed as (
    select
        kind,
        count(*) as changes,
        sum(case when success = false then 1 else 0 end) as failed
    from changes
    where timestamp >= $from and timestamp < $to
    group by kind
),

change_findings as (
    select
        case when failed = 0 then 'went well' else 'could be improved' end as side,
        'changes' as topic,
        kind as subject,
        2.0 + 10.0 * failed as weight,
        case
            when failed > 0 then 'Changes of kind ' || kind || ' failed'
            when kind = 'rollback_test' then 'The rollback was tried out'
            else 'Changes of kind ' || kind || ' went through'
        end as finding,
        changes || ' recorded, ' || failed || ' failed' as evidence
    from changed
),

final as (
    select side, topic, subject, weight, finding, evidence from slo_findings
    union all
    select side, topic, subject, weight, finding, evidence from coverage_findings
    union all
    select side, topic, subject, weight, finding, evidence from incident_findings
    union all
    select side, topic, subject, weight, finding, evidence from regression_findings
    union all
    select side, topic, subject, weight, finding, evidence from alert_findings
    union all
    select side, topic, subject, weight, finding, evidence from drift_findings
    union all
    select side, topic, subject, weight, finding, evidence from change_findings
)

select
    row_number() over (order by side desc, weight desc, topic, subject) as position,
    side,
    topic,
    subject,
    finding,
    evidence
from final
