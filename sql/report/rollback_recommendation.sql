-- title: Whether to roll back, how sure that is, and why
-- grain: one row
-- materialized: view
-- audit: confidence is 1 - product of (1 - weight x strength) over the signals (noisy-or: Pearl,
--   Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2)
-- audit: without a recorded change there is nothing to take back, so at most `investigate` is
--   advised
-- audit: where no signal has data, neither is a recommendation
with
signals as (
    select signal, weight, strength, contribution, evidence
    from rollback_signals
),

factors as (
    select
        sum(case when strength is not null then 1 else 0 end) as measured,
        exact_sum(ln(1.0 - contribution)) as logarithm,
        string_agg(
            case
                when contribution > 0
                    then signal || ' (' || cast(round(contribution, 2) as varchar) || '): '
                        || evidence
            end,
            '; '
            order by contribution desc, signal
        ) as reasons
    from signals
),

limits as (
    select max(recommend_at) as recommend_at, max(consider_at) as consider_at
    from settings_ga
),

-- What would be taken back: the change before the surest regression, else the last that went
-- through.
recorded as (
    select
        kind as change_kind,
        coalesce(version, key, change_id) as change_name,
        timestamp as changed_at,
        2 as choice,
        region,
        service
    from changes
    where
        timestamp >= $from - interval '7 days'
        and timestamp < $to
        and kind <> 'rollback_test'
        and coalesce(success, true)
),

suspected as (
    select
        change_kind,
        change_name,
        changed_at,
        1 as choice,
        region,
        service,
        confidence
    from regressions
    where verdict = 'PERFORMANCE_REGRESSION' and changed_at is not null
),

candidates as (
    select change_kind, change_name, changed_at, choice, region, service, confidence
    from suspected
    union all
    select change_kind, change_name, changed_at, choice, region, service, 0.0 as confidence
    from recorded
),

ranked as (
    select
        change_kind,
        change_name,
        changed_at,
        region,
        service,
        row_number() over (
            order by
                choice,
                confidence desc,
                changed_at desc,
                region,
                service,
                change_kind,
                change_name
        ) as place
    from candidates
),

final as (
    select
        case
            when factors.measured > 0 then 1.0 - exp(coalesce(factors.logarithm, 0.0))
        end as confidence,
        factors.measured as signals_measured,
        factors.reasons as reasons,
        limits.recommend_at as recommend_at,
        limits.consider_at as consider_at,
        ranked.change_kind as change_kind,
        ranked.change_name as change_name,
        ranked.changed_at as changed_at,
        ranked.region as region,
        ranked.service as service
    from factors
    cross join limits
    left join ranked on ranked.place = 1
)

select
    case
        when confidence is null then 'no data'
        when confidence < consider_at then 'keep'
        when changed_at is null then 'investigate'
        when confidence < recommend_at then 'consider'
        else 'roll back'
    end as recommendation,
    confidence,
    coalesce(reasons, 'nothing speaks for it') as reasons,
    change_kind,
    change_name,
    changed_at,
    region,
    service,
    signals_measured
from final
