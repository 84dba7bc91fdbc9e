-- title: Error taxonomy
-- grain: one row per source (log lines or spans), error class and status
-- materialized: run
-- audit: `is_failure` as the error rate has it: status 500 and up, or an error without a status; a
--   request that the client got wrong (4xx) has its class here but is no failure
-- audit: `share` is of all errors of the same source, so that an error that both a log line and a
--   span tell of is not counted twice in one total
with
log_errors as (
    select
        'logs' as source,
        timestamp,
        region,
        service,
        error_type,
        status_code,
        coalesce(error, message) as detail
    from logs
    where
        timestamp >= $from
        and timestamp < $to
        and (
            status_code >= 500
            or level in ('ERROR', 'FATAL')
            or error is not null
            or error_type is not null
        )
),

span_errors as (
    select
        'spans' as source,
        timestamp,
        region,
        service,
        error_type,
        status_code,
        coalesce(status_message, name) as detail
    from spans
    where
        timestamp >= $from
        and timestamp < $to
        and (status_code >= 500 or status = 'error')
),

all_errors as (
    select source, timestamp, region, service, error_type, status_code, detail
    from log_errors
    union all
    select source, timestamp, region, service, error_type, status_code, detail
    from span_errors
),

-- An error without a class is known by the shape of its text: identifiers and numbers become `#`.
classed as (
    select
        source,
        timestamp,
        region,
        service,
        case
            when error_type is not null then error_type
            else substr(
                regexp_replace(
                    regexp_replace(
                        coalesce(detail, 'no text'),
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
        status_code
    from all_errors
),

totals as (
    select source, count(*) as errors
    from classed
    group by source
),

grouped as (
    select
        source,
        error,
        is_failure,
        status_code,
        count(*) as errors,
        count(distinct service) as services,
        min(service) as a_service,
        count(distinct region) as regions,
        min(timestamp) as first_seen,
        max(timestamp) as last_seen
    from classed
    group by source, error, is_failure, status_code
),

final as (
    select
        grouped.source as source,
        grouped.error as error,
        grouped.is_failure as is_failure,
        grouped.status_code as status_code,
        grouped.errors as errors,
        grouped.errors / cast(totals.errors as double) as share,
        grouped.services as services,
        grouped.a_service as a_service,
        grouped.regions as regions,
        grouped.first_seen as first_seen,
        grouped.last_seen as last_seen
    from grouped
    join totals on grouped.source = totals.source
)

select
    source,
    error,
    is_failure,
    status_code,
    errors,
    share,
    services,
    a_service,
    regions,
    first_seen,
    last_seen
from final
