-- title: Cache hit rate against its baseline, with database latency beside it
-- when: The hit rate fell, or the database is slow without more traffic.
-- params: none
select
    window_start,
    region,
    service,
    round(cache_hit_rate_delta, 3) as hit_rate_change,
    round(database_latency_delta, 3) as database_latency_change
from regression_features
where cache_hit_rate_delta < -0.05
order by cache_hit_rate_delta, region, service, window_start
limit 50
