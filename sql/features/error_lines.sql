-- title: Error lines of services whose requests are read from spans
-- grain: one row per minute, region and service with such lines
-- materialized: view
-- audit: a line that is a request itself is none; its level is ERROR or FATAL, or, where it states
--   no level, its text holds one of these words in capitals
with
application_lines as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        coalesce(service, 'unknown') as service
    from logs
    where
        timestamp >= least($from, $baseline_from)
        and timestamp < $to
        and duration_ms is null
        and status_code is null
        and (
            level in ('ERROR', 'FATAL')
            or level is null and regexp_like(message, '(^|[^A-Za-z])(ERROR|FATAL)([^A-Za-z]|$)')
        )
),

final as (
    select
        lines.minute as minute,
        lines.region as region,
        lines.service as service,
        count(*) as lines
    from application_lines as lines
    join request_signals as signals
        on lines.region = signals.region
        and lines.service = signals.service
        and signals.signal = 'spans'
    group by lines.minute, lines.region, lines.service
)

select minute, region, service, lines
from final
