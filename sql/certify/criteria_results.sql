-- title: Criteria of certification
-- grain: one row per criterion of the suite `certification`
-- materialized: once
-- audit: verdict is `pass`, `fail` or `no data`; a criterion of level `warning` does not decide
select
    name as criterion,
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
from judged_criteria
where suite = 'certification'
