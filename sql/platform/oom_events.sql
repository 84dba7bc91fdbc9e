-- title: Instances killed because they ran out of memory
-- grain: one row per log line of the window that says so
-- materialized: once
-- audit: a line says so by its event or its error type, in the spelling of Kubernetes (OOMKilled),
--   of the kernel (oom-kill) or of the platform (oom_killed)
with
lines as (
    select
        timestamp,
        region,
        coalesce(service, 'unknown') as service,
        host,
        version,
        coalesce(error, message) as detail,
        -- One spelling: oomkilled, oomkill.
        replace(replace(replace(lower(coalesce(event, '')), '_', ''), '-', ''), '.', '') as event,
        replace(replace(lower(coalesce(error_type, '')), '_', ''), '-', '') as error_type
    from logs
    where
        timestamp >= $from
        and timestamp < $to
        -- Most lines have neither: asking first whether they do is what makes this fast.
        and (
            event is not null and event ilike '%oom%'
            or error_type is not null and error_type ilike '%oom%'
        )
),

killed as (
    select timestamp, region, service, host, version, detail
    from lines
    where event like '%oomkill%' or error_type like '%oomkill%'
),

agents as (
    select distinct services.service as service
    from (select distinct service from killed) as services
    join settings_selectors as selectors
        on selectors.what = 'agent_service' and services.service like selectors.pattern
),

final as (
    select
        killed.timestamp as timestamp,
        killed.region as region,
        killed.service as service,
        killed.host as host,
        killed.version as version,
        killed.detail as detail,
        agents.service is not null as is_agent
    from killed
    left join agents on killed.service = agents.service
)

select timestamp, region, service, host, version, detail, is_agent
from final
