//! Metric samples: machines, queues, caches, databases, clusters.

use super::effects::Effects;
use super::json::{self, Clock, field};
use super::options::Checked;
use super::plan::hosts;
use super::random::{Random, Stream, smooth};
use super::requests::{Buffer, Shared};
use super::traffic::{Scene, region_weight};
use super::world::{DASHBOARD_API, REGIONS, SERVICE_COUNT, SERVICES, services};
use super::write::host_name;

/// Samples that one moment has, about: all series of all regions.
const SAMPLES_PER_REGION: f64 = 186.0;
/// The coarser grids that sampling falls back to, in minutes.
const STEPS: [usize; 7] = [1, 2, 5, 10, 15, 30, 60];
/// Below this many samples nobody minds their number.
const FEW_SAMPLES: f64 = 400_000.0;
/// Drift checks look every five minutes; up to two days they always find a fresh sample.
const CHECKED_MINUTES: usize = 5;
const CHECKED_HOURS: f64 = 48.0;

/// Minutes between two samples: the finest grid that does not make metrics outnumber log lines.
pub(super) fn step_minutes(checked: &Checked) -> usize {
    let samples = checked.minutes() as f64 * checked.regions as f64 * SAMPLES_PER_REGION;
    let most = FEW_SAMPLES.max(checked.rows as f64);
    let fits = |step: &usize| {
        samples / *step as f64 <= most || (*step >= CHECKED_MINUTES && checked.hours() <= CHECKED_HOURS)
    };
    STEPS.into_iter().find(|s| fits(s)).unwrap_or(60)
}

/// Largest number of connections to one region's database.
const MAX_CONNECTIONS: f64 = 400.0;
/// Cores and memory of one node.
const NODE_CORES: f64 = 16.0;
const NODE_MEMORY_GB: f64 = 64.0;

/// One moment's samples of one region.
struct Sampler<'a> {
    shared: &'a Shared,
    out: &'a mut Buffer,
    random: Random,
    head: Vec<u8>,
    region: usize,
    minute: usize,
    /// How much noise there may be.
    noise: f64,
}

impl Sampler<'_> {
    fn sample(&mut self, service: &str, host: &str, metric: &str, unit: &str, value: f64) {
        let out = &mut self.out.bytes;
        out.extend_from_slice(&self.head);
        if !service.is_empty() {
            field(out, "service", service);
        }
        if !host.is_empty() {
            field(out, "host", host);
        }
        field(out, "metric", metric);
        json::number_field(out, "value", value);
        field(out, "unit", unit);
        let kind = if metric.ends_with("_total") { "counter" } else { "gauge" };
        field(out, "kind", kind);
        out.extend_from_slice(b"}\n");
        self.out.rows += 1;
    }

    /// A factor around 1: a slow wave of its own per series, and a little at random.
    fn wobble(&mut self, series: u64, amount: f64) -> f64 {
        let wave = smooth(self.shared.checked.seed, series, self.minute as f64 / 20.0);
        let normal = self.shared.normal.normal(self.random.bits());
        1.0 + self.noise * amount * (0.6 * wave + 0.25 * normal.clamp(-3.0, 3.0))
    }
}

/// All samples of one moment.
pub(super) fn sample(shared: &Shared, scene: &Scene, clock: &mut Clock, out: &mut Buffer) {
    let checked = &shared.checked;
    for (region, about) in REGIONS.iter().enumerate().take(checked.regions) {
        let mut head = b"{\"timestamp\":\"".to_vec();
        clock.instant(&mut head, checked.minute_start(scene.minute));
        head.push(b'"');
        field(&mut head, "region", about.name);
        let index = (scene.minute * REGIONS.len() + region) as u64;
        let mut s = Sampler {
            shared,
            out,
            random: Random::new(checked.seed, Stream::Metrics, index),
            head,
            region,
            minute: scene.minute,
            noise: if checked.quiet { 0.15 } else { 1.0 },
        };
        // Load against the mean of the day.
        let load = region_weight(checked, scene.minute, region) / about.share;
        for service in services() {
            service_samples(&mut s, scene, service, load);
        }
        region_samples(&mut s, scene, load);
    }
}

fn service_samples(s: &mut Sampler<'_>, scene: &Scene, service: usize, load: f64) {
    let region = s.region;
    let e = *scene.effects(region, service);
    let about = &SERVICES[service];
    let name = about.name;
    let id = ((region * SERVICE_COUNT + service) as u64 + 1) * 100;
    let (more, limit_factor) = s.shared.plan.scaling(scene.minute, region, service);
    let limit = about.memory_limit_mib * limit_factor;
    let rate = s.shared.traffic.request_rate(&s.shared.checked, scene, region, service);
    let replicas = (hosts(region) as i32 + more).max(1);
    for host in 0..hosts(region) {
        let h = host_name(region, service, host);
        let id = id + host as u64 * 10;
        let cpu = (about.cpu * (0.55 + 0.45 * load) * s.wobble(id, 0.08) + e.cpu).clamp(1.0, 99.0);
        let healthy = about.memory * s.wobble(id + 1, 0.03) / limit_factor;
        let memory = (healthy + (97.0 - healthy) * e.memory).clamp(1.0, 99.0);
        s.sample(name, &h, "cpu_utilization", "percent", cpu);
        s.sample(name, &h, "memory_utilization", "percent", memory);
        s.sample(name, &h, "memory_usage", "MiB", memory / 100.0 * limit);
    }
    // No sum beside them: whoever adds up the operations of a disk would count them twice.
    let reads = 60.0 * load * e.disk * s.wobble(id + 50, 0.1);
    let writes = 95.0 * load * e.disk * s.wobble(id + 51, 0.1);
    s.sample(name, "", "disk_read_ops", "ops/s", reads);
    s.sample(name, "", "disk_write_ops", "ops/s", writes);
    let network = 1_500_000.0 * load * e.traffic;
    let received = network * s.wobble(id + 52, 0.08);
    let sent = 2.6 * network * s.wobble(id + 53, 0.08);
    s.sample(name, "", "network_receive", "bytes/s", received);
    s.sample(name, "", "network_transmit", "bytes/s", sent);
    let depth = about.queue_depth * load * e.traffic.sqrt() * e.queue * s.wobble(id + 54, 0.15);
    s.sample(name, "", "queue_depth", "1", depth.round());
    if about.uses_cache() {
        let hits = (1.0 - e.cache_miss * s.wobble(id + 55, 0.06)).clamp(0.0, 1.0);
        let size =
            180_000.0 * s.wobble(id + 56, 0.04) * (1.0 - (e.cache_miss - Effects::CACHE_MISS).max(0.0));
        s.sample(name, "", "cache_hit_rate", "1", hits);
        s.sample(name, "", "cache_size", "1", size.round());
    }
    if about.uses_database() {
        // The mean of a log-normal lies above its median.
        let latency = 3.9 * e.database * s.wobble(id + 57, 0.07);
        s.sample(name, "", "database_latency_ms", "ms", latency);
        s.sample(name, "", "database_connections", "1", connections(s, scene, service, load).round());
    }
    if about.external.is_some() {
        let slow = 41.0 * e.external * s.wobble(id + 59, 0.08);
        let latency = slow + 2_000.0 * (e.external_timeouts - 0.000_3).max(0.0);
        s.sample(name, "", "external_api_latency_ms", "ms", latency);
    }
    s.sample(name, "", "request_rate", "1/s", rate);
    s.sample(name, "", "replicas", "1", f64::from(replicas));
    s.sample(name, "", "replicas_desired", "1", f64::from(replicas));
    s.sample(name, "", "cpu_limit", "cores", about.cpu_limit);
    s.sample(name, "", "memory_limit", "MiB", limit);
    s.sample(name, "", "restarts", "1", f64::from(e.restarts));
}

/// Open connections of one service.
fn connections(s: &Sampler<'_>, scene: &Scene, service: usize, load: f64) -> f64 {
    let e = scene.effects(s.region, service);
    let wave = smooth(s.shared.checked.seed, 77 + service as u64, scene.minute as f64 / 20.0);
    20.0 * (0.7 + 0.3 * load) * e.connections * (1.0 + 0.05 * s.noise * wave)
}

fn region_samples(s: &mut Sampler<'_>, scene: &Scene, load: f64) {
    let region = s.region;
    let id = 100_000 + region as u64 * 100;
    let used: f64 =
        services().filter(|i| SERVICES[*i].uses_database()).map(|i| connections(s, scene, i, load)).sum();
    let each = || services().map(|i| scene.effects(region, i));
    let of = |pick: fn(&Effects) -> f64| each().map(pick).sum::<f64>() / SERVICE_COUNT as f64;
    // The database itself: what most of its users see, so that one chatty service is not its fault.
    let mut seen: Vec<f64> = each().map(|e| e.database).collect();
    seen.sort_by(f64::total_cmp);
    let database = seen[SERVICE_COUNT / 2];
    let (cpu, memory, pressed, lag) =
        (of(|e| e.cpu), of(|e| e.memory), each().map(|e| e.pressed_nodes).fold(0.0, f64::max), {
            each().map(|e| e.replication).fold(1.0, f64::max)
        });
    let nodes = if region == 0 { 6.0 } else { 4.0 };
    s.sample("", "", "node_count", "1", nodes);
    s.sample("", "", "node_pressure_count", "1", pressed.round().min(nodes));
    s.sample("", "", "cluster_cpu_cores", "cores", nodes * NODE_CORES);
    s.sample("", "", "cluster_memory_gb", "GB", nodes * NODE_MEMORY_GB);
    let cpu = 42.0 * (0.55 + 0.45 * load) * s.wobble(id, 0.05) + cpu;
    s.sample("", "", "cluster_cpu_utilization", "percent", cpu.min(99.0));
    let memory = 50.0 * s.wobble(id + 1, 0.02) + 45.0 * memory;
    s.sample("", "", "cluster_memory_utilization", "percent", memory.min(99.0));
    let p95 = 11.0 * database * s.wobble(id + 2, 0.06);
    s.sample("", "", "postgresql_query_p95_ms", "ms", p95);
    s.sample("", "", "database_pool_utilization", "percent", (used / MAX_CONNECTIONS * 100.0).min(100.0));
    let redis = 48.0 * s.wobble(id + 3, 0.03);
    s.sample("", "", "redis_memory_utilization", "percent", redis);
    if region > 0 {
        let value = 22.0 * lag * s.wobble(id + 4, 0.15);
        s.sample("", "", "replication_lag_ms", "ms", value);
    }
    // Every region ends up with the same rows; those still under way are the lag's business.
    s.sample("", "", "replicated_rows_total", "1", (scene.minute as f64 + 1.0) * 1_200.0);
    // What users wait for: the browser's own work, and what the server's takes longer than usual.
    let e = *scene.effects(region, DASHBOARD_API);
    let slow = (e.work * e.database.sqrt() * e.queue.sqrt()).max(1.0);
    let dashboard = 640.0 * REGIONS[region].slowness * slow * s.wobble(id + 5, 0.08);
    s.sample(SERVICES[DASHBOARD_API].name, "", "dashboard_load_ms", "ms", dashboard);
    let panel = 130.0 * REGIONS[region].slowness * slow * s.wobble(id + 6, 0.08);
    s.sample(SERVICES[DASHBOARD_API].name, "", "panel_load_ms", "ms", panel);
}
