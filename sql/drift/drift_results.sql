-- title: Drift checks interval by interval
-- grain: one row per interval of the window, region (and `all`), service (and `all`) and check name
--   that was measured in the window or in the baseline
-- materialized: view
-- audit: a movement is drift when it is beyond the limit of its check and, unless it is one of
--   configuration, hardly chance: its `p_value` is at most that of drift_limits
-- audit: what drifted is among the rows with `may_drift`; drift_found holds it
-- audit: without data on both sides the status is NULL and `reason` says which side lacks it
with
-- What moved is kept; the rest is unpacked only where somebody asks for it.
compared as (
    select *, true as may_drift
    from drift_candidates
    union all
    select * exclude (may_drift), false as may_drift
    from drift_comparisons
    where not may_drift or coalesce(size_status, 'ok') = 'ok'
),

limits as (
    select region, service, name, largest_p from drift_limits
),

recorded as (
    select
        (cast(changes.timestamp as bigint) - cast($from as bigint))
            / ($interval_seconds * 1000000) as slot,
        changes.region as region,
        coalesce(changes.service, 'unknown') as service,
        changes.kind || coalesce(' ' || changes.key, '') as name,
        changes.old_value as old_value,
        changes.new_value as new_value
    from changes
    cross join settings_drift_evidence as evidence
    where
        changes.timestamp >= $from
        and changes.timestamp < $to
        and coalesce(changes.success, true)
        and (changes.old_value is distinct from changes.new_value)
        and array_has(string_to_array(evidence.change_kinds, ','), changes.kind)
),

strictest as (
    select
        max(threshold_percent) as threshold_percent
    from settings_drift
    where category = 'configuration'
),

results as (
    select
        compared.slot as slot,
        compared.region as region,
        compared.service as service,
        compared.name as name,
        compared.category as category,
        compared.baseline_value as baseline_value,
        compared.current_value as current_value,
        compared.drift_percent as drift_percent,
        compared.threshold_percent as threshold_percent,
        case
            when
                coalesce(size_status, 'ok') = 'ok'
                or category = 'configuration'
                or p_value is null
                then size_status
            when compared.p_value <= limits.largest_p then size_status
            else 'ok'
        end as status,
        compared.p_value as p_value,
        compared.unit as unit,
        case
            when baseline_value is null and current_value is not null and is_unlike
                then 'no like hour in the baseline'
            when baseline_value is null and current_value is null then 'no data on either side'
            when baseline_value is null then 'no data in the baseline'
            when current_value is null then 'no data in the interval'
            when
                size_status = 'ok'
                and drift_percent <> 0.0
                and abs(current_value - baseline_value) < floor
                then 'difference below the floor'
            when size_status <> 'ok' and category <> 'configuration' and p_value is null
                then 'by size alone: the baseline has no spread'
            when size_status <> 'ok' and compared.p_value > coalesce(limits.largest_p, -1.0)
                then 'may be chance'
            when baseline_value = 0.0 and current_value <> 0.0 then 'the baseline is zero'
            when size_status <> 'ok' and is_unlike
                then 'no like hour in the baseline: beside the other services'
            when size_status <> 'ok' then measured
        end as reason,
        false as is_recorded,
        may_drift
    from compared
    left join limits
        on compared.region = limits.region
        and compared.service = limits.service
        and compared.name = limits.name
    union all
    select
        recorded.slot as slot,
        recorded.region as region,
        recorded.service as service,
        recorded.name as name,
        'configuration' as category,
        try_cast(recorded.old_value as double) as baseline_value,
        try_cast(recorded.new_value as double) as current_value,
        drift_percent(
            try_cast(recorded.old_value as double), try_cast(recorded.new_value as double)
        ) as drift_percent,
        coalesce(strictest.threshold_percent, 0.0) as threshold_percent,
        'critical' as status,
        null as p_value,
        null as unit,
        'recorded change from ' || coalesce(recorded.old_value, 'nothing') || ' to '
            || coalesce(recorded.new_value, 'nothing') as reason,
        true as is_recorded,
        true as may_drift
    from recorded
    cross join strictest
),

-- Plain strings: the union mixes kinds of them, and views would keep the buffers of every join behind
-- them alive, which sorts then count again for every batch.
final as (
    select
        slot + 1 as check_number,
        arrow_cast(
            cast($from as bigint) + slot * $interval_seconds * 1000000,
            'Timestamp(Microsecond, Some("UTC"))'
        ) as interval_start,
        arrow_cast(
            least(
                cast($from as bigint) + (slot + 1) * $interval_seconds * 1000000,
                cast($to as bigint)
            ),
            'Timestamp(Microsecond, Some("UTC"))'
        ) as timestamp,
        arrow_cast(region, 'Utf8') as region,
        arrow_cast(service, 'Utf8') as service,
        arrow_cast(name, 'Utf8') as name,
        arrow_cast(category, 'Utf8') as category,
        baseline_value,
        current_value,
        drift_percent,
        threshold_percent,
        arrow_cast(status, 'Utf8') as status,
        p_value,
        arrow_cast(unit, 'Utf8') as unit,
        arrow_cast(reason, 'Utf8') as reason,
        is_recorded,
        may_drift
    from results
)

select
    check_number,
    interval_start,
    timestamp,
    region,
    service,
    name,
    category,
    baseline_value,
    current_value,
    drift_percent,
    threshold_percent,
    status,
    p_value,
    unit,
    reason,
    is_recorded,
    may_drift
from final
