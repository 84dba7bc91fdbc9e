//! The simulated platform when nothing is wrong: regions, services, routes, and what each route calls.
//!
//! The numbers are invented, chosen so that an undisturbed platform keeps the platform's own promises
//! (p95 below 150 ms, p99 below 500 ms, errors below 0.1 %, database queries below 50 ms).

use super::random::{Spread, cos_turns};
use Spread::{Medium, Narrow, Wide};

/// One region.
pub(super) struct Region {
    pub(super) name: &'static str,
    /// Short form inside host names.
    pub(super) code: &'static str,
    /// Share of all traffic.
    pub(super) share: f64,
    /// How much slower its machines are than those of the primary region.
    pub(super) slowness: f64,
    /// Local time, for the daily rhythm.
    pub(super) utc_offset_hours: f64,
    /// The region that its cross-region calls go to, as an index; the primary one when that is not simulated.
    pub(super) partner: usize,
    /// There and back to the partner, in microseconds; to the primary region when the partner is missing.
    pub(super) round_trip_us: (u32, u32),
}

#[rustfmt::skip]
pub(super) const REGIONS: [Region; 6] = [
    Region { name: "us-east-1", code: "use1", share: 0.38, slowness: 1.00, utc_offset_hours: -5.0, partner: 1, round_trip_us: (62_000, 0) },
    Region { name: "us-west-2", code: "usw2", share: 0.19, slowness: 1.03, utc_offset_hours: -8.0, partner: 0, round_trip_us: (62_000, 62_000) },
    Region { name: "eu-central-1", code: "euc1", share: 0.20, slowness: 1.06, utc_offset_hours: 1.0, partner: 0, round_trip_us: (90_000, 90_000) },
    Region { name: "ap-southeast-1", code: "apse1", share: 0.09, slowness: 1.14, utc_offset_hours: 8.0, partner: 4, round_trip_us: (70_000, 215_000) },
    Region { name: "ap-northeast-1", code: "apne1", share: 0.08, slowness: 1.10, utc_offset_hours: 9.0, partner: 3, round_trip_us: (70_000, 150_000) },
    Region { name: "sa-east-1", code: "sae1", share: 0.06, slowness: 1.18, utc_offset_hours: -3.0, partner: 0, round_trip_us: (115_000, 115_000) },
];

/// How far traffic swings around its mean over a day.
const DAILY_SWING: f64 = 0.35;
/// Local hour of the daily peak.
const PEAK_HOUR: f64 = 14.0;

impl Region {
    /// Traffic against its daily mean at a UTC hour of the day.
    pub(super) fn daily_rhythm(&self, utc_hour: f64) -> f64 {
        1.0 + DAILY_SWING * cos_turns((utc_hour + self.utc_offset_hours - PEAK_HOUR) / 24.0)
    }
}

pub(super) const SERVICE_COUNT: usize = 8;
// Positions in `SERVICES` of those that are named elsewhere.
pub(super) const EVALUATION_API: usize = 0;
pub(super) const AGENT_RUNNER: usize = 1;
pub(super) const WEBSOCKET_GATEWAY: usize = 2;
pub(super) const DASHBOARD_API: usize = 3;
pub(super) const SCHEDULER: usize = 4;
pub(super) const AUTH: usize = 5;
pub(super) const RESULTS_STORE: usize = 7;

/// Every service, as an index.
pub(super) fn services() -> std::ops::Range<usize> {
    0..SERVICE_COUNT
}

/// One service and its healthy machine figures.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) routes: &'static [Route],
    /// The API outside the platform that it calls, if any.
    pub(super) external: Option<&'static str>,
    /// CPU at mean traffic, in percent.
    pub(super) cpu: f64,
    /// Memory, in percent of its limit.
    pub(super) memory: f64,
    /// Memory limit of one pod, in MiB.
    pub(super) memory_limit_mib: f64,
    /// CPU limit of one pod, in cores.
    pub(super) cpu_limit: f64,
    /// Jobs waiting at mean traffic.
    pub(super) queue_depth: f64,
}

/// One route and the work behind it.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Template; a `{…}` part is filled in messages.
    pub(super) path: &'static str,
    /// Name of the work inside.
    pub(super) operation: &'static str,
    /// How often clients call it, against other entries; 0 when only services do.
    pub(super) weight: f64,
    /// Median of its own work, in microseconds.
    pub(super) work_us: f64,
    pub(super) spread: Spread,
    /// Median size of the answer.
    pub(super) bytes: f64,
    pub(super) steps: &'static [Step],
}

/// What a route does besides its own work.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A look-up in Redis; a miss costs one database query.
    Cache,
    /// Queries to PostgreSQL, one after the other, each with this median in microseconds.
    Query { count: u32, median_us: f64, statement: &'static str },
    /// A call to the service's external API.
    External { chance: f64, median_us: f64 },
    /// A call to another service, now and then to the one in the partner region.
    Call { service: usize, route: usize, chance: f64, abroad: f64 },
}

use Step::{Cache, Call, External, Query};

const fn query(count: u32, median_us: f64, statement: &'static str) -> Step {
    Query { count, median_us, statement }
}

const fn external(chance: f64, median_us: f64) -> Step {
    External { chance, median_us }
}

const fn call(service: usize, route: usize, chance: f64, abroad: f64) -> Step {
    Call { service, route, chance, abroad }
}

macro_rules! route {
    ($method:literal $path:literal $operation:literal, $weight:expr, $work:expr, $spread:expr, $bytes:expr, [$($step:expr),*]) => {
        Route {
            method: $method, path: $path, operation: $operation, weight: $weight, work_us: $work,
            spread: $spread, bytes: $bytes, steps: &[$($step),*],
        }
    };
}

#[rustfmt::skip]
pub(super) static SERVICES: [Service; SERVICE_COUNT] = [
    Service { name: "evaluation-api", external: Some("automl-api"), cpu: 46.0, memory: 52.0, memory_limit_mib: 2_048.0, cpu_limit: 4.0, queue_depth: 18.0, routes: &[
        route!("POST" "/v1/evaluations" "evaluation.submit", 120.0, 16_000.0, Medium, 640.0,
            [call(AUTH, 1, 0.12, 0.3), query(2, 3_200.0, "insert evaluations"), external(0.10, 38_000.0), call(SCHEDULER, 0, 0.35, 0.05)]),
        route!("GET" "/v1/evaluations/{id}" "evaluation.load", 150.0, 9_000.0, Narrow, 2_400.0,
            [Cache, query(1, 2_400.0, "select evaluations by id"), call(RESULTS_STORE, 0, 0.20, 0.1)]),
        route!("GET" "/v1/evaluations" "evaluation.list", 50.0, 14_000.0, Medium, 9_600.0, [Cache, query(2, 4_600.0, "select evaluations page")]),
        route!("POST" "/v1/baselines" "baseline.update", 6.0, 18_000.0, Wide, 380.0, [query(3, 3_800.0, "update baselines")]),
    ] },
    Service { name: "agent-runner", external: Some("object-storage"), cpu: 55.0, memory: 48.0, memory_limit_mib: 1_536.0, cpu_limit: 8.0, queue_depth: 26.0, routes: &[
        route!("POST" "/v1/agents/{id}/step" "agent.step", 150.0, 12_000.0, Narrow, 420.0, [Cache]),
        route!("POST" "/v1/episodes" "agent.episode", 90.0, 26_000.0, Medium, 900.0,
            [Cache, query(1, 2_900.0, "insert episodes"), external(0.14, 24_000.0), call(RESULTS_STORE, 1, 0.18, 0.2)]),
        route!("GET" "/v1/agents/{id}" "agent.load", 40.0, 7_000.0, Narrow, 1_300.0, [Cache, query(1, 2_100.0, "select agents by id")]),
    ] },
    Service { name: "websocket-gateway", external: None, cpu: 34.0, memory: 44.0, memory_limit_mib: 1_024.0, cpu_limit: 2.0, queue_depth: 12.0, routes: &[
        route!("POST" "/v1/push" "push.publish", 110.0, 6_500.0, Medium, 260.0, [Cache, query(1, 1_900.0, "select subscriptions")]),
        route!("GET" "/ws" "socket.upgrade", 45.0, 8_000.0, Medium, 190.0, [call(AUTH, 1, 0.12, 0.3), Cache]),
    ] },
    Service { name: "dashboard-api", external: None, cpu: 40.0, memory: 50.0, memory_limit_mib: 2_048.0, cpu_limit: 2.0, queue_depth: 9.0, routes: &[
        route!("GET" "/v1/panels/{id}" "panel.render", 130.0, 15_000.0, Medium, 14_000.0, [Cache, query(2, 5_200.0, "select recorded panel")]),
        route!("GET" "/v1/dashboards/{id}" "dashboard.load", 45.0, 30_000.0, Medium, 32_000.0,
            [call(AUTH, 1, 0.12, 0.3), Cache, query(3, 4_800.0, "select dashboard")]),
        route!("GET" "/v1/regions/summary" "regions.summary", 14.0, 17_000.0, Medium, 5_200.0, [Cache, query(2, 4_400.0, "select region summary"), call(RESULTS_STORE, 2, 0.5, 0.7)]),
    ] },
    Service { name: "scheduler", external: Some("hypersync-api"), cpu: 30.0, memory: 41.0, memory_limit_mib: 1_024.0, cpu_limit: 2.0, queue_depth: 34.0, routes: &[
        route!("GET" "/v1/jobs/{id}" "job.load", 60.0, 6_000.0, Narrow, 820.0, [Cache, query(1, 2_000.0, "select jobs by id")]),
        route!("POST" "/v1/jobs" "job.enqueue", 40.0, 10_000.0, Medium, 310.0, [query(2, 2_700.0, "insert jobs"), external(0.12, 30_000.0)]),
        route!("POST" "/v1/jobs/{id}/cancel" "job.cancel", 5.0, 8_000.0, Medium, 120.0, [query(2, 2_600.0, "update jobs")]),
    ] },
    Service { name: "auth", external: Some("identity-provider"), cpu: 28.0, memory: 37.0, memory_limit_mib: 512.0, cpu_limit: 2.0, queue_depth: 6.0, routes: &[
        route!("POST" "/v1/token" "token.issue", 50.0, 11_000.0, Medium, 980.0, [query(1, 2_200.0, "select accounts"), external(0.15, 42_000.0)]),
        route!("GET" "/v1/introspect" "token.introspect", 30.0, 3_500.0, Narrow, 240.0, [Cache]),
    ] },
    Service { name: "regression-detector", external: None, cpu: 50.0, memory: 57.0, memory_limit_mib: 3_072.0, cpu_limit: 4.0, queue_depth: 15.0, routes: &[
        route!("POST" "/v1/classify" "window.classify", 45.0, 22_000.0, Medium, 560.0, [Cache, query(2, 3_900.0, "select baselines")]),
        route!("GET" "/v1/verdicts/{id}" "verdict.load", 25.0, 7_500.0, Narrow, 1_100.0, [Cache, query(1, 2_300.0, "select verdicts by id")]),
    ] },
    Service { name: "results-store", external: None, cpu: 38.0, memory: 55.0, memory_limit_mib: 4_096.0, cpu_limit: 4.0, queue_depth: 11.0, routes: &[
        route!("GET" "/v1/results/{id}" "result.load", 60.0, 6_500.0, Narrow, 3_800.0, [Cache, query(1, 2_600.0, "select results by id")]),
        route!("POST" "/v1/results" "result.store", 40.0, 9_500.0, Medium, 210.0, [query(2, 3_100.0, "insert results")]),
        route!("GET" "/v1/results" "result.list", 20.0, 13_000.0, Medium, 11_000.0, [Cache, query(1, 5_400.0, "select results page")]),
    ] },
];

impl Service {
    /// Whether any of its routes has such a step.
    pub(super) fn has(&self, step: impl Fn(&Step) -> bool) -> bool {
        self.routes.iter().flat_map(|r| r.steps).any(step)
    }

    pub(super) fn uses_database(&self) -> bool {
        self.has(|s| matches!(s, Query { .. }))
    }

    pub(super) fn uses_cache(&self) -> bool {
        self.has(|s| matches!(s, Cache))
    }
}

/// What can start a line in the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Entry {
    /// A client's request.
    Request { service: usize, route: usize },
    /// Something that happens to a WebSocket.
    Socket(SocketEvent),
    /// A service talking to itself.
    Background { service: usize },
}

/// What happens to a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SocketEvent {
    Connect,
    Disconnect,
    Reconnect,
    HeartbeatMiss,
    MessageLoss,
}

/// One kind of entry with its healthy weight.
pub(super) struct WeightedEntry {
    pub(super) entry: Entry,
    pub(super) weight: f64,
}

/// Every entry, with its weight in a region of average slowness.
pub(super) fn entries() -> Vec<WeightedEntry> {
    use SocketEvent::*;
    let mut all = Vec::new();
    for service in services() {
        for (route, r) in SERVICES[service].routes.iter().enumerate().filter(|(_, r)| r.weight > 0.0) {
            all.push(WeightedEntry { entry: Entry::Request { service, route }, weight: r.weight });
        }
        all.push(WeightedEntry { entry: Entry::Background { service }, weight: 5.0 });
    }
    for (event, weight) in
        [(Connect, 22.0), (Disconnect, 22.0), (Reconnect, 3.0), (HeartbeatMiss, 0.4), (MessageLoss, 0.02)]
    {
        all.push(WeightedEntry { entry: Entry::Socket(event), weight });
    }
    all
}

impl Entry {
    /// The service that the entry belongs to.
    pub(super) fn service(self) -> usize {
        match self {
            Entry::Request { service, .. } | Entry::Background { service } => service,
            Entry::Socket(_) => WEBSOCKET_GATEWAY,
        }
    }

    /// How many requests it means for each service, on average, its own included.
    pub(super) fn requests(self) -> [f64; SERVICE_COUNT] {
        let mut counts = [0.0; SERVICE_COUNT];
        if let Entry::Request { service, route } = self {
            count_requests(service, route, 1.0, &mut counts);
        }
        counts
    }
}

fn count_requests(service: usize, route: usize, times: f64, counts: &mut [f64; SERVICE_COUNT]) {
    counts[service] += times;
    for step in SERVICES[service].routes[route].steps {
        if let Call { service, route, chance, .. } = step {
            count_requests(*service, *route, times * chance, counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_partners_exist() {
        let total: f64 = REGIONS.iter().map(|r| r.share).sum();
        assert!((total - 1.0).abs() < 1e-9);
        for (index, region) in REGIONS.iter().enumerate() {
            assert!(region.partner < REGIONS.len() && region.partner != index);
        }
    }

    #[test]
    fn no_route_calls_itself_in_a_circle() {
        for entry in entries() {
            let lines: f64 = entry.entry.requests().iter().sum();
            assert!(lines <= 3.0, "{:?}: {lines}", entry.entry);
        }
    }
}
