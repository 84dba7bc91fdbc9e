//! What changes are called: settings, dependencies, hyperparameters, authors.

use super::fault::{Fault, Kind};
use super::random::Random;
use super::world::SERVICES;
use crate::domain::ChangeKind;

/// One row of `changes`.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// When it took effect, in microseconds after the start.
    pub(super) after: i64,
    pub(super) region: usize,
    pub(super) service: usize,
    pub(super) kind: ChangeKind,
    pub(super) key: &'static str,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) version: Option<String>,
    pub(super) author: &'static str,
    pub(super) success: bool,
    pub(super) detail: String,
}

/// A name with the value before and after.
type Setting = (&'static str, &'static str, &'static str);

const SETTINGS: [Setting; 5] = [
    ("log.level", "info", "warn"),
    ("http.keep_alive_seconds", "60", "75"),
    ("cache.ttl_seconds", "300", "330"),
    ("metrics.push_seconds", "15", "20"),
    ("pool.idle_seconds", "600", "540"),
];
const BAD_SETTINGS: [Setting; 3] = [
    ("pool.mode", "lenient", "strict"),
    ("schema.validation", "v2", "v3"),
    ("feature.batch_merge", "false", "true"),
];
const DEPENDENCIES: [Setting; 4] = [
    ("serde", "1.0.227", "1.0.229"),
    ("postgres-driver", "0.7.13", "0.7.14"),
    ("redis-client", "0.29.1", "0.29.2"),
    ("tls", "0.23.31", "0.23.32"),
];
const HYPERPARAMETERS: [Setting; 3] =
    [("learning_rate", "0.00030", "0.00031"), ("gamma", "0.990", "0.991"), ("batch_size", "256", "288")];
const BAD_HYPERPARAMETERS: [Setting; 3] = [
    ("learning_rate", "0.00030", "0.00300"),
    ("entropy_coefficient", "0.010", "0.150"),
    ("clip_range", "0.20", "0.60"),
];
const POLICIES: [Setting; 2] =
    [("exploration.schedule", "linear", "cosine"), ("reward.clipping", "10.0", "10.5")];
const BAD_POLICIES: [Setting; 2] =
    [("reward.shaping", "potential", "sparse"), ("target.update", "soft", "hard")];

fn pick(random: &mut Random, from: &[Setting]) -> Setting {
    from[random.below(from.len())]
}

impl Change {
    fn set(fault_at: (i64, usize, usize), kind: ChangeKind, setting: Setting, author: &'static str) -> Self {
        let (after, region, service) = fault_at;
        let (key, old, new) = setting;
        Change {
            after,
            region,
            service,
            kind,
            key,
            old: old.into(),
            new: new.into(),
            version: None,
            author,
            success: true,
            detail: format!("{key} of {} from {old} to {new}", SERVICES[service].name),
        }
    }

    /// A new version, or the return to an old one.
    pub(super) fn deployment(place: (i64, usize, usize), old: &str, new: &str, rollback: bool) -> Self {
        let (after, region, service) = place;
        let verb = if rollback { "roll back" } else { "deploy" };
        Change {
            after,
            region,
            service,
            kind: ChangeKind::Deployment,
            key: "image",
            old: old.into(),
            new: new.into(),
            version: Some(new.into()),
            author: if rollback { "on-call" } else { "release-pipeline" },
            success: true,
            detail: format!("{verb} {} from {old} to {new}", SERVICES[service].name),
        }
    }

    /// A rollback exercised on purpose.
    pub(super) fn rollback_test(place: (i64, usize, usize), version: &str) -> Self {
        Change {
            kind: ChangeKind::RollbackTest,
            key: "image",
            detail: format!("roll {} back to {version} and forward again in staging", SERVICES[place.2].name),
            ..Change::deployment(place, version, version, false)
        }
    }

    /// A change that a fault or a harmless event consists of, besides a deployment, and how it is undone.
    pub(super) fn of_fault(fault: &Fault, random: &mut Random, from: i64, to: i64) -> Vec<Change> {
        let (kind, setting) = match fault.kind {
            Kind::BadConfig => (ChangeKind::Config, pick(random, &BAD_SETTINGS)),
            Kind::HarmlessConfig => (ChangeKind::Config, pick(random, &SETTINGS)),
            Kind::RewardDrop if random.happens(0.6) => {
                (ChangeKind::Hyperparameter, pick(random, &BAD_HYPERPARAMETERS))
            }
            Kind::RewardDrop => (ChangeKind::Policy, pick(random, &BAD_POLICIES)),
            _ => return Vec::new(),
        };
        let at = |after| (after, fault.region, fault.service());
        let mut changes = vec![Change::set(at(from), kind, setting, "config-service")];
        if fault.kind != Kind::HarmlessConfig {
            changes.push(Change::set(at(to), kind, (setting.0, setting.2, setting.1), "on-call"));
        }
        changes
    }

    /// A change of everyday life.
    pub(super) fn routine(place: (i64, usize, usize), kind: ChangeKind, random: &mut Random) -> Self {
        let (settings, author): (&[Setting], _) = match kind {
            ChangeKind::Dependency => (&DEPENDENCIES, "dependency-bot"),
            ChangeKind::Hyperparameter => (&HYPERPARAMETERS, "tuner"),
            ChangeKind::Policy => (&POLICIES, "research"),
            _ => (&SETTINGS, "config-service"),
        };
        Change::set(place, kind, pick(random, settings), author)
    }

    /// More or fewer replicas, or another memory limit.
    pub(super) fn scaling(place: (i64, usize, usize), kind: ChangeKind, old: String, new: String) -> Self {
        let (after, region, service) = place;
        let key = if kind == ChangeKind::Replicas { "replicas" } else { "memory_limit_mib" };
        Change {
            after,
            region,
            service,
            kind,
            key,
            detail: format!("{key} of {} from {old} to {new}", SERVICES[service].name),
            old,
            new,
            version: None,
            author: "autoscaler",
            success: true,
        }
    }
}
