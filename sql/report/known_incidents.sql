-- title: Incidents known in the window, and whether the verdicts agree
-- grain: one row per incident label that touches the window
-- materialized: view
with
labels as (
    select "from" as started_at, "to" as ended_at, region, service, verdict, detail
    from incidents
    where "from" < $to and "to" > $from
),

found as (
    select region, service, verdict, started_at, ended_at
    from regressions
),

judged as (
    select
        labels.started_at as started_at,
        labels.ended_at as ended_at,
        labels.region as region,
        labels.service as service,
        labels.verdict as verdict,
        labels.detail as detail,
        count(found.verdict) as regressions,
        coalesce(bool_or(found.verdict = labels.verdict), false) as is_same_class
    from labels
    left join found
        on labels.region in (found.region, 'unknown', 'global', 'all')
        and (labels.service is null or labels.service = found.service)
        and found.started_at < labels.ended_at
        and found.ended_at > labels.started_at
    group by
        labels.started_at,
        labels.ended_at,
        labels.region,
        labels.service,
        labels.verdict,
        labels.detail
),

final as (
    select
        started_at,
        ended_at,
        region,
        service,
        verdict,
        detail,
        regressions,
        case
            when verdict = 'BENIGN' and regressions = 0 then 'rightly quiet'
            when verdict = 'BENIGN' then 'false alarm'
            when is_same_class then 'detected'
            when regressions > 0 then 'detected as the other class'
            else 'missed'
        end as outcome
    from judged
)

select started_at, ended_at, region, service, verdict, detail, regressions, outcome
from final
