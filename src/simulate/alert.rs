//! The alerts that the platform's own monitoring would have raised.

use super::fault::{Fault, Kind};
use super::options::MINUTE;
use super::random::Random;
use crate::domain::Severity;

/// One alert instance: it fires, and in the end it is resolved.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) severity: Severity,
    pub(super) region: usize,
    pub(super) service: usize,
    /// Microseconds after the start.
    pub(super) fires: i64,
    pub(super) resolves: i64,
    pub(super) value: f64,
    pub(super) threshold: f64,
}

/// Alert, severity, threshold, and the observed value as a multiple of it in the mildest and the worst case.
type Rule = (&'static str, Severity, f64, f64, f64);

const fn rules(kind: Kind) -> &'static [Rule] {
    use Severity::{Critical, Error, Info, Warning};
    match kind {
        Kind::SlowRoute => &[("BaselineDriftDetected", Error, 15.0, 4.0, 20.0)],
        Kind::MemoryLeak => &[
            ("HighMemoryUsage", Error, 90.0, 1.01, 1.09),
            ("EvalEngineHighRestartRate", Warning, 0.2, 1.2, 4.0),
        ],
        Kind::NPlusOne => &[("PostgreSQLHighQueryRate", Warning, 2_000.0, 1.5, 6.0)],
        Kind::BadConfig => &[("HighErrorRate", Critical, 5.0, 1.0, 3.5)],
        Kind::RewardDrop => &[("CriticalRegressionDetected", Error, 15.0, 1.3, 3.0)],
        Kind::DatabaseSaturation => &[
            ("PostgreSQLConnectionPoolExhausted", Critical, 90.0, 1.0, 1.1),
            ("PostgreSQLSlowQueries", Error, 50.0, 1.2, 6.0),
        ],
        Kind::NetworkDelay => &[("ReplicationLagHigh", Error, 100.0, 2.0, 9.0)],
        Kind::NodePressure => {
            &[("HighCpuUsage", Error, 90.0, 1.0, 1.09), ("HighMemoryUsage", Warning, 90.0, 1.0, 1.06)]
        }
        Kind::CacheOutage => &[("RedisConnectionFailures", Critical, 1.0, 40.0, 400.0)],
        Kind::SlowExternal => &[("AutoMLIntegrationFailures", Error, 10.0, 1.1, 3.5)],
        Kind::TrafficSurge => &[("RequestRateHigh", Info, 1.5, 1.05, 1.8)],
        Kind::HarmlessDeployment | Kind::HarmlessConfig => &[],
    }
}

impl Alert {
    /// The alerts that follow from a fault in a span of so many minutes.
    pub(super) fn of_fault(fault: &Fault, random: &mut Random, minutes: usize) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (name, severity, threshold, mild, severe) in rules(fault.kind) {
            let seconds = |random: &mut Random, low, high| (random.between(low, high) * 1e6) as i64;
            // Rules wait some minutes before they fire and before they believe that it is over.
            let fires = fault.from as i64 * MINUTE + seconds(random, 120.0, 330.0);
            let resolves = fault.to as i64 * MINUTE + seconds(random, 60.0, 300.0);
            if fires >= fault.to as i64 * MINUTE {
                continue;
            }
            alerts.push(Alert {
                name: if fault.kind == Kind::SlowExternal && !is_automl(fault) {
                    "ExternalApiFailures"
                } else {
                    name
                },
                severity: *severity,
                region: fault.region,
                service: fault.service(),
                fires,
                resolves: resolves.min(minutes as i64 * MINUTE - 1),
                value: threshold * fault.scale(*mild, *severe),
                threshold: *threshold,
            });
        }
        alerts
    }
}

fn is_automl(fault: &Fault) -> bool {
    super::world::SERVICES[fault.service()].external == Some("automl-api")
}
