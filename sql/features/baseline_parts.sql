-- title: How the baseline of the features is divided
-- grain: one row
-- materialized: view
-- audit: what is usual is the median over equal parts of the baseline, so that an incident in it
--   counts for a few parts and not for the level; 12 parts bear incidents of 2 hours in a day, and
--   no part is shorter than an interval
with
final as (
    select
        cast($baseline_from as bigint) as starts,
        cast($baseline_to as bigint) - cast($baseline_from as bigint) as length,
        greatest(
            1,
            least(
                12,
                (cast($baseline_to as bigint) - cast($baseline_from as bigint))
                    / ($interval_seconds * 1000000)
            )
        ) as parts
)

select starts, length, parts
from final
