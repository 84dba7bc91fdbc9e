-- title: How small the p-value of a drift has to be
-- grain: one row per region (and `all`), service (and `all`) and check name with any that passes
-- materialized: once
-- audit: a series, which is one check at one place, has to pass Benjamini-Hochberg over all series
--   of the run, and each of its intervals the same within the series, at the rate times the share
--   of series that passed. So a real drift elsewhere does not make room for chance here (Benjamini
--   and Bogomolov, "Selective inference on multiple families of hypotheses", J. R. Statist. Soc. B
--   2014; the p-value of a series is that of Simes, Biometrika 1986)
with
ranked as (
    select region, service, name, p_value, false_alarm_rate, intervals, families, place
    from drift_ranked
),

-- How probable the whole series is when nothing in it drifted (Simes).
series as (
    select
        region,
        service,
        name,
        false_alarm_rate,
        families,
        min(p_value * intervals / place) as p_value
    from ranked
    group by region, service, name, false_alarm_rate, families
),

series_ranked as (
    select
        false_alarm_rate,
        families,
        p_value,
        row_number() over (order by p_value) as place
    from series
),

-- The rate within a series that passes, by how many of all do. Joined by what is the same in all
-- rows: a nested loop that runs short of memory would read its sides twice.
rates as (
    select false_alarm_rate, max(false_alarm_rate * place / families) as rate
    from series_ranked
    where p_value <= false_alarm_rate * place / families
    group by false_alarm_rate
),

final as (
    select
        ranked.region as region,
        ranked.service as service,
        ranked.name as name,
        max(ranked.p_value) as largest_p
    from ranked
    join series
        on ranked.region = series.region
        and ranked.service = series.service
        and ranked.name = series.name
    join rates on series.false_alarm_rate = rates.false_alarm_rate
    where
        series.p_value <= rates.rate
        and ranked.p_value <= rates.rate * ranked.place / ranked.intervals
    group by ranked.region, ranked.service, ranked.name
)

select region, service, name, largest_p
from final
