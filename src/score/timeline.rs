//! What incidents say of every instant of a service: cut at each beginning and end, so that windows find their labels by an
//! as-of join, whatever overlaps, lies within another, or holds for all services and regions.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use polars::prelude::{AsofJoinBy, AsofStrategy, PolarsError, df};

use super::frame::{Block, Window};
use super::{Error, Incident, Incidents};
use crate::domain::{MICROS_PER_HOUR, Verdict};

const CLASSES: usize = Verdict::ALL.len();

/// Where a window belongs: its region and service.
type Scope<'a> = (&'a str, Option<&'a str>);

/// Time that lies in incidents of one kind, up to an instant at which one begins or ends.
#[derive(Debug, Clone, Copy, Default)]
struct Covered {
    /// Microseconds before the instant.
    before: i64,
    /// How many incidents go on after it.
    open: i64,
    /// The event that began last.
    event: usize,
}

/// An instant at which an incident begins or ends, and what holds from it on.
#[derive(Debug, Clone, Copy, Default)]
struct Cut {
    at: i64,
    /// Incidents of the service itself, by verdict.
    own: [Covered; CLASSES],
    /// Incidents of any service of the region, but for benign ones: they may harm others.
    region: Covered,
}

impl Covered {
    fn pass(&mut self, micros: i64) {
        self.before += if self.open > 0 { micros } else { 0 };
    }

    fn turn(&mut self, change: i64, event: usize) {
        self.open += change;
        if change > 0 {
            self.event = event;
        }
    }
}

impl Cut {
    /// The state at an instant before the next cut.
    fn until(mut self, at: i64) -> Cut {
        let micros = at - self.at;
        self.at = at;
        self.own.iter_mut().for_each(|covered| covered.pass(micros));
        self.region.pass(micros);
        self
    }

    /// The cuts of a service, in the order of time.
    fn of_scope((region, service): Scope<'_>, incidents: &Incidents, events: &[usize]) -> Vec<Cut> {
        let mut turns: Vec<(i64, i64, &Incident, usize)> = Vec::new();
        for (incident, event) in incidents.0.iter().zip(events).filter(|(i, _)| i.is_in(region)) {
            turns.extend([(incident.time.0, 1, incident, *event), (incident.time.1, -1, incident, *event)]);
        }
        turns.sort();
        let mut cuts: Vec<Cut> = Vec::new();
        for (at, change, incident, event) in turns {
            let mut cut = cuts.last().copied().unwrap_or_default().until(at);
            if incident.is_about(region, service) {
                cut.own[incident.verdict as usize].turn(change, event);
            }
            if incident.verdict != Verdict::Benign {
                cut.region.turn(change, event);
            }
            match cuts.last_mut() {
                Some(last) if last.at == at => *last = cut,
                _ => cuts.push(cut),
            }
        }
        cuts
    }
}

/// For each window its verdict and what it must stay together with; nothing where nothing certain is known.
pub(super) fn labels(
    windows: &[Window],
    incidents: &Incidents,
) -> Result<Vec<Option<(Verdict, Block)>>, Error> {
    let events = incidents.events();
    let mut scopes: BTreeMap<Scope<'_>, u32> = BTreeMap::new();
    for window in windows {
        let next = scopes.len() as u32;
        scopes.entry(window.scope()).or_insert(next);
    }
    let (mut scope_of_cut, mut cuts) = (Vec::new(), Vec::new());
    for (scope, number) in &scopes {
        let of_scope = Cut::of_scope(*scope, incidents, &events);
        scope_of_cut.resize(cuts.len() + of_scope.len(), *number);
        cuts.extend(of_scope);
    }
    let state_at = |instant: fn(&Window) -> i64| -> Result<Vec<Cut>, Error> {
        let asked: Vec<(u32, i64)> = windows.iter().map(|w| (scopes[&w.scope()], instant(w))).collect();
        let found = last_before(&asked, &scope_of_cut, &cuts)?;
        let state = |((_, at), cut): (&(u32, i64), Option<u32>)| match cut {
            Some(cut) => cuts[cut as usize].until(*at),
            None => Cut::default(),
        };
        Ok(asked.iter().zip(found).map(state).collect())
    };
    let (starts, ends) = (state_at(|window| window.time.0)?, state_at(|window| window.time.1)?);
    Ok(windows
        .iter()
        .zip(starts.iter().zip(&ends))
        .map(|(window, (start, end))| label(window, start, end))
        .collect())
}

/// For each instant of a scope the number of its last cut before it.
fn last_before(
    asked: &[(u32, i64)],
    scope_of_cut: &[u32],
    cuts: &[Cut],
) -> Result<Vec<Option<u32>>, PolarsError> {
    // The join wants both sides in the order of time.
    let in_order = |len: usize, at: &dyn Fn(usize) -> i64| {
        let mut order: Vec<u32> = (0..len as u32).collect();
        order.sort_by_key(|row| at(*row as usize));
        order
    };
    let rows = in_order(asked.len(), &|row| asked[row].1);
    let numbers = in_order(cuts.len(), &|row| cuts[row].at);
    let instants = df!(
        "scope" => rows.iter().map(|row| asked[*row as usize].0).collect::<Vec<_>>(),
        "at" => rows.iter().map(|row| asked[*row as usize].1).collect::<Vec<_>>(),
    )?;
    let turns = df!(
        "scope" => numbers.iter().map(|cut| scope_of_cut[*cut as usize]).collect::<Vec<_>>(),
        "at" => numbers.iter().map(|cut| cuts[*cut as usize].at).collect::<Vec<_>>(),
        "cut" => &numbers,
    )?;
    let (by, as_of) = (["scope"], AsofStrategy::Backward);
    let joined = instants.join_asof_by(&turns, "at", "at", by, by, as_of, None, false, false)?;
    let mut found = vec![None; asked.len()];
    for (row, cut) in rows.iter().zip(joined.column("cut")?.u32()?.iter()) {
        found[*row as usize] = cut;
    }
    Ok(found)
}

/// A window's label, from what holds at its start and at its end.
fn label(window: &Window, start: &Cut, end: &Cut) -> Option<(Verdict, Block)> {
    let (from, to) = window.time;
    let own = |verdict: &Verdict| end.own[*verdict as usize].before - start.own[*verdict as usize].before;
    if Verdict::ALL.iter().all(|verdict| own(verdict) == 0) && start.region.before == end.region.before {
        return Some((Verdict::Benign, Block::Hour(from.div_euclid(MICROS_PER_HOUR))));
    }
    let mut most = Verdict::ALL.to_vec();
    most.sort_by_key(|verdict| Reverse(own(verdict)));
    let is_certain = 2 * own(&most[0]) >= to - from && own(&most[0]) > own(&most[1]);
    is_certain.then(|| (most[0], Block::Incident(end.own[most[0] as usize].event)))
}
