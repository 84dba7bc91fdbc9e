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
    select cast(count(*) as double) as families
    from tests
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

ranked as (
    select
        sorted.region as region,
        sorted.service as service,
        sorted.name as name,
        sorted.false_alarm_rate as false_alarm_rate,
        cast(tests.intervals as double) as intervals,
        unnest(sorted.p_values) as p_value,
        unnest(generate_series(1, array_length(sorted.p_values))) as place
    from sorted
    join tests
        on sorted.region = tests.region
        and sorted.service = tests.service
        and sorted.name = tests.name
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

series_ranked as (
    select
        sorted_series.false_alarm_rate as false_alarm_rate,
        families.families as families,
        unnest(sorted_series.p_values) as p_value,
        unnest(generate_series(1, array_length(sorted_series.p_values))) as place
    from families
    cross join (
        select
            max(false_alarm_rate) as false_alarm_rate,
            array_agg(p_value order by p_value) as p_values
        from series
    ) as sorted_series
),

-- The rate within a series that passes, by how many of all do.
rates as (
    select max(false_alarm_rate * place / families) as rate
    from series_ranked
    where p_value <= false_alarm_rate * place / families
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
    cross join rates
    where
        series.p_value <= rates.rate
        and ranked.p_value <= rates.rate * ranked.place / ranked.intervals
    group by ranked.region, ranked.service, ranked.name
)

select region, service, name, largest_p
from final
