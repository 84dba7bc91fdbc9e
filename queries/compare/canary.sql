-- title: Is the candidate as good as the baseline?
-- when: A version, a region or a stretch of time is to be judged against another (tars compare).
-- params: $from, $to: the candidate's time; $baseline_from, $baseline_to: the baseline's;
--   $region, $service, $version and $baseline_region, $baseline_service, $baseline_version: what
--   belongs to each, '' for everything
with
sides as (
    select is_candidate, since, until, region, service, version
    from (
        values
            (
                false,
                $baseline_from,
                $baseline_to,
                $baseline_region,
                $baseline_service,
                $baseline_version
            ),
            (true, $from, $to, $region, $service, $version)
    ) as listed (is_candidate, since, until, region, service, version)
),

-- Raw logs and spans are read only where a version is asked for.
minutes as (
    select minute, region, service, '' as version, requests, errors, latency
    from request_minutes
    where $version = '' and $baseline_version = ''
    union all
    select minute, region, service, version, requests, errors, latency
    from version_minutes
    where $version <> '' or $baseline_version <> ''
),

side_minutes as (
    select
        sides.is_candidate as is_candidate,
        minutes.minute as minute,
        sum(minutes.requests) as requests,
        sum(minutes.errors) as errors,
        sketch_merge(minutes.latency) as latency
    from minutes
    join sides
        on minutes.minute >= sides.since
        and minutes.minute < sides.until
        and (sides.region = '' or minutes.region = sides.region)
        and (sides.service = '' or minutes.service = sides.service)
        and (sides.version = '' or minutes.version = sides.version)
    group by sides.is_candidate, minutes.minute
),

-- Which way is worse; what is not listed has only changed.
names as (
    select name, unit, worse
    from (
        values
            ('api_latency_p50', 'ms', 1),
            ('api_latency_p95', 'ms', 1),
            ('api_latency_p99', 'ms', 1),
            ('request_rate', '/s', 0),
            ('cpu_utilization', 'percent', 1),
            ('memory_utilization', 'percent', 1),
            ('memory_usage', 'bytes', 1),
            ('database_latency_p95', 'ms', 1),
            ('external_api_latency_ms', 'ms', 1),
            ('queue_depth', '1', 1),
            ('queue_wait_ms', 'ms', 1),
            ('cache_hit_rate', '1', -1),
            ('disk_io', '/s', 0),
            ('network_io', 'bytes/s', 0)
    ) as listed (name, unit, worse)
),

-- A quantile of fewer values than it tells apart grows with their number, which would make the side
-- with more traffic look slower: such minutes are left out. The load of two versions or regions
-- differs by design; only the same place at two times has one.
request_values as (
    select
        names.name as name,
        side_minutes.is_candidate as is_candidate,
        case names.name
            when 'api_latency_p50' then
                case
                    when side_minutes.durations >= 5
                        then sketch_quantile(side_minutes.latency, 0.50)
                end
            when 'api_latency_p95' then
                case
                    when side_minutes.durations >= 20
                        then sketch_quantile(side_minutes.latency, 0.95)
                end
            when 'api_latency_p99' then
                case
                    when side_minutes.durations >= 100
                        then sketch_quantile(side_minutes.latency, 0.99)
                end
            else side_minutes.requests / cast(60.0 as double)
        end as value
    from (select *, sketch_count(latency) as durations from side_minutes) as side_minutes
    join names
        on names.name in ('api_latency_p50', 'api_latency_p95', 'api_latency_p99')
        or (
            names.name = 'request_rate'
            and $region = $baseline_region
            and $service = $baseline_service
            and $version = $baseline_version
        )
),

-- Minutes in which a service of a region served with one version alone. What its machines measured then is
-- of that version; while two run side by side it is of neither.
pure_minutes as (
    select minute, region, service, max(version) as version
    from version_minutes
    where $version <> '' or $baseline_version <> ''
    group by minute, region, service
    having count(distinct version) = 1
),

-- A sample is of the version that its labels name, or else of that of its minute.
samples as (
    select
        points.timestamp as timestamp,
        points.region as region,
        points.service as service,
        points.role as role,
        points.value as value,
        coalesce(points.version, minutes.version) as version
    from metric_points as points
    left join pure_minutes as minutes
        on date_trunc('minute', points.timestamp) = minutes.minute
        and points.region = minutes.region
        and coalesce(points.service, 'unknown') = minutes.service
),

metric_values as (
    select
        case points.role
            when 'database_latency_ms' then 'database_latency_p95'
            else points.role
        end as name,
        sides.is_candidate as is_candidate,
        exact_avg(points.value) as value
    from samples as points
    join sides
        on points.timestamp >= sides.since
        and points.timestamp < sides.until
        and (sides.region = '' or points.region = sides.region)
        and (sides.service = '' or points.service = sides.service)
        and (sides.version = '' or points.version = sides.version)
    where
        points.timestamp >= least($from, $baseline_from)
        and points.timestamp < greatest($to, $baseline_to)
        and points.role in (
            'cpu_utilization',
            'memory_utilization',
            'memory_usage',
            'database_latency_ms',
            'external_api_latency_ms',
            'queue_depth',
            'queue_wait_ms',
            'cache_hit_rate',
            'disk_io',
            'network_io'
        )
    group by points.role, sides.is_candidate, date_trunc('minute', points.timestamp)
),

series as (
    select name, is_candidate, value from request_values where value is not null
    union all
    select name, is_candidate, value from metric_values where value is not null
    union all
    -- Latency is listed even where it was not measured.
    select name, false as is_candidate, cast(null as double) as value
    from names
    where name in ('api_latency_p50', 'api_latency_p95', 'api_latency_p99')
),

-- Samples are values by minute. The numbers of a sample are in no particular order, so a slow trend
-- within a side shows as spread.
tested as (
    select
        name,
        count(value) filter (where not is_candidate) as baseline_n,
        count(value) filter (where is_candidate) as candidate_n,
        median(value) filter (where not is_candidate) as baseline,
        median(value) filter (where is_candidate) as candidate,
        mann_whitney_u(value, is_candidate) as u,
        mann_whitney_p(value, is_candidate) as shift_p,
        hodges_lehmann(value, is_candidate) as shift,
        hodges_lehmann_lower(value, is_candidate, 0.95) as shift_low,
        hodges_lehmann_upper(value, is_candidate, 0.95) as shift_high,
        mad(value) filter (where not is_candidate) as baseline_mad,
        mad(value) filter (where is_candidate) as candidate_mad,
        spread_ratio(value, is_candidate) as ratio,
        brown_forsythe_p(value, is_candidate) as spread_p
    from series
    group by name
),

-- How far values lie from their median on average, which is what the spread test compares.
distances as (
    select
        series.name as name,
        exact_avg(abs(series.value - centers.center)) filter (where not series.is_candidate)
            as baseline,
        exact_avg(abs(series.value - centers.center)) filter (where series.is_candidate)
            as candidate
    from series
    join (
        select name, is_candidate, median(value) as center from series group by name, is_candidate
    ) as centers
        on series.name = centers.name and series.is_candidate = centers.is_candidate
    group by series.name
),

shifts as (
    select
        name,
        'shift' as test,
        baseline,
        candidate,
        shift as effect,
        shift_low as effect_low,
        shift_high as effect_high,
        u / nullif(cast(baseline_n * candidate_n as double), 0) as statistic,
        shift_p as p,
        baseline_n,
        candidate_n,
        cast(null as double) as difference
    from tested
),

spreads as (
    select
        tested.name as name,
        'spread' as test,
        tested.baseline_mad as baseline,
        tested.candidate_mad as candidate,
        tested.ratio as effect,
        cast(null as double) as effect_low,
        cast(null as double) as effect_high,
        tested.ratio as statistic,
        tested.spread_p as p,
        tested.baseline_n as baseline_n,
        tested.candidate_n as candidate_n,
        abs(distances.candidate - distances.baseline) as difference
    from tested
    left join distances on tested.name = distances.name
),

counted as (
    select
        coalesce(sum(requests) filter (where not is_candidate), 0) as baseline_n,
        coalesce(sum(requests) filter (where is_candidate), 0) as candidate_n,
        coalesce(sum(errors) filter (where not is_candidate), 0) as baseline_errors,
        coalesce(sum(errors) filter (where is_candidate), 0) as candidate_errors,
        sketch_merge(latency) filter (where not is_candidate) as baseline_latency,
        sketch_merge(latency) filter (where is_candidate) as candidate_latency
    from side_minutes
),

-- 1.96 standard errors: 95 %.
rates as (
    select
        baseline_n,
        candidate_n,
        baseline_errors,
        candidate_errors,
        baseline_errors / nullif(cast(baseline_n as double), 0) as baseline,
        candidate_errors / nullif(cast(candidate_n as double), 0) as candidate,
        wilson_lower(baseline_errors, baseline_n, 1.959963984540054) as baseline_low,
        wilson_upper(baseline_errors, baseline_n, 1.959963984540054) as baseline_high,
        wilson_lower(candidate_errors, candidate_n, 1.959963984540054) as candidate_low,
        wilson_upper(candidate_errors, candidate_n, 1.959963984540054) as candidate_high
    from counted
),

-- Newcombe's interval of a difference of shares, from Wilson's of each.
counts as (
    select
        'error_rate' as name,
        'counts' as test,
        baseline,
        candidate,
        candidate - baseline as effect,
        candidate - baseline - sqrt(
            power(candidate - candidate_low, 2) + power(baseline_high - baseline, 2)
        ) as effect_low,
        candidate - baseline + sqrt(
            power(candidate_high - candidate, 2) + power(baseline - baseline_low, 2)
        ) as effect_high,
        candidate / nullif(baseline, 0) as statistic,
        fisher_exact_p(baseline_errors, baseline_n, candidate_errors, candidate_n) as p,
        baseline_n,
        candidate_n,
        cast(null as double) as difference
    from rates
),

distributions as (
    select
        'api_latency' as name,
        'distribution' as test,
        sketch_quantile(baseline_latency, 0.50) as baseline,
        sketch_quantile(candidate_latency, 0.50) as candidate,
        psi(baseline_latency, candidate_latency) as effect,
        cast(null as double) as effect_low,
        cast(null as double) as effect_high,
        ks_statistic(baseline_latency, candidate_latency) as statistic,
        ks_p_value(baseline_latency, candidate_latency) as p,
        coalesce(sketch_count(baseline_latency), 0) as baseline_n,
        coalesce(sketch_count(candidate_latency), 0) as candidate_n,
        cast(null as double) as difference
    from counted
),

tests as (
    select * from shifts
    union all
    select * from spreads
    union all
    select * from counts
    union all
    select * from distributions
),

judged as (
    select
        tests.name as name,
        tests.test as test,
        tests.baseline as baseline,
        tests.candidate as candidate,
        tests.effect as effect,
        tests.effect_low as effect_low,
        tests.effect_high as effect_high,
        tests.statistic as statistic,
        tests.p as p,
        bh_adjusted(tests.p) over () as adjusted_p,
        tests.baseline_n as baseline_n,
        tests.candidate_n as candidate_n,
        case
            when tests.name in ('error_rate', 'api_latency') then 1
            else coalesce(names.worse, 0)
        end as worse,
        case
            when tests.test = 'spread' then 'x'
            when tests.test = 'distribution' then 'psi'
            when tests.test = 'counts' then '1'
            else names.unit
        end as unit,
        limits.false_alarms as false_alarms,
        -- Effect before significance: would it matter, if it were real?
        case tests.test
            when 'shift' then
                abs(tests.effect) >= coalesce(checks.floor, 0.0)
                and abs(tests.effect) > 0
                and abs(tests.effect) >= abs(tests.baseline)
                    * coalesce(checks.threshold_percent, limits.min_effect_percent) / 100
            when 'spread' then
                (tests.effect >= limits.spread_ratio or tests.effect <= 1 / limits.spread_ratio)
                and coalesce(tests.difference >= checks.floor, true)
            when 'counts' then
                abs(tests.effect) > 0
                and abs(tests.effect) >= tests.baseline
                    * coalesce(checks.threshold_percent, limits.min_effect_percent) / 100
            else tests.effect >= limits.psi
        end as matters
    from tests
    cross join settings_change as limits
    left join names on tests.name = names.name
    left join settings_drift as checks on tests.name = checks.name
),

final as (
    select
        name as metric,
        test,
        case
            when baseline_n = 0 or candidate_n = 0 then 'no data'
            when p is null then 'too few'
            when not matters then 'same'
            when adjusted_p > false_alarms then 'unclear'
            when test = 'spread' and effect > 1 then 'worse'
            when test = 'spread' then 'better'
            when test = 'distribution' or worse = 0 then 'changed'
            when effect * worse > 0 then 'worse'
            else 'better'
        end as verdict,
        baseline,
        candidate,
        effect,
        effect_low,
        effect_high,
        unit,
        statistic,
        p,
        adjusted_p,
        baseline_n,
        candidate_n
    from judged
)

select
    metric,
    test,
    verdict,
    baseline,
    candidate,
    effect,
    effect_low,
    effect_high,
    unit,
    statistic,
    p,
    adjusted_p,
    baseline_n,
    candidate_n
from final
order by
    case verdict
        when 'worse' then 1
        when 'changed' then 2
        when 'unclear' then 3
        when 'better' then 4
        when 'same' then 5
        when 'too few' then 6
        else 7
    end,
    metric,
    test
