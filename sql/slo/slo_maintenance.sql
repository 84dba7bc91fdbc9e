-- title: Minutes that corrections cover
-- grain: one row per minute of the window that a correction covers
-- materialized: once
-- audit: scopes holds for each correction of the minute the SLO, region and service that it is for,
--   `*` where it is for all, so that whoever asks joins one row and counts nothing twice
with
stretches as (
    select
        concat_ws(
            chr(31), coalesce(slo, '*'), coalesce(region, '*'), coalesce(service, '*')
        ) as scope,
        unnest(
            range(
                (greatest(cast(from_time as bigint), cast($from as bigint)) + 59999999) / 60000000,
                (least(cast(to_time as bigint), cast($to as bigint)) + 59999999) / 60000000
            )
        ) as minute
    from settings_corrections
),

final as (
    select
        arrow_cast(minute * 60000000, 'Timestamp(Microsecond, Some("UTC"))') as minute,
        array_agg(distinct scope order by scope) as scopes
    from stretches
    group by minute
)

select minute, scopes
from final
