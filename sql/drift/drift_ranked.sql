-- title: P-values of figures that moved, ranked within their series
-- grain: one row per interval, region (and `all`), service (and `all`) and check name whose p-value
--   is at most the rate of false alarms
-- materialized: once
-- audit: `place` counts from the smallest p-value of a series, which is one check at one place;
--   `intervals` is how many of it were tested at most, `families` how many series were
with
-- What lacks a baseline is not tested.
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
    from drift_statistics
    group by region, service, name
),

families as (
    select cast(count(*) as double) as families
    from tests
),

final as (
    select
        candidates.region as region,
        candidates.service as service,
        candidates.name as name,
        candidates.p_value as p_value,
        evidence.false_alarm_rate as false_alarm_rate,
        cast(tests.intervals as double) as intervals,
        families.families as families,
        row_number() over (
            partition by candidates.region, candidates.service, candidates.name
            order by candidates.p_value
        ) as place
    from settings_drift_evidence as evidence
    cross join families
    cross join drift_candidates as candidates
    join tests
        on candidates.region = tests.region
        and candidates.service = tests.service
        and candidates.name = tests.name
    where candidates.p_value <= evidence.false_alarm_rate
)

select region, service, name, p_value, false_alarm_rate, intervals, families, place
from final
