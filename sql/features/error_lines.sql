-- title: Error lines of services whose requests are read from spans
-- grain: one row per minute, region and service with such lines
-- materialized: view
-- audit: what an error line is, is said in `error_line_minutes`
with
told as (
    select minute, region, coalesce(service, 'unknown') as service, lines
    from error_line_minutes
    where minute >= least($from, $baseline_from) and minute < $to
),

final as (
    select
        told.minute as minute,
        told.region as region,
        told.service as service,
        sum(told.lines) as lines
    from told
    join request_signals as signals
        on told.region = signals.region
        and told.service = signals.service
        and signals.signal = 'spans'
    group by told.minute, told.region, told.service
)

select minute, region, service, lines
from final
