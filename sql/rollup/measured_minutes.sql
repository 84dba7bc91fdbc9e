-- title: Minutes in which requests were recorded
-- grain: one row per minute and region of the window and its baseline that holds any request
-- materialized: run
-- audit: rates divide by these minutes: a stretch that nobody recorded is unmeasured, not idle
with
present as (
    select slot, region, bit_or(minutes) as minutes
    from service_slots
    group by slot, region
),

places as (
    select slot, region, minutes, unnest(range(0, 5)) as place
    from present
),

final as (
    select
        arrow_cast(
            cast(slot as bigint) + place * 60000000, 'Timestamp(Microsecond, Some("UTC"))'
        ) as minute,
        region
    from places
    where (minutes >> place) & 1 = 1
)

select minute, region
from final
