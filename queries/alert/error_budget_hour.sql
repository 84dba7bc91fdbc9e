-- title: Services that failed more than 5 % of their requests in the last hour of the window
-- when: As a scheduled check; any row is worth an alert.
-- params: none
select
    region,
    service,
    sum(requests) as requests,
    sum(errors) as errors,
    round(cast(sum(errors) as double) / sum(requests), 4) as error_rate
from request_minutes
where minute >= $to - interval '1 hour' and minute < $to
group by region, service
having sum(errors) > 0.05 * sum(requests)
order by error_rate desc, region, service
