-- title: Rejected records, and whether they have landed since
-- grain: one row per record of the table rejects
-- materialized: view
-- audit: a record is `replayed` when the table replays has its place and its bytes; everything else
--   is `open`
-- audit: what was cut to be kept (see its reason) cannot be replayed, because its end is gone
with
marks as (
    select distinct timestamp, source, "offset", digest
    from replays
),

final as (
    select
        r.timestamp,
        r.region,
        r.source,
        r."offset",
        r.target,
        r.format,
        r.code,
        r.reason,
        r.original,
        case when m.digest is null then 'open' else 'replayed' end as status,
        r.code <> 'too_large' and strpos(r.reason, '; original cut from ') = 0 as is_replayable
    from rejects as r
    left join marks as m
        on
            m.timestamp = r.timestamp
            and m.source = r.source
            and m."offset" = r."offset"
            and m.digest = encode(sha256(r.original), 'hex')
)

select
    timestamp,
    region,
    source,
    "offset",
    target,
    format,
    code,
    reason,
    original,
    status,
    is_replayable
from final
