//! Which labelled event comes when and where.

use super::fault::{Fault, Kind};
use super::options::Checked;
use super::random::Random;
use super::world::{REGIONS, Route, SERVICE_COUNT, SERVICES, Step, services};
use crate::domain::Verdict;

/// One labelled event begins about so often.
const HOURS_PER_FAULT: f64 = 1.5;
/// Minutes around a labelled event in which its services see no other.
pub(super) const CALM: usize = 30;

/// Whether a stretch of minutes comes too close to a fault.
pub(super) fn is_near(fault: &Fault, from: usize, to: usize) -> bool {
    fault.from < to + CALM && from < fault.to + CALM
}

/// Every labelled event, by time.
pub(super) fn draw_faults(checked: &Checked, random: &mut Random) -> Vec<Fault> {
    let (minutes, hours) = (checked.minutes(), checked.hours());
    let least = if hours >= 3.0 { 3.0 } else { f64::from(u8::from(hours >= 0.5)) };
    let count = (hours / HOURS_PER_FAULT).round().max(least) as usize;
    let slot = minutes as f64 / count.max(1) as f64;
    let mut decks = Decks::default();
    let mut faults: Vec<Fault> = Vec::with_capacity(count);
    for number in 0..count {
        let verdict = if checked.quiet { Verdict::Benign } else { decks.class(random) };
        // Some draws fall on places that are still taken; then another place, or another kind, is tried.
        for attempt in 0..60 {
            let kind = decks.kind(verdict, random);
            let is_possible = !(checked.quiet && kind == Kind::TrafficSurge
                || kind == Kind::NetworkDelay && checked.regions < 2);
            if !is_possible {
                continue;
            }
            let fault = place(kind, number as f64 * slot, slot, minutes, checked.regions, random);
            let is_free = faults.iter().rev().take(64).all(|f| {
                f.region != fault.region
                    || f.services & fault.services == 0
                    || !is_near(f, fault.from, fault.to)
            });
            if is_free && fault.services != 0 {
                faults.push(fault);
                break;
            }
            if attempt % 8 != 7 {
                decks.put_back(verdict, kind);
            }
        }
    }
    faults.sort_by_key(|f| (f.from, f.region, f.services));
    faults
}

fn place(
    kind: Kind,
    slot_from: f64,
    slot: f64,
    minutes: usize,
    regions: usize,
    random: &mut Random,
) -> Fault {
    let (shortest, longest) = kind.minutes();
    // A quarter of a slot stays free, so that there is something to compare with; a leak may outlast its slot.
    let room = if kind == Kind::MemoryLeak && slot * 4.0 < minutes as f64 { slot * 1.4 } else { slot * 0.7 };
    let length = random.between(shortest, longest).min(room).max(5.0).floor();
    let lead = slot * 0.15;
    let latest = (slot - length - lead).max(1.0);
    let last = (minutes as f64 - length - 2.0).max(1.0);
    let from = (slot_from + lead + random.unit() * latest).min(last).max(1.0) as usize;
    let region = draw_region(regions, random);
    let able: Vec<usize> = services().filter(|s| kind.can_hit(*s, &SERVICES[*s])).collect();
    let mut services: u8 = if kind.is_regional() {
        able.iter().map(|s| 1 << s).sum()
    } else {
        1 << able[random.below(able.len())]
    };
    if kind == Kind::NodePressure {
        // Nodes carry some of the services, not all.
        let keep = 2 + random.below(3);
        while services.count_ones() > keep as u32 {
            services &= !(1 << random.below(SERVICE_COUNT));
        }
    }
    let routes = SERVICES[services.trailing_zeros() as usize].routes;
    // Of the routes with most work, so that the service as a whole feels it.
    let work = |r: &Route| r.weight * r.work_us;
    let most = routes.iter().map(work).fold(0.0, f64::max);
    let has_query =
        |r: &Route| r.steps.iter().any(|s| matches!(s, Step::Query { .. })) || kind != Kind::NPlusOne;
    let busy: Vec<usize> =
        (0..routes.len()).filter(|r| work(&routes[*r]) >= 0.4 * most && has_query(&routes[*r])).collect();
    let route = if busy.is_empty() { 0 } else { busy[random.below(busy.len())] };
    let to = (from + length as usize).min(minutes.saturating_sub(1)).max(from + 1);
    Fault { kind, region, services, from, to, strength: random.unit(), route }
}

/// A region, the busier the likelier, though not in proportion: a fault that nobody meets shows nothing.
fn draw_region(regions: usize, random: &mut Random) -> usize {
    let weights = || REGIONS[..regions].iter().map(|r| r.share.sqrt());
    let mut draw = random.unit() * weights().sum::<f64>();
    weights()
        .position(|w| {
            draw -= w;
            draw < 0.0
        })
        .unwrap_or(0)
}

/// Shuffled decks, so that every class and every kind comes up before any comes up again.
#[derive(Default)]
struct Decks {
    classes: Vec<Verdict>,
    kinds: [Vec<Kind>; 3],
}

impl Decks {
    fn class(&mut self, random: &mut Random) -> Verdict {
        if self.classes.is_empty() {
            // One infrastructure fault labels many services, any other only one: for labels in balance it comes
            // up less often. The first three, taken from the end, are still one of each class.
            use Verdict::{Benign, EnvironmentRegression, PerformanceRegression};
            let mut rest = [PerformanceRegression, PerformanceRegression, Benign];
            let mut first = [PerformanceRegression, EnvironmentRegression, Benign];
            random.shuffle(&mut rest);
            random.shuffle(&mut first);
            self.classes.extend(rest.into_iter().chain(first));
        }
        self.classes.pop().expect("just filled")
    }

    fn kind(&mut self, verdict: Verdict, random: &mut Random) -> Kind {
        let deck = &mut self.kinds[verdict as usize];
        if deck.is_empty() {
            deck.extend(Kind::of(verdict));
            random.shuffle(deck);
        }
        deck.pop().expect("just filled")
    }

    fn put_back(&mut self, verdict: Verdict, kind: Kind) {
        self.kinds[verdict as usize].push(kind);
    }
}
