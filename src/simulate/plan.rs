//! What happens when: drawn from the seed, the length and the regions, and from nothing else, so that the same
//! story can be told with few rows or many.

use super::alert::Alert;
use super::catalog::Change;
use super::effects::Effects;
use super::fault::{Fault, Kind};
use super::options::{Checked, MINUTE};
use super::random::{Random, Stream};
use super::schedule::{CALM, draw_faults, is_near};
use super::world::{AGENT_RUNNER, EVALUATION_API, SERVICE_COUNT, SERVICES, services};
use crate::domain::{ChangeKind, Verdict};

/// Hours between two rollouts of one service, and between two other routine changes of one kind.
const HOURS_PER_ROLLOUT: f64 = 36.0;
/// Minutes between two regions of one rollout.
const ROLLOUT_STEP: usize = 20;

/// A change of the number of replicas or of the memory limit.
struct Scaling {
    minute: usize,
    region: usize,
    service: usize,
    replicas: i32,
    memory_limit: f64,
}

/// The story of one simulation.
pub(super) struct Plan {
    /// By first minute.
    pub(super) faults: Vec<Fault>,
    /// By time.
    pub(super) changes: Vec<Change>,
    /// By region and service, then time.
    pub(super) alerts: Vec<Alert>,
    pub(super) version_names: Vec<String>,
    /// Per region and service: from which minute which version runs.
    versions: Vec<Vec<(usize, u16)>>,
    scalings: Vec<Scaling>,
    longest: usize,
}

/// A deployment before versions have names.
struct Rollout {
    minute: usize,
    region: usize,
    service: usize,
    /// Deployments of one rollout bring one version; `None` goes back to the version before.
    number: Option<usize>,
}

impl Plan {
    pub(super) fn draw(checked: &Checked) -> Self {
        let mut random = Random::new(checked.seed, Stream::Plan, 0);
        Plan::of(draw_faults(checked, &mut random), checked)
    }

    /// The story of these faults, with everyday life around them.
    pub(super) fn of(faults: Vec<Fault>, checked: &Checked) -> Self {
        let mut plan = Plan {
            longest: faults.iter().map(|f| f.to - f.from).max().unwrap_or(0),
            faults,
            changes: Vec::new(),
            alerts: Vec::new(),
            version_names: Vec::new(),
            versions: vec![Vec::new(); checked.regions * SERVICE_COUNT],
            scalings: Vec::new(),
        };
        let minutes = checked.minutes();
        for (index, fault) in plan.faults.iter().enumerate() {
            let mut random = Random::new(checked.seed, Stream::Plan, index as u64 + 1);
            let (from, to) = (fault.from as i64 * MINUTE, fault.to as i64 * MINUTE);
            plan.changes.extend(Change::of_fault(fault, &mut random, from, to));
            plan.alerts.extend(Alert::of_fault(fault, &mut random, minutes));
        }
        let mut random = Random::new(checked.seed, Stream::Routine, 0);
        let rollouts = plan.draw_rollouts(checked, &mut random);
        plan.deploy(rollouts);
        plan.draw_routine(checked, &mut random);
        plan.changes.sort_by_key(|c| (c.after, c.region, c.service, c.kind));
        plan
    }

    /// All deployments: those of faults with their way back, and the routine ones.
    fn draw_rollouts(&self, checked: &Checked, random: &mut Random) -> Vec<Rollout> {
        let mut rollouts = Vec::new();
        for (number, fault) in self.faults.iter().enumerate().filter(|(_, f)| f.kind.is_deployment()) {
            let (region, service) = (fault.region, fault.service());
            rollouts.push(Rollout { minute: fault.from, region, service, number: Some(number) });
            if fault.kind.verdict() == Verdict::PerformanceRegression {
                rollouts.push(Rollout { minute: fault.to, region, service, number: None });
            }
        }
        for service in services() {
            for k in 0..often(checked.hours() / HOURS_PER_ROLLOUT, random) {
                let first = random.below(checked.minutes());
                for region in 0..checked.regions {
                    let minute = first + region * ROLLOUT_STEP;
                    if minute < checked.minutes() && self.is_calm(minute, region, service) {
                        let number = Some(self.faults.len() + service + SERVICE_COUNT * k);
                        rollouts.push(Rollout { minute, region, service, number });
                    }
                }
            }
        }
        rollouts.sort_by_key(|r| (r.minute, r.region, r.service));
        rollouts
    }

    /// Gives rollouts their versions and writes them down as changes.
    fn deploy(&mut self, rollouts: Vec<Rollout>) {
        let mut named = std::collections::HashMap::new();
        let mut patches = [0u32; SERVICE_COUNT];
        for (index, timeline) in self.versions.iter_mut().enumerate() {
            // Every region starts with the same version of a service, which the first region names.
            let service = index % SERVICE_COUNT;
            if index < SERVICE_COUNT {
                self.version_names.push(format!("1.{}.0", 4 + service));
            }
            timeline.push((0, service as u16));
        }
        for rollout in rollouts {
            let timeline = &mut self.versions[rollout.region * SERVICE_COUNT + rollout.service];
            let current = timeline.last().expect("a first version was pushed").1;
            let next = match rollout.number {
                Some(number) => *named.entry(number).or_insert_with(|| {
                    patches[rollout.service] += 1;
                    let name = format!("1.{}.{}", 4 + rollout.service, patches[rollout.service]);
                    self.version_names.push(name);
                    (self.version_names.len() - 1) as u16
                }),
                None => timeline[timeline.len().saturating_sub(2)].1,
            };
            timeline.push((rollout.minute, next));
            let place = (rollout.minute as i64 * MINUTE, rollout.region, rollout.service);
            let name = |version: u16| &self.version_names[usize::from(version)];
            let back = rollout.number.is_none();
            self.changes.push(Change::deployment(place, name(current), name(next), back));
        }
    }

    /// Changes of everyday life that hurt nobody.
    fn draw_routine(&mut self, checked: &Checked, random: &mut Random) {
        let (hours, minutes) = (checked.hours(), checked.minutes());
        let places = (checked.regions * SERVICE_COUNT) as f64;
        for (kind, hours_each, is_agent) in [
            (ChangeKind::Config, 96.0, false),
            (ChangeKind::Dependency, 200.0, false),
            (ChangeKind::Hyperparameter, 48.0, true),
            (ChangeKind::Policy, 120.0, true),
            (ChangeKind::Replicas, 120.0, false),
            (ChangeKind::ResourceLimit, 240.0, false),
        ] {
            let is_scaling = matches!(kind, ChangeKind::Replicas | ChangeKind::ResourceLimit);
            if is_scaling && checked.quiet {
                continue;
            }
            let share = if is_agent { checked.regions as f64 } else { places };
            for _ in 0..often(hours / hours_each * share, random) {
                let minute = random.below(minutes);
                let region = random.below(checked.regions);
                let service = if is_agent { AGENT_RUNNER } else { random.below(SERVICE_COUNT) };
                let after =
                    (minute as i64 * MINUTE + random.below(60_000_000) as i64).min(checked.length - 1);
                if !self.is_calm(minute, region, service) {
                    continue;
                }
                let place = (after, region, service);
                if is_scaling {
                    self.scale(minute, place, kind, random.happens(0.6));
                } else {
                    self.changes.push(Change::routine(place, kind, random));
                }
            }
        }
        self.scalings.sort_by_key(|s| s.minute);
        // A rollback is exercised once, early enough that any later report can show it.
        let place = (checked.length / 4, 0, EVALUATION_API);
        self.changes.push(Change::rollback_test(place, &self.version_names[EVALUATION_API]));
    }

    fn scale(&mut self, minute: usize, place: (i64, usize, usize), kind: ChangeKind, up: bool) {
        let (_, region, service) = place;
        let mut scaling = Scaling { minute, region, service, replicas: 0, memory_limit: 1.0 };
        let (old, new) = if kind == ChangeKind::Replicas {
            let old = hosts(region);
            scaling.replicas = if up { 1 } else { -1 };
            (old as f64, (old as i32 + scaling.replicas) as f64)
        } else {
            let old = SERVICES[service].memory_limit_mib;
            scaling.memory_limit = if up { 1.25 } else { 0.9 };
            (old, old * scaling.memory_limit)
        };
        // One at a time, and never after another: the old value in the text stays the true one.
        if self.scalings.iter().any(|s| s.region == region && s.service == service) {
            return;
        }
        self.changes.push(Change::scaling(place, kind, format!("{old:.0}"), format!("{new:.0}")));
        self.scalings.push(scaling);
    }

    /// Whether no labelled event is near.
    fn is_calm(&self, minute: usize, region: usize, service: usize) -> bool {
        self.near(minute, CALM).all(|f| !f.hits(region, service) || !is_near(f, minute, minute))
    }

    /// The faults that may be active within some minutes of a minute.
    fn near(&self, minute: usize, margin: usize) -> impl Iterator<Item = &Fault> {
        let first = self.faults.partition_point(|f| f.from + self.longest + margin < minute);
        self.faults[first..].iter().take_while(move |f| f.from <= minute + margin)
    }

    /// How many more clients than usual come to a service.
    pub(super) fn surges(&self, minute: usize) -> impl Iterator<Item = (&Fault, f64)> {
        self.near(minute, 0).filter(move |f| f.kind == Kind::TrafficSurge && minute < f.to).map(
            move |fault| {
                let mut effects = Effects::none();
                fault.apply(minute, &mut effects);
                (fault, effects.traffic)
            },
        )
    }

    /// What acts on a service at a minute.
    pub(super) fn effects(&self, minute: usize, region: usize, service: usize) -> Effects {
        let mut effects = Effects::none();
        for fault in self.near(minute, 0).filter(|f| f.hits(region, service) && minute < f.to) {
            fault.apply(minute, &mut effects);
        }
        let timeline = &self.versions[region * SERVICE_COUNT + service];
        let next = timeline.partition_point(|(from, _)| *from <= minute);
        effects.version = timeline[next - 1].1;
        effects
    }

    /// Replicas and memory limit against the usual ones.
    pub(super) fn scaling(&self, minute: usize, region: usize, service: usize) -> (i32, f64) {
        let mut found = (0, 1.0);
        for s in self.scalings.iter().take_while(|s| s.minute <= minute) {
            if s.region == region && s.service == service {
                found = (s.replicas, s.memory_limit);
            }
        }
        found
    }

    /// Places where an instance is killed for its memory at a minute.
    pub(super) fn kills(&self, minute: usize) -> impl Iterator<Item = (usize, usize)> {
        self.near(minute, 0).filter(move |f| f.kills().any(|k| k == minute)).map(|f| (f.region, f.service()))
    }
}

/// Instances of a service in a region.
pub(super) fn hosts(region: usize) -> usize {
    if region == 0 { 3 } else { 2 }
}

/// A whole number with this mean.
fn often(mean: f64, random: &mut Random) -> usize {
    (mean + random.unit()) as usize
}
