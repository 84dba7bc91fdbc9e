-- title: How small the p-value of a drift has to be
-- grain: one row per region (and `all`), service (and `all`) and check name with any that passes
-- materialized: once
-- audit: a series, which is one check at one place, has to pass Benjamini-Hochberg over all series
--   of the run, and each of its intervals the same within the series, at the rate times the share
--   of series that passed. So a real drift elsewhere does not make room for chance here (Benjamini
--   and Bogomolov, "Selective inference on multiple families of hypotheses", J. R. Statist. Soc. B
--   2014; the p-value of a series is that of Simes, Biometrika 1986)
with
-- A series is one check at one place; at most every interval of the window tests it. What lacks a
-- baseline is not tested.
tests as (
    select region, service, name, max(slots.intervals) as intervals
    from drift_pairs as pairs
    cross join (
        select array_length(series_points(slots)) as intervals from drift_slots where season = -1
    ) as slots
    where pairs.baseline_value is not null and pairs.category <> 'configuration'
    group by region, service, name
    union all
    select region, service, name, count(*) as intervals
    from drift_distances
    group by region, service, name
),

families as (
    select evidence.false_alarm_rate as false_alarm_rate, cast(count(*) as double) as families
    from settings_drift_evidence as evidence
    cross join tests
    group by evidence.false_alarm_rate
),

-- Only a p-value below the rate can pass, so that only those are ranked.
sorted as (
    select
        candidates.region as region,
        candidates.service as service,
        candidates.name as name,
        max(evidence.false_alarm_rate) as false_alarm_rate,
        array_agg(candidates.p_value order by candidates.p_value) as p_values
    from settings_drift_evidence as evidence
    cross join drift_candidates as candidates
    where candidates.p_value <= evidence.false_alarm_rate
    group by candidates.region, candidates.service, candidates.name
),

placed as (
    select
        region,
        service,
        name,
        false_alarm_rate,
        unnest(p_values) as p_value,
        unnest(generate_series(1, array_length(p_values))) as place
    from sorted
),

ranked as (
    select
        placed.region as region,
        placed.service as service,
        placed.name as name,
        placed.false_alarm_rate as false_alarm_rate,
        placed.p_value as p_value,
        placed.place as place,
        cast(tests.intervals as double) as intervals
    from placed
    join tests
        on placed.region = tests.region
        and placed.service = tests.service
        and placed.name = tests.name
),

-- How probable the whole series is when nothing in it drifted (Simes).
series as (
    select
        region,
        service,
        name,
        max(false_alarm_rate) as false_alarm_rate,
        min(p_value * intervals / place) as p_value
    from ranked
    group by region, service, name
),

series_sorted as (
    select false_alarm_rate, array_agg(p_value order by p_value) as p_values
    from series
    group by false_alarm_rate
),

series_placed as (
    select
        false_alarm_rate,
        unnest(p_values) as p_value,
        unnest(generate_series(1, array_length(p_values))) as place
    from series_sorted
),

-- The rate within a series that passes, by how many of all do. Joined by what is the same in all
-- rows: a nested loop that runs short of memory would read its sides twice.
rates as (
    select
        series_placed.false_alarm_rate as false_alarm_rate,
        max(series_placed.false_alarm_rate * series_placed.place / families.families) as rate
    from families
    join series_placed on families.false_alarm_rate = series_placed.false_alarm_rate
    where
        series_placed.p_value
            <= series_placed.false_alarm_rate * series_placed.place / families.families
    group by series_placed.false_alarm_rate
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
