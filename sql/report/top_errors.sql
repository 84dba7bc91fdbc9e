-- title: Error taxonomy
-- grain: one row per source (log lines or spans), error class and status
-- materialized: run
-- audit: `is_failure` as the error rate has it: status 500 and up, or an error without a status; a
--   request that the client got wrong (4xx) has its class here but is no failure
-- audit: the window is made of whole minutes, as in the rollups
-- audit: `share` is of all errors of the same source, so that an error that both a log line and a
--   span tell of is not counted twice in one total
with
classed as (
    select
        'logs' as source,
        region,
        service,
        error,
        is_failure,
        status_code,
        errors,
        first_seen,
        last_seen
    from log_errors
    where minute >= $from and minute < $to
    union all
    select
        'spans' as source,
        region,
        service,
        error,
        is_failure,
        status_code,
        errors,
        first_seen,
        last_seen
    from span_errors
    where minute >= $from and minute < $to
),

grouped as (
    select
        source,
        error,
        is_failure,
        status_code,
        sum(errors) as errors,
        count(distinct service) as services,
        min(service) as a_service,
        count(distinct region) as regions,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
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
        grouped.errors
            / cast(sum(grouped.errors) over (partition by grouped.source) as double) as share,
        grouped.services as services,
        grouped.a_service as a_service,
        grouped.regions as regions,
        grouped.first_seen as first_seen,
        grouped.last_seen as last_seen
    from grouped
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
