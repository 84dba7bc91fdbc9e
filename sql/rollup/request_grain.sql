-- title: How finely requests have to be told apart in time
-- grain: one row
-- materialized: view
-- audit: `seconds` is 300 where the window and its baseline, the intervals and the parts of the
--   baseline begin and end with slots of five minutes, else 60; all of them are whole minutes
with
cut as (
    select
        starts,
        length,
        parts,
        cast($from as bigint) as window_starts,
        cast($to as bigint) as window_ends
    from baseline_parts
),

final as (
    select
        case
            when
                window_starts % 300000000 = 0
                and window_ends % 300000000 = 0
                and starts % 300000000 = 0
                and length % (parts * 300000000) = 0
                and $interval_seconds % 300 = 0
                then 300
            else 60
        end as seconds
    from cut
)

select seconds
from final
