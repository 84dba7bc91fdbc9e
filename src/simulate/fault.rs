//! The faults: what each does while it lasts, and what it is called.

use super::effects::Effects;
use super::failure;
use super::world::{AGENT_RUNNER, SERVICES, Service, Step};
use crate::domain::Verdict;

/// What goes wrong, or only looks as if.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    SlowRoute,
    MemoryLeak,
    NPlusOne,
    BadConfig,
    RewardDrop,
    DatabaseSaturation,
    NetworkDelay,
    NodePressure,
    CacheOutage,
    SlowExternal,
    TrafficSurge,
    HarmlessDeployment,
    HarmlessConfig,
}

use Kind::*;

impl Kind {
    pub(super) const fn of(verdict: Verdict) -> &'static [Kind] {
        match verdict {
            Verdict::Benign => &[TrafficSurge, HarmlessDeployment, HarmlessConfig],
            Verdict::PerformanceRegression => &[SlowRoute, MemoryLeak, NPlusOne, BadConfig, RewardDrop],
            Verdict::EnvironmentRegression => {
                &[DatabaseSaturation, NetworkDelay, NodePressure, CacheOutage, SlowExternal]
            }
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        let classes = Verdict::ALL.iter().copied();
        classes.into_iter().find(|v| Kind::of(*v).contains(&self)).expect("every kind is of one class")
    }

    /// The word for it in `incidents`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            SlowRoute => "slow_route",
            MemoryLeak => "memory_leak",
            NPlusOne => "n_plus_one_query",
            BadConfig => "bad_config",
            RewardDrop => "reward_drop",
            DatabaseSaturation => "database_saturation",
            NetworkDelay => "network_delay",
            NodePressure => "node_pressure",
            CacheOutage => "cache_outage",
            SlowExternal => "slow_external_api",
            TrafficSurge => "traffic_surge",
            HarmlessDeployment => "harmless_deployment",
            HarmlessConfig => "harmless_config_change",
        }
    }

    /// Shortest and longest natural length, in minutes.
    pub(super) const fn minutes(self) -> (f64, f64) {
        match self {
            MemoryLeak => (60.0, 130.0),
            RewardDrop => (40.0, 80.0),
            DatabaseSaturation | NodePressure | NetworkDelay => (20.0, 50.0),
            CacheOutage | SlowExternal => (15.0, 45.0),
            _ => (30.0, 70.0),
        }
    }

    /// Whether it hits everything in a region that depends on the broken part, rather than one service.
    pub(super) const fn is_regional(self) -> bool {
        matches!(self, DatabaseSaturation | NetworkDelay | CacheOutage | NodePressure)
    }

    /// Whether this service can suffer from it.
    pub(super) fn can_hit(self, index: usize, service: &Service) -> bool {
        match self {
            RewardDrop => index == AGENT_RUNNER,
            DatabaseSaturation | NPlusOne => service.uses_database(),
            NetworkDelay => service.has(|s| matches!(s, Step::External { .. } | Step::Call { .. })),
            CacheOutage => service.uses_cache(),
            SlowExternal => service.external.is_some(),
            _ => true,
        }
    }

    /// Whether a new version comes with it.
    pub(super) const fn is_deployment(self) -> bool {
        matches!(self, SlowRoute | MemoryLeak | NPlusOne | HarmlessDeployment)
    }
}

/// One fault at its place and time.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) region: usize,
    /// The services it hits, as bits.
    pub(super) services: u8,
    /// First minute.
    pub(super) from: usize,
    /// First minute after it.
    pub(super) to: usize,
    /// How bad, 0 (noticeable) to 1 (severe).
    pub(super) strength: f64,
    /// The route it hits, where it is about one.
    pub(super) route: usize,
}

/// How often a leaking service reaches its memory limit before it is rolled back.
const LEAK_CYCLES: f64 = 2.5;
/// Share of the way to the limit from where garbage collection eats into latency.
const COLLECTOR_STARTS: f64 = 0.5;

impl Fault {
    pub(super) fn hits(&self, region: usize, service: usize) -> bool {
        self.region == region && self.services & (1 << service) != 0
    }

    /// The first service it hits.
    pub(super) fn service(&self) -> usize {
        self.services.trailing_zeros() as usize
    }

    fn length(&self) -> f64 {
        (self.to - self.from) as f64
    }

    /// A value between the mildest and the worst case.
    pub(super) fn scale(&self, mild: f64, severe: f64) -> f64 {
        mild + (severe - mild) * self.strength
    }

    /// How far the leak is on its way to the limit, 0 to 1, and how often it got there.
    fn leak(&self, minute: f64) -> (f64, u32) {
        let cycles = (minute - self.from as f64) / self.length() * LEAK_CYCLES;
        (cycles - cycles.floor(), cycles as u32)
    }

    /// Minutes at which a leaking service is killed.
    pub(super) fn kills(&self) -> impl Iterator<Item = usize> {
        let count = if self.kind == MemoryLeak { LEAK_CYCLES as usize } else { 0 };
        let (from, step) = (self.from as f64, self.length() / LEAK_CYCLES);
        (1..=count).map(move |k| (from + k as f64 * step).ceil() as usize)
    }

    /// Adds what it does to a service that it hits, at a minute inside.
    pub(super) fn apply(&self, minute: usize, e: &mut Effects) {
        let middle = minute as f64 + 0.5;
        // Infrastructure fails within minutes; code fails with the first request.
        let rise = if self.kind.verdict() == Verdict::EnvironmentRegression { 3.0 } else { 1.0 };
        let fall = 2.0;
        let i = ((middle - self.from as f64) / rise).min((self.to as f64 - middle) / fall).clamp(0.0, 1.0);
        let factor = |mild, severe| 1.0 + i * (self.scale(mild, severe) - 1.0);
        let part = |mild, severe| i * self.scale(mild, severe);
        match self.kind {
            SlowRoute => {
                e.routes = 1 << self.route;
                e.work *= factor(3.5, 8.0);
                e.cpu += part(5.0, 13.0);
                e.queue *= factor(1.2, 2.0);
                e.errors += part(0.0, 0.004);
                e.failure = failure::REGRESSED;
            }
            MemoryLeak => {
                let (way, kills) = self.leak(middle);
                let collecting = ((way - COLLECTOR_STARTS) / (1.0 - COLLECTOR_STARTS)).max(0.0);
                e.memory = way;
                e.work *= 1.0 + 0.25 * way + collecting * self.scale(0.9, 2.4);
                e.cpu += collecting * self.scale(8.0, 20.0);
                e.queue *= 1.0 + collecting * 2.0;
                if self.kills().any(|kill| kill == minute) {
                    e.errors = self.scale(0.06, 0.2);
                    e.failure = failure::RESTARTING;
                }
                e.restarts += kills;
            }
            NPlusOne => {
                e.routes = 1 << self.route;
                e.queries *= factor(12.0, 30.0);
                e.database *= factor(1.1, 1.35);
                e.connections *= factor(1.2, 1.7);
                e.cpu += part(4.0, 9.0);
            }
            BadConfig => {
                e.errors = part(0.04, 0.16);
                e.failure = failure::CONFIGURATION;
                e.work *= factor(1.05, 1.3);
            }
            RewardDrop => {
                e.reward *= 1.0 - part(0.18, 0.45);
                e.evaluation_failures += part(0.02, 0.08);
                e.work *= factor(1.05, 1.2);
            }
            DatabaseSaturation => {
                e.database *= factor(5.0, 14.0);
                e.connections *= factor(2.2, 2.8);
                e.queue *= factor(2.0, 5.0);
                e.errors += part(0.004, 0.03);
                e.failure = failure::POOL_EXHAUSTED;
                e.disk *= factor(1.3, 2.2);
            }
            NetworkDelay => {
                e.network_us += part(150_000.0, 450_000.0);
                e.packet_loss += part(0.01, 0.05);
                e.external *= factor(1.8, 3.5);
                e.replication *= factor(6.0, 25.0);
            }
            NodePressure => {
                e.cpu += part(28.0, 44.0);
                e.memory = e.memory.max(part(0.5, 0.85));
                e.disk *= factor(3.0, 6.0);
                e.queue *= factor(5.0, 14.0);
                e.work *= factor(1.4, 2.4);
                e.pressed_nodes += part(1.0, 4.0);
                e.errors += part(0.0005, 0.006);
                e.failure = failure::OVERLOADED;
            }
            CacheOutage => {
                e.cache_miss = e.cache_miss.max(part(0.75, 0.98));
                e.database *= factor(1.8, 4.0);
                e.connections *= factor(1.4, 2.0);
                e.errors += part(0.0005, 0.004);
                e.failure = failure::CACHE_DOWN;
            }
            SlowExternal => {
                e.external *= factor(6.0, 14.0);
                e.external_timeouts += part(0.10, 0.35);
                e.queue *= factor(1.2, 1.8);
            }
            TrafficSurge => {
                e.traffic *= factor(1.6, 2.8);
                e.cpu += part(5.0, 14.0);
                e.queue *= factor(1.1, 1.4);
                e.work *= factor(1.0, 1.04);
            }
            HarmlessDeployment | HarmlessConfig => {}
        }
    }

    /// The cause in words.
    pub(super) fn detail(&self) -> String {
        let service = &SERVICES[self.service()];
        let route = &service.routes[self.route];
        match self.kind {
            SlowRoute => {
                let factor = self.scale(3.5, 8.0);
                format!("new version does {factor:.1} times the work on {} {}", route.method, route.path)
            }
            MemoryLeak => "new version leaks memory until it is killed, again and again".into(),
            NPlusOne => {
                let factor = self.scale(12.0, 30.0);
                format!("new version sends {factor:.0} times the queries on {} {}", route.method, route.path)
            }
            BadConfig => {
                format!("changed setting breaks {:.1} % of requests", 100.0 * self.scale(0.04, 0.16))
            }
            RewardDrop => {
                format!("changed training lowers rewards by {:.0} %", 100.0 * self.scale(0.18, 0.45))
            }
            DatabaseSaturation => {
                format!("postgresql saturated, queries take {:.1} times as long", self.scale(5.0, 14.0))
            }
            NetworkDelay => format!("network to other regions slower by {:.0} ms", self.scale(150.0, 450.0)),
            NodePressure => "nodes short of cpu, memory and disk".into(),
            CacheOutage => format!("redis down, {:.0} % of look-ups miss", 100.0 * self.scale(0.75, 0.98)),
            SlowExternal => format!(
                "{} answers {:.1} times slower",
                service.external.unwrap_or("external api"),
                self.scale(6.0, 14.0)
            ),
            TrafficSurge => format!("{:.1} times the usual clients, all served well", self.scale(1.6, 2.8)),
            HarmlessDeployment => "deployment without consequences".into(),
            HarmlessConfig => "config change without consequences".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Kind) -> Fault {
        Fault { kind, region: 0, services: 1, from: 10, to: 60, strength: 0.5, route: 0 }
    }

    fn at(kind: Kind, minute: usize) -> Effects {
        let mut effects = Effects::none();
        fault(kind).apply(minute, &mut effects);
        effects
    }

    #[test]
    fn every_kind_is_of_one_class_and_can_hit_something() {
        for verdict in Verdict::ALL {
            for kind in Kind::of(*verdict) {
                assert_eq!(kind.verdict(), *verdict);
                assert!(SERVICES.iter().enumerate().any(|(i, s)| kind.can_hit(i, s)), "{kind:?}");
                let changed = at(*kind, 30) != Effects::none();
                assert_eq!(changed, !matches!(kind, HarmlessDeployment | HarmlessConfig), "{kind:?}");
                assert!(!fault(*kind).detail().is_empty());
            }
        }
    }

    #[test]
    fn a_leak_climbs_and_falls_back_when_it_is_killed() {
        let kills: Vec<_> = fault(MemoryLeak).kills().collect();
        assert_eq!(kills, [30, 50]);
        assert!(at(MemoryLeak, 20).memory < at(MemoryLeak, 28).memory);
        assert!(at(MemoryLeak, 31).memory < 0.2);
        assert_eq!(at(MemoryLeak, 30).failure, failure::RESTARTING);
        assert_eq!((at(MemoryLeak, 29).restarts, at(MemoryLeak, 51).restarts), (0, 2));
    }

    #[test]
    fn a_slow_query_count_leaves_the_database_itself_nearly_alone() {
        let (chatty, saturated) = (at(NPlusOne, 30), at(DatabaseSaturation, 30));
        assert!(chatty.queries > 8.0 && chatty.database < 1.5);
        assert!(saturated.queries == 1.0 && saturated.database > 5.0);
    }
}
