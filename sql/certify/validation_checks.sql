-- title: Checks of the validation and platform suites
-- grain: one row per criterion of these suites
-- materialized: once
-- audit: verdict is `pass`, `fail` or `no data`; a check of level `warning` fails nothing but
--   itself
select
    suite,
    name as check,
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
where suite in ('validation', 'platform')
