-- title: Recorded series as dashboards read them
-- grain: one row per rule, interval, region, service and label that was recorded in the window
-- materialized: view
-- audit: of several recordings the one that saw most of the lake counts
with
ranked as (
    select
        series_group,
        rule,
        slot,
        interval_seconds,
        region,
        service,
        label,
        value,
        unit,
        row_number() over (
            partition by rule, slot, interval_seconds, region, service, label
            order by lake_version desc, settings
        ) as place
    from recorded_series
    where slot >= $from and slot < $to
),

final as (
    select series_group, rule, slot, interval_seconds, region, service, label, value, unit
    from ranked
    where place = 1
)

select series_group, rule, slot, interval_seconds, region, service, label, value, unit
from final
