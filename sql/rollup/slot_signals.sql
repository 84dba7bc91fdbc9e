-- title: Whether requests by slots are read from logs or from spans
-- grain: one row per region and service; none where slots of five minutes would be cut
-- materialized: view
-- audit: each rollup by slots is joined with those who are read from it, so that where nobody is its
--   rows are not read at all
with
final as (
    select signals.region, signals.service, signals.signal
    from request_signals as signals
    cross join request_grain as grain
    where grain.seconds = 300
)

select region, service, signal
from final
