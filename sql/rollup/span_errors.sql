-- title: Errors by minute, from spans
-- grain: one row per minute, region, service, error, status and whether it is a failure, of the span
--   files read; readers add up rows of one key
-- materialized: incremental
-- source: spans
-- audit: an error without a class is known by the shape of its text: identifiers and numbers become
--   `#`
-- audit: `is_failure` as the error rate has it: status 500 and up, or an error without a status
with
failed_spans as (
    select
        date_trunc('minute', timestamp) as minute,
        region,
        service,
        case
            when error_type is not null then error_type
            else substr(
                regexp_replace(
                    regexp_replace(
                        coalesce(status_message, name, 'no text'),
                        '[0-9a-fA-F]{8}[0-9a-fA-F-]*|0x[0-9a-fA-F]+',
                        '#',
                        'g'
                    ),
                    '[0-9]+([.][0-9]+)*', '#', 'g'
                ),
                1, 120
            )
        end as error,
        coalesce(status_code >= 500, true) as is_failure,
        status_code,
        timestamp
    from spans
    where status_code >= 500 or status = 'error'
),

final as (
    select
        minute,
        region,
        service,
        error,
        is_failure,
        status_code,
        count(*) as errors,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from failed_spans
    group by minute, region, service, error, is_failure, status_code
)

select
    minute,
    region,
    service,
    error,
    is_failure,
    status_code,
    errors,
    first_seen,
    last_seen
from final
