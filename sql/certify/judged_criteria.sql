-- title: Every criterion of the settings, and whether what was observed keeps it
-- grain: one row per criterion
-- materialized: view
-- audit: verdict is `pass`, `fail` or `no data`
with
criteria as (
    select suite, name, area, title, measure, comparison, threshold, unit, level, rank
    from settings_criteria
),

observations as (
    select measure, observed, samples, detail, sql
    from check_observations
),

final as (
    select
        criteria.suite as suite,
        criteria.name as name,
        criteria.area as area,
        criteria.title as title,
        criteria.level as level,
        criteria.comparison as comparison,
        criteria.threshold as threshold,
        criteria.unit as unit,
        observations.observed as observed,
        case
            when observations.observed is null then 'no data'
            when
                criteria.comparison = '>=' and observations.observed >= criteria.threshold
                or criteria.comparison = '<=' and observations.observed <= criteria.threshold
                or criteria.comparison = '>' and observations.observed > criteria.threshold
                or criteria.comparison = '<' and observations.observed < criteria.threshold
                or criteria.comparison = '=' and observations.observed = criteria.threshold
                then 'pass'
            else 'fail'
        end as verdict,
        coalesce(observations.samples, 0) as samples,
        case
            when observations.sql is null
                then 'nothing observes the measure `' || criteria.measure || '`'
            else coalesce(observations.detail, 'nothing was measured')
        end as detail,
        criteria.measure as measure,
        observations.sql as sql,
        criteria.rank as rank
    from criteria
    left join observations on criteria.measure = observations.measure
)

select
    suite,
    name,
    area,
    title,
    level,
    comparison,
    threshold,
    unit,
    observed,
    verdict,
    samples,
    detail,
    measure,
    sql,
    rank
from final
