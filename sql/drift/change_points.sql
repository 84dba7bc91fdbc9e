-- title: Changes of level, and what was changed before them
-- grain: one row per change point of a series of a region, a service and a measure
-- materialized: view
-- audit: a recorded change that names no service or no region may be the cause in all of them; one
--   that failed is the cause of nothing
-- audit: `cause` is the last recorded change at most `lookback_seconds` before the end of the
--   interval in which the new level begins: what came before it, not what is proven to have caused it
-- audit: a change `matters` when it reaches the threshold and the floor of the drift check of its name,
--   or else the least effect of the settings
with
points as (
    select
        name,
        region,
        service,
        max(unit) as unit,
        change_points(value order by interval_start) as found
    from kpi_series
    group by name, region, service
),

listed as (
    select name, region, service, unit, unnest(found) as point
    from points
),

levels as (
    select
        name,
        region,
        service,
        unit,
        point['time'] as changed_at,
        point['before'] as before,
        point['after'] as after,
        point['confidence'] as confidence,
        point['provisional'] as provisional,
        point['went_away'] as went_away,
        point['went_away_at'] as went_away_at,
        cast(point['time'] as bigint) + $interval_seconds * 1000000 as known_by
    from listed
),

recorded as (
    select
        timestamp,
        cast(timestamp as bigint) as at,
        region,
        service,
        change_id,
        kind,
        key,
        old_value,
        new_value,
        version,
        author
    from changes
    where
        coalesce(success, true)
        and timestamp >= $from - interval '31 days'
        and timestamp < $to
),

-- The changes that may be the cause, the last one first.
before_it as (
    select
        levels.name as name,
        levels.region as region,
        levels.service as service,
        levels.changed_at as changed_at,
        recorded.timestamp as cause_at,
        recorded.change_id as cause_id,
        recorded.kind as cause,
        recorded.key as cause_key,
        recorded.old_value as cause_from,
        recorded.new_value as cause_to,
        recorded.version as cause_version,
        recorded.author as cause_author,
        count(*) over (
            partition by levels.name, levels.region, levels.service, levels.changed_at
        ) as changes_before,
        row_number() over (
            partition by levels.name, levels.region, levels.service, levels.changed_at
            order by
                recorded.timestamp desc,
                recorded.service is null,
                recorded.kind,
                recorded.key,
                recorded.change_id
        ) as place
    from settings_change as limits
    cross join levels
    join recorded
        on recorded.region in (levels.region, 'unknown', 'global', 'all')
        and coalesce(recorded.service, levels.service) = levels.service
        and recorded.at < levels.known_by
        and recorded.at >= levels.known_by - limits.lookback_seconds * 1000000
),

final as (
    select
        levels.changed_at as changed_at,
        levels.region as region,
        levels.service as service,
        levels.name as name,
        levels.before as before,
        levels.after as after,
        drift_percent(levels.before, levels.after) as change_percent,
        levels.unit as unit,
        levels.after <> levels.before
            and abs(levels.after - levels.before) >= greatest(
                coalesce(checks.floor, 0.0),
                abs(levels.before)
                    * coalesce(checks.threshold_percent, limits.min_effect_percent) / 100
            ) as matters,
        levels.confidence as confidence,
        levels.provisional as provisional,
        levels.went_away as went_away,
        levels.went_away_at as went_away_at,
        coalesce(before_it.changes_before, 0) as changes_before,
        before_it.cause as cause,
        before_it.cause_key as cause_key,
        before_it.cause_from as cause_from,
        before_it.cause_to as cause_to,
        before_it.cause_version as cause_version,
        before_it.cause_author as cause_author,
        before_it.cause_at as cause_at,
        before_it.cause_id as cause_id
    from settings_change as limits
    cross join levels
    left join settings_drift as checks on levels.name = checks.name
    left join before_it
        on levels.name = before_it.name
        and levels.region = before_it.region
        and levels.service = before_it.service
        and levels.changed_at = before_it.changed_at
        and before_it.place = 1
)

select
    changed_at,
    region,
    service,
    name,
    before,
    after,
    change_percent,
    unit,
    matters,
    confidence,
    provisional,
    went_away,
    went_away_at,
    changes_before,
    cause,
    cause_key,
    cause_from,
    cause_to,
    cause_version,
    cause_author,
    cause_at,
    cause_id
from final
