-- title: Error lines that are no requests, by minute
-- grain: one row per minute, region and service of the log files read; readers add up rows of one
--   key
-- materialized: incremental
-- source: logs
-- audit: a line that is a request itself is none; its level is ERROR or FATAL, or, where it states
--   no level, its text holds one of these words in capitals
with
application_lines as (
    select date_trunc('minute', timestamp) as minute, region, service
    from logs
    where
        duration_ms is null
        and status_code is null
        and (
            level in ('ERROR', 'FATAL')
            or level is null and regexp_like(message, '(^|[^A-Za-z])(ERROR|FATAL)([^A-Za-z]|$)')
        )
),

final as (
    select minute, region, service, count(*) as lines
    from application_lines
    group by minute, region, service
)

select minute, region, service, lines
from final
