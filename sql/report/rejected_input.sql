-- title: Input that could not be landed and is still open, by reason
-- grain: one row per target table, format and reason code
-- materialized: view
-- audit: a rejected record has no time of its own to trust, so all rejects of the lake are counted,
--   not only those of the window
with
rejected as (
    select target, format, code, source, reason, "offset"
    from reject_status
    where status = 'open'
),

final as (
    select
        target,
        format,
        code,
        count(*) as records,
        count(distinct source) as sources,
        first_value(reason order by source, "offset") as example
    from rejected
    group by target, format, code
)

select target, format, code, records, sources, example
from final
