-- title: Every region beside the primary
-- when: A region was failed over, or one region looks different from the others.
-- params: none
select
    region,
    is_primary,
    requests,
    round(100 * request_share, 1) as share_percent,
    round(100 * availability, 3) as availability_percent,
    round(p95_ms, 1) as p95_ms,
    round(p99_ms, 1) as p99_ms
from region_kpis
order by is_primary desc, region
