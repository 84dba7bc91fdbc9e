//! What the generator promises as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use serde_json::Value;

use super::fault::{Fault, Kind};
use super::options::{Checked, Options};
use super::plan::Plan;
use super::requests::Shared;
use super::run::{Made, TABLES, run};
use super::schedule::draw_faults;
use super::world::{AGENT_RUNNER, EVALUATION_API, SERVICES};
use crate::contract::{self, ColumnType};
use crate::domain::{MICROS_PER_HOUR, Verdict, parse_timestamp};

type Row = serde_json::Map<String, Value>;

fn options(out: &Path, hours: f64, rows: u64) -> Options {
    Options { hours, rows, regions: 3, ..Options::new(out) }
}

fn rows(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a Row, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("`{key}` of {row:?} is no text"))
}

fn number(row: &Row, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("`{key}` of {row:?} is no number"))
}

fn checked(hours: f64, rows: u64, change: impl FnOnce(&mut Options)) -> Checked {
    let mut options = Options { hours, rows, ..Options::new("unused") };
    change(&mut options);
    options.check().unwrap()
}

/// The rows of logs, spans, metrics and evaluations, in memory.
fn simulate(shared: &Shared) -> [Vec<Row>; 4] {
    let mut tables = [(); 4].map(|()| Vec::new());
    let mut made = Made::default();
    for slice in shared.traffic.slices(&shared.checked) {
        shared.make(&slice, &mut made);
        for (rows, buffer) in tables.iter_mut().zip(&made) {
            let before = rows.len();
            let lines = std::str::from_utf8(&buffer.bytes).unwrap().lines();
            rows.extend(lines.map(|line| serde_json::from_str::<Row>(line).unwrap()));
            assert_eq!((rows.len() - before) as u64, buffer.rows);
        }
    }
    tables
}

fn bytes(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn the_same_options_give_the_same_bytes_with_any_number_of_threads() {
    let made = [1, 2, 5].map(|threads| {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path(), 1.2, 20_000);
        options.threads = NonZeroUsize::new(threads);
        let mut told = Vec::new();
        let summary = run(&options, &mut |done, all| told.push((done, all))).unwrap();
        assert_eq!(told.last(), Some(&(20_000, 20_000)));
        let files = bytes(directory.path());
        for table in &summary.tables {
            assert_eq!(table.bytes, files[&format!("{}.ndjson", table.table)].len() as u64);
        }
        files
    });
    assert_eq!(made[0].len(), TABLES.len(), "{:?}", made[0].keys());
    assert!(made[0] == made[1] && made[0] == made[2]);
}

#[test]
fn another_seed_tells_another_story() {
    let made = [1, 2].map(|seed| {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path(), 3.0, 500);
        options.seed = seed;
        run(&options, &mut |_, _| {}).unwrap();
        bytes(directory.path())
    });
    for table in ["logs.ndjson", "metrics.ndjson", "evaluations.ndjson", "incidents.ndjson"] {
        assert_ne!(made[0][table], made[1][table], "{table}");
    }
}

#[test]
fn there_are_exactly_as_many_log_lines_as_asked_for() {
    for (hours, count) in [(0.02, 1), (0.25, 999), (30.0, 1_000), (24.0 * 45.0, 2_345), (0.1, 123_456)] {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path(), hours, count);
        options.regions = 1;
        let summary = run(&options, &mut |_, _| {}).unwrap();
        assert_eq!(summary.tables[0].rows, count, "{hours} hours");
        let lines = fs::read(&summary.tables[0].path).unwrap().iter().filter(|b| **b == b'\n').count();
        assert_eq!(lines as u64, count, "{hours} hours");
    }
}

/// Whether a value is what its column holds; a map column takes nothing by its own name.
fn fits(kind: ColumnType, value: &Value) -> bool {
    match kind {
        ColumnType::Timestamp => value.as_str().and_then(parse_timestamp).is_some(),
        ColumnType::String => value.is_string(),
        ColumnType::Int32 => value.as_i64().is_some_and(|v| i32::try_from(v).is_ok()),
        ColumnType::Int64 => value.is_i64() || value.is_u64(),
        ColumnType::Float64 => value.is_number(),
        ColumnType::Bool => value.is_boolean(),
        ColumnType::Map | ColumnType::Binary => false,
    }
}

#[test]
fn every_line_keeps_its_tables_contract_and_lies_in_the_span() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), 3.0, 20_000);
    let summary = run(&options, &mut |_, _| {}).unwrap();
    for made in &summary.tables {
        let table = contract::table(made.table).unwrap();
        let rows = rows(&made.path);
        assert!(!rows.is_empty(), "{}", made.table);
        for row in &rows {
            for (key, value) in row {
                let fit = table.column(key).is_none_or(|column| fits(column.kind, value));
                assert!(fit, "{}: `{key}` is {value}", made.table);
            }
            for column in table.columns.iter().filter(|c| !c.nullable) {
                assert!(row.contains_key(&column.name), "{}: no `{}` in {row:?}", made.table, column.name);
            }
            let at = parse_timestamp(text(row, &table.time)).unwrap();
            assert!((summary.range.from()..summary.range.to()).contains(&at), "{}: {row:?}", made.table);
        }
        // Roughly in time order: never more than a slow request's length behind.
        let mut latest = 0;
        for row in &rows {
            let at = parse_timestamp(text(row, &table.time)).unwrap();
            assert!(latest - at < MICROS_PER_HOUR / 60, "{}: {row:?}", made.table);
            latest = latest.max(at);
        }
        assert!(!made.path.with_file_name(format!(".{}.ndjson.partial", made.table)).exists());
    }
}

#[test]
fn a_request_line_has_the_fields_and_the_size_of_real_ones() {
    let checked = checked(1.0, 20_000, |o| o.trace_sampling = 0.0);
    let [logs, spans, ..] = simulate(&Shared::new(checked));
    assert!(spans.is_empty());
    let requests: Vec<&Row> = logs.iter().filter(|r| r.contains_key("status_code")).collect();
    assert!(requests.len() * 100 > 90 * logs.len(), "{} of {}", requests.len(), logs.len());
    assert!(requests.iter().all(|r| r.len() >= 17));
    let size: usize = logs.iter().map(|r| serde_json::to_string(r).unwrap().len() + 1).sum();
    assert!((400..550).contains(&(size / logs.len())), "{} bytes a line", size / logs.len());
    // Whatever is no request must not look like one.
    for other in logs.iter().filter(|r| !r.contains_key("status_code")) {
        assert!(other.contains_key("event") && !other.contains_key("duration_ms"), "{other:?}");
    }
}

#[test]
fn a_websocket_that_closes_tells_how_long_it_was_open_and_what_it_sent() {
    let [logs, _, metrics, _] = simulate(&Shared::new(checked(3.0, 40_000, |o| o.quiet = true)));
    let of = |event: &str| logs.iter().filter(|r| r.get("event").is_some_and(|e| e == event)).collect();
    let (opened, closed, again): (Vec<&Row>, Vec<&Row>, Vec<&Row>) =
        (of("ws.connect"), of("ws.disconnect"), of("ws.reconnect"));
    assert!(opened.len() > 100 && closed.len() > 100 && !again.is_empty());
    assert!(opened.iter().all(|r| number(r, "handshake_ms") > 0.0));
    for row in &closed {
        // A heartbeat every 30 s, a message every 2 s.
        let connected = number(row, "connected_ms");
        assert!((connected / 30_000.0 - number(row, "heartbeats")).abs() <= 1.0, "{row:?}");
        assert!((connected / 2_000.0 - number(row, "messages_sent")).abs() <= 1.0, "{row:?}");
    }
    let sum = |rows: &[&Row], key: &str| rows.iter().map(|r| number(r, key)).sum::<f64>();
    let (up, down) = (sum(&closed, "connected_ms"), sum(&again, "downtime_ms"));
    assert!(up / (up + down) > 0.999, "{}", up / (up + down));
    let worst = |name: &str| {
        metrics.iter().filter(|m| m["metric"] == name).map(|m| number(m, "value")).fold(0.0, f64::max)
    };
    assert!((1.0..2_000.0).contains(&worst("dashboard_load_ms")));
    assert!((1.0..500.0).contains(&worst("panel_load_ms")));
}

#[test]
fn identities_are_well_formed_and_parents_exist() {
    let is_hex = |id: &str, length| {
        id.len() == length
            && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && id.bytes().any(|b| b != b'0')
    };
    let checked = checked(3.0, 40_000, |o| o.trace_sampling = 0.2);
    let [logs, spans, ..] = simulate(&Shared::new(checked));
    let key = |row: &Row, id: &str| (text(row, "trace_id").to_owned(), text(row, id).to_owned());
    let known: HashSet<_> = spans.iter().map(|s| key(s, "span_id")).collect();
    assert_eq!(known.len(), spans.len(), "a span stands twice");
    let (mut children, mut orphans, mut abroad) = (0, 0, 0);
    let regions: HashMap<_, _> = spans.iter().map(|s| (key(s, "span_id"), text(s, "region"))).collect();
    for span in &spans {
        assert!(is_hex(text(span, "trace_id"), 32) && is_hex(text(span, "span_id"), 16), "{span:?}");
        if span.contains_key("parent_span_id") {
            children += 1;
            match regions.get(&key(span, "parent_span_id")) {
                None => orphans += 1,
                Some(region) => abroad += usize::from(*region != text(span, "region")),
            }
        }
    }
    assert!(orphans > 0 && orphans * 1_000 < children, "{orphans} of {children} without a parent");
    assert!(abroad > 0, "no span has its parent in another region");
    // Kept traces are whole: a log line of a kept trace has its server span.
    let kept: HashSet<&str> = spans.iter().map(|s| text(s, "trace_id")).collect();
    let lines: Vec<&Row> = logs.iter().filter(|r| r.contains_key("status_code")).collect();
    let of_kept: Vec<&&Row> = lines.iter().filter(|r| kept.contains(text(r, "trace_id"))).collect();
    assert!(of_kept.iter().all(|r| known.contains(&key(r, "span_id"))));
    let share = of_kept.len() as f64 / lines.len() as f64;
    assert!((0.18..0.22).contains(&share), "{share}");
}

/// The value below which a share of the values lies.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

#[test]
fn a_quiet_run_keeps_the_platforms_promises() {
    let checked = checked(1.5, 70_000, |o| o.quiet = true);
    let shared = Shared::new(checked);
    assert!(shared.plan.faults.iter().all(|f| f.kind.verdict() == Verdict::Benign));
    assert!(shared.plan.alerts.is_empty());
    let [logs, spans, metrics, evaluations] = simulate(&shared);
    let requests: Vec<&Row> = logs.iter().filter(|r| r.contains_key("status_code")).collect();
    let errors = requests.iter().filter(|r| number(r, "status_code") >= 500.0).count() as f64;
    assert!(errors / (requests.len() as f64) < 0.001, "{errors} errors");
    let durations: Vec<f64> = requests.iter().map(|r| number(r, "duration_ms")).collect();
    let (p95, p99) = (quantile(durations.clone(), 0.95), quantile(durations, 0.99));
    assert!(p95 < 150.0 && p99 < 500.0, "p95 {p95}, p99 {p99}");
    for (index, service) in SERVICES.iter().enumerate() {
        let of = |r: &&&Row| text(r, "service") == service.name && text(r, "region") == "sa-east-1";
        let durations: Vec<f64> = requests.iter().filter(of).map(|r| number(r, "duration_ms")).collect();
        let p95 = quantile(durations, 0.95);
        assert!(p95 < 150.0, "service {index} in the slowest region: {p95}");
    }
    let queries = spans.iter().filter(|s| s.get("db.system").is_some_and(|d| d == "postgresql"));
    let p95 = quantile(queries.map(|s| number(s, "duration_ms")).collect(), 0.95);
    assert!(p95 < 50.0, "database p95 {p95}");
    let failed = evaluations.iter().filter(|e| text(e, "status") != "success").count();
    assert!(failed * 100 < evaluations.len(), "{failed} of {}", evaluations.len());
    // No drift: the two halves of every series agree, and limits do not change at all.
    let mut halves: BTreeMap<(String, String, String), [(f64, f64); 2]> = BTreeMap::new();
    for (position, m) in metrics.iter().enumerate() {
        let service = m.get("service").and_then(Value::as_str).unwrap_or("").to_owned();
        let key = (text(m, "region").to_owned(), service, text(m, "metric").to_owned());
        let half = &mut halves.entry(key).or_default()[usize::from(position * 2 >= metrics.len())];
        *half = (half.0 + number(m, "value"), half.1 + 1.0);
    }
    for (key, [(a, n), (b, m)]) in halves {
        if !key.2.ends_with("_total") && a > 0.0 {
            let drift = (b / m) / (a / n) - 1.0;
            assert!(drift.abs() < 0.03, "{key:?} drifts by {drift}");
            assert!(!key.2.contains("limit") && !key.2.contains("replicas") || drift == 0.0, "{key:?}");
        }
    }
}

#[test]
fn labels_never_overlap_and_come_as_often_as_promised() {
    for (hours, seed) in [(3.0, 1), (3.0, 2), (3.0, 3), (8.0, 4), (24.0, 5), (24.0, 6), (720.0, 7)] {
        let checked = checked(hours, 1_000, |o| o.seed = seed);
        let faults = Plan::draw(&checked).faults;
        let wanted = (hours / 1.5_f64).round().max(3.0);
        assert!(faults.len() as f64 >= 0.9 * wanted, "{} of {wanted} faults in {hours} h", faults.len());
        for verdict in Verdict::ALL {
            assert!(
                faults.iter().any(|f| f.kind.verdict() == *verdict),
                "no {verdict} in {hours} h, seed {seed}"
            );
        }
        for (index, a) in faults.iter().enumerate() {
            assert!(a.from < a.to && a.to < checked.minutes() && a.services != 0, "{a:?}");
            for b in &faults[index + 1..] {
                let apart = a.region != b.region || a.services & b.services == 0 || a.to <= b.from;
                assert!(apart, "{a:?} and {b:?}");
            }
        }
        if hours >= 24.0 {
            let labels =
                |v| faults.iter().filter(|f| f.kind.verdict() == v).map(|f| f.services.count_ones()).sum();
            let counts: [u32; 3] = [
                labels(Verdict::Benign),
                labels(Verdict::PerformanceRegression),
                labels(Verdict::EnvironmentRegression),
            ];
            assert!(counts.iter().all(|c| *c >= 3), "{counts:?}");
        }
    }
}

#[test]
fn faults_do_not_depend_on_the_number_of_rows() {
    let drawn = |rows| {
        let checked = checked(48.0, rows, |_| {});
        let mut random = super::random::Random::new(checked.seed, super::random::Stream::Plan, 0);
        draw_faults(&checked, &mut random).iter().map(|f| format!("{f:?}")).collect::<Vec<_>>()
    };
    assert_eq!(drawn(10), drawn(10_000_000));
}

/// What a fault's service shows inside and outside of it.
struct Signals {
    inside: Figures,
    outside: Figures,
}

#[derive(Debug, Default)]
struct Figures {
    p95: f64,
    errors: f64,
    timeouts: f64,
    retries: f64,
    queue_p95: f64,
    queries_per_trace: f64,
    query_p95: f64,
    reward: f64,
    requests_per_minute: f64,
    metrics: HashMap<String, f64>,
}

/// Plays one fault on an otherwise quiet platform: minutes 60 to 120 of 150.
fn play(kind: Kind) -> Signals {
    let checked = checked(2.5, 25_000, |o| {
        o.regions = 2;
        o.quiet = true;
        o.trace_sampling = 0.2;
    });
    let service = if kind == Kind::RewardDrop { AGENT_RUNNER } else { EVALUATION_API };
    let services = 1 << service;
    let route = usize::from(kind == Kind::NPlusOne);
    let fault = Fault { kind, region: 0, services, from: 60, to: 120, strength: 0.5, route };
    let mut shared = Shared::new(checked.clone());
    shared.plan = Plan::of(vec![fault], &checked);
    shared.traffic = super::traffic::Traffic::new(&checked, &shared.plan);
    // Enough samples for a mean, fewer rows to read.
    shared.metric_step = 5;
    let start = checked.start;
    let tables = simulate(&shared);
    let figures = |inside: bool| {
        let here = |row: &&Row| {
            let minute = (parse_timestamp(text(row, "timestamp")).unwrap() - start) / 60_000_000;
            text(row, "region") == "us-east-1"
                && row.get("service").is_none_or(|s| s == SERVICES[service].name)
                && (60..120).contains(&minute) == inside
        };
        let [logs, spans, metrics, evaluations] = &tables;
        let requests: Vec<&Row> =
            logs.iter().filter(here).filter(|r| r.contains_key("status_code")).collect();
        let all = requests.len() as f64;
        let share = |test: &dyn Fn(&Row) -> bool| requests.iter().filter(|r| test(r)).count() as f64 / all;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let queries: Vec<&Row> = spans
            .iter()
            .filter(here)
            .filter(|s| s.get("db.system").is_some_and(|d| d == "postgresql"))
            .collect();
        let traces: HashSet<&str> = queries.iter().map(|s| text(s, "trace_id")).collect();
        let mut samples: HashMap<String, Vec<f64>> = HashMap::new();
        for m in metrics.iter().filter(here) {
            samples.entry(text(m, "metric").to_owned()).or_default().push(number(m, "value"));
        }
        let rewards = evaluations.iter().filter(here).filter(|e| e.contains_key("reward_mean"));
        Figures {
            p95: quantile(requests.iter().map(|r| number(r, "duration_ms")).collect(), 0.95),
            errors: share(&|r| number(r, "status_code") >= 500.0),
            timeouts: share(&|r| r["timeout"] == true),
            retries: share(&|r| number(r, "retry_count") > 0.0),
            queue_p95: quantile(requests.iter().map(|r| number(r, "queue_wait_ms")).collect(), 0.95),
            queries_per_trace: queries.len() as f64 / traces.len() as f64,
            query_p95: quantile(queries.iter().map(|s| number(s, "duration_ms")).collect(), 0.95),
            reward: mean(rewards.map(|e| number(e, "reward_mean")).collect()),
            requests_per_minute: all / if inside { 60.0 } else { 90.0 },
            metrics: samples.into_iter().map(|(name, values)| (name, mean(values))).collect(),
        }
    };
    Signals { inside: figures(true), outside: figures(false) }
}

impl Signals {
    /// A figure inside against outside.
    fn ratio(&self, figure: impl Fn(&Figures) -> f64) -> f64 {
        figure(&self.inside) / figure(&self.outside)
    }

    fn metric(&self, name: &str) -> f64 {
        self.ratio(|f| f.metrics[name])
    }

    fn is_flat(&self, names: &[&str]) {
        for name in names {
            let ratio = self.metric(name);
            assert!((0.93..1.07).contains(&ratio), "{name} moved by {ratio}");
        }
    }
}

#[test]
fn a_slow_route_is_slow_and_nothing_below_it_is() {
    let s = play(Kind::SlowRoute);
    assert!(s.ratio(|f| f.p95) > 1.4, "{}", s.ratio(|f| f.p95));
    assert!(s.metric("cpu_utilization") > 1.1);
    s.is_flat(&["database_latency_ms", "cache_hit_rate", "memory_utilization", "external_api_latency_ms"]);
}

#[test]
fn a_leak_fills_memory_and_slows_collection() {
    let s = play(Kind::MemoryLeak);
    assert!(s.metric("memory_utilization") > 1.25);
    assert!(s.ratio(|f| f.p95) > 1.15, "{}", s.ratio(|f| f.p95));
    s.is_flat(&["database_latency_ms", "cache_hit_rate"]);
}

#[test]
fn many_queries_slow_a_service_while_each_query_stays_fast() {
    let s = play(Kind::NPlusOne);
    assert!(s.ratio(|f| f.p95) > 1.3, "{}", s.ratio(|f| f.p95));
    assert!(s.ratio(|f| f.queries_per_trace) > 2.5, "{}", s.ratio(|f| f.queries_per_trace));
    assert!(s.ratio(|f| f.query_p95) < 1.5);
    s.is_flat(&["postgresql_query_p95_ms", "cache_hit_rate"]);
}

#[test]
fn a_bad_setting_breaks_requests_without_slowing_them() {
    let s = play(Kind::BadConfig);
    assert!(s.inside.errors > 0.05 && s.outside.errors < 0.001, "{:?}", s.inside);
    assert!(s.ratio(|f| f.p95) < 1.25);
}

#[test]
fn worse_training_lowers_rewards_only() {
    let s = play(Kind::RewardDrop);
    assert!(s.ratio(|f| f.reward) < 0.85, "{}", s.ratio(|f| f.reward));
    assert!(s.ratio(|f| f.p95) < 1.25);
}

#[test]
fn a_saturated_database_slows_every_query() {
    let s = play(Kind::DatabaseSaturation);
    assert!(s.ratio(|f| f.query_p95) > 4.0, "{}", s.ratio(|f| f.query_p95));
    assert!(s.ratio(|f| f.p95) > 1.5, "{}", s.ratio(|f| f.p95));
    assert!(s.metric("database_latency_ms") > 4.0 && s.metric("database_connections") > 1.8);
    assert!(s.ratio(|f| f.queries_per_trace) < 1.3);
    assert!(s.inside.timeouts > 0.005);
    s.is_flat(&["cpu_utilization", "cache_hit_rate"]);
}

#[test]
fn a_slow_network_shows_between_regions() {
    let s = play(Kind::NetworkDelay);
    assert!(s.ratio(|f| f.p95) > 1.5, "{}", s.ratio(|f| f.p95));
    assert!(s.metric("external_api_latency_ms") > 1.5);
    s.is_flat(&["database_latency_ms", "cpu_utilization"]);
}

#[test]
fn nodes_under_pressure_show_in_cpu_memory_disk_and_queues() {
    let s = play(Kind::NodePressure);
    for (metric, least) in
        [("cpu_utilization", 1.4), ("memory_utilization", 1.2), ("disk_read_ops", 2.5), ("queue_depth", 4.0)]
    {
        assert!(s.metric(metric) > least, "{metric}: {}", s.metric(metric));
    }
    assert!(s.ratio(|f| f.queue_p95) > 4.0);
    s.is_flat(&["database_latency_ms", "cache_hit_rate"]);
}

#[test]
fn a_cache_outage_moves_load_to_the_database() {
    let s = play(Kind::CacheOutage);
    assert!(s.metric("cache_hit_rate") < 0.4, "{}", s.metric("cache_hit_rate"));
    assert!(s.metric("database_latency_ms") > 1.5 && s.metric("database_connections") > 1.3);
    assert!(s.ratio(|f| f.p95) > 1.1, "{}", s.ratio(|f| f.p95));
}

#[test]
fn a_slow_external_api_shows_as_timeouts_and_retries() {
    let s = play(Kind::SlowExternal);
    assert!(s.metric("external_api_latency_ms") > 4.0);
    assert!(s.inside.timeouts > 0.004 && s.inside.retries > 10.0 * s.outside.retries, "{:?}", s.inside);
    s.is_flat(&["database_latency_ms", "cpu_utilization", "cache_hit_rate"]);
}

#[test]
fn harmless_events_hurt_nobody() {
    for kind in Kind::of(Verdict::Benign) {
        let s = play(*kind);
        let ratio = s.ratio(|f| f.p95);
        assert!((0.9..1.12).contains(&ratio), "{kind:?}: p95 moved by {ratio}");
        assert!(s.inside.errors < 0.001, "{kind:?}");
        s.is_flat(&["database_latency_ms", "cache_hit_rate", "memory_utilization"]);
        let surge = s.ratio(|f| f.requests_per_minute);
        assert_eq!(surge > 1.5, *kind == Kind::TrafficSurge, "{kind:?}: {surge} times the requests");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("taken");
    fs::write(&blocked, "a file").unwrap();
    let error = run(&options(&blocked, 1.0, 10), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("taken`"), "{error}");
}
