-- title: Minutes that corrections cover
-- grain: one row per scope of `slo_corrections` and minute of the window that a correction of it
--   covers
-- materialized: once
with
scopes as (
    select distinct scope, unnest(names) as name
    from slo_corrections
),

stretches as (
    select
        scopes.scope as scope,
        unnest(
            range(
                (
                    greatest(cast(corrections.from_time as bigint), cast($from as bigint))
                    + 59999999
                ) / 60000000,
                (least(cast(corrections.to_time as bigint), cast($to as bigint)) + 59999999)
                    / 60000000
            )
        ) as minute
    from scopes
    join settings_corrections as corrections on scopes.name = corrections.name
)

select distinct
    scope,
    arrow_cast(minute * 60000000, 'Timestamp(Microsecond, Some("UTC"))') as minute
from stretches
