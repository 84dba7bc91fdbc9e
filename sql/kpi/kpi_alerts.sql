-- title: Alert events, interval by interval
-- grain: one row per alert event of the window
-- materialized: view
-- audit: an event without a severity counts as `info`, one without a status as `firing`
with
final as (
    select
        (cast(timestamp as bigint) - cast($from as bigint)) / ($interval_seconds * 1000000) as slot,
        timestamp,
        region,
        service,
        alert,
        coalesce(lower(severity), 'info') as severity,
        coalesce(lower(status), 'firing') as status,
        value,
        threshold,
        fingerprint
    from alerts
    where timestamp >= $from and timestamp < $to
)

select slot, timestamp, region, service, alert, severity, status, value, threshold, fingerprint
from final
