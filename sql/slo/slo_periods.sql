-- title: Events of each SLO and composite by budget period
-- grain: one row per series and period that holds events
-- materialized: once
-- audit: raw figures count every event, the others leave out what a correction covers; both are in
--   millionths
-- audit: recent_bad is what went wrong in the last day of the window, corrections left out
with
final as (
    select
        series,
        period_start,
        max(period_end) as period_end,
        sum(seconds) as seconds,
        sum(total) as raw_total,
        sum(bad) as raw_bad,
        sum(case when is_corrected then 0 else total end) as total,
        sum(case when is_corrected then 0 else bad end) as bad,
        sum(case when is_corrected then seconds else 0 end) as corrected_seconds,
        sum(
            case when not is_corrected and slot >= $to - interval '1 day' then bad else 0 end
        ) as recent_bad,
        min(slot) as first_slot,
        max(slot) as last_slot
    from slo_events
    group by series, period_start
)

select
    series,
    period_start,
    period_end,
    seconds,
    raw_total,
    raw_bad,
    total,
    bad,
    corrected_seconds,
    recent_bad,
    first_slot,
    last_slot
from final
