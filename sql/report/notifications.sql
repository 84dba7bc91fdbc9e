-- title: What people are told after a run
-- grain: one row per message
-- materialized: view
-- audit: one message for each SLO in violation, with its worst severity, one for each class of
--   regression, one for a rollback that is advised, and one for the whole
with
broken as (
    select
        slo,
        count(*) as violations,
        max(severity_rank) as severity_rank,
        count(distinct service) as services,
        count(distinct region) as regions
    from slo_episodes
    where kind = 'violation'
    group by slo
),

worst as (
    select
        slo,
        severity,
        sentence,
        row_number() over (
            partition by slo
            order by severity_rank desc, windows desc, started_at, region, service, route
        ) as place
    from slo_episodes
    where kind = 'violation'
),

slo_messages as (
    select
        'slo-' || broken.slo as code,
        worst.severity as severity,
        broken.severity_rank as severity_rank,
        'SLO ' || broken.slo || ': '
            || case
                when broken.violations = 1 then '1 violation'
                else broken.violations || ' violations'
            end
            || ' in ' || broken.services || ' services and ' || broken.regions || ' regions'
            as title,
        'The worst: ' || worst.sentence as text,
        broken.slo as source
    from broken
    join worst on broken.slo = worst.slo and worst.place = 1
),

surest as (
    select
        verdict,
        service,
        region,
        confidence,
        count(*) over (partition by verdict) as episodes,
        row_number() over (
            partition by verdict
            order by confidence desc, started_at, region, service
        ) as place
    from regressions
),

regression_messages as (
    select
        'regression-' || verdict as code,
        'error' as severity,
        3 as severity_rank,
        verdict || ': ' || case when episodes = 1 then '1 stretch' else episodes || ' stretches' end
            as title,
        'The surest: ' || coalesce(service, 'all services') || ' in ' || region || ', confidence '
            || cast(round(confidence, 2) as varchar) as text,
        coalesce(service, region) as source
    from surest
    where place = 1
),

rollback_messages as (
    select
        'rollback' as code,
        case when recommendation = 'roll back' then 'critical' else 'warning' end as severity,
        case when recommendation = 'roll back' then 4 else 2 end as severity_rank,
        'Rollback: ' || recommendation || ' (confidence '
            || cast(round(confidence, 2) as varchar) || ')' as title,
        coalesce('Last change: ' || change_kind || coalesce(' ' || change_name, '') || '. ', '')
            || reasons as text,
        coalesce(service, 'platform') as source
    from rollback_recommendation
    where recommendation in ('roll back', 'consider', 'investigate')
),

summary as (
    select
        'summary' as code,
        'info' as severity,
        1 as severity_rank,
        coalesce(
            'Health ' || cast(cast(round(health_score.score, 0) as bigint) as varchar) || ' of 100',
            'Health unknown: nothing was measured'
        ) as title,
        coalesce(cast(kpi_summary.requests as varchar), 'no') || ' requests'
            || coalesce(
                ', error rate '
                    || cast(round(kpi_summary.error_rate * 100.0, 3) as varchar) || ' %',
                ''
            )
            || coalesce(', p95 ' || cast(round(kpi_summary.p95_ms, 1) as varchar) || ' ms', '')
            as text,
        'platform' as source
    from kpi_summary
    left join health_score on true
),

final as (
    select code, severity, severity_rank, title, text, source from slo_messages
    union all
    select code, severity, severity_rank, title, text, source from regression_messages
    union all
    select code, severity, severity_rank, title, text, source from rollback_messages
    union all
    select code, severity, severity_rank, title, text, source from summary
)

select
    row_number() over (order by severity_rank desc, code) as position,
    code,
    severity,
    title,
    text,
    source
from final
