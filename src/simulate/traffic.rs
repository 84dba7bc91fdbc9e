//! How many lines fall into which minute, and who sends them.

use super::effects::Effects;
use super::options::Checked;
use super::plan::Plan;
use super::random::smooth;
use super::world::{Entry, REGIONS, SERVICE_COUNT, SocketEvent, WEBSOCKET_GATEWAY, WeightedEntry, entries};

/// Lines that one slice of work should have, at most about twice that: about a megabyte of text, so that it
/// is still in the processor's cache when the system copies it away (12,000 lines take twice as long).
const SLICE_LINES: u64 = 2_000;
/// Minutes that one slice may span, so that sparse simulations still split over threads.
const SLICE_MINUTES: usize = 15;
/// Minutes between two knots of the traffic's noise.
const NOISE_MINUTES: f64 = 12.0;

/// A stretch of time that is generated in one go: some minutes, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub(super) index: u64,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) part: u64,
    pub(super) parts: u64,
}

impl Slice {
    /// The minutes whose first instant lies in the slice.
    pub(super) fn minutes(&self) -> std::ops::Range<usize> {
        if self.part == 0 { self.from..self.to } else { 0..0 }
    }
}

/// The wanted number of lines, shared out over time.
pub(super) struct Traffic {
    /// Lines before each minute, and after the last.
    rows_before: Vec<u64>,
    entries: Vec<WeightedEntry>,
    /// Requests for each service that follow from each entry.
    requests: Vec<[f64; SERVICE_COUNT]>,
    /// Lines that a region of weight 1 writes for the entries of each service.
    lines: [f64; SERVICE_COUNT],
}

impl Traffic {
    pub(super) fn new(checked: &Checked, plan: &Plan) -> Self {
        let entries = entries();
        let requests: Vec<_> = entries.iter().map(|e| e.entry.requests()).collect();
        let mut lines = [0.0; SERVICE_COUNT];
        for (entry, requests) in entries.iter().zip(&requests) {
            let per_entry = requests.iter().sum::<f64>().max(1.0);
            lines[entry.entry.service()] += entry.weight * per_entry;
        }
        let mut traffic = Traffic { rows_before: Vec::new(), entries, requests, lines };
        let mut before = Vec::with_capacity(checked.minutes() + 1);
        let mut sum = 0.0;
        for minute in 0..checked.minutes() {
            before.push(sum);
            let share = (checked.minute_start(minute + 1) - checked.minute_start(minute)) as f64 / 60e6;
            sum += share * traffic.weight(checked, plan, minute);
        }
        before.push(sum);
        // Rounding the running total, not each minute, makes the total exact.
        traffic.rows_before = before.iter().map(|b| (b / sum * checked.rows as f64).round() as u64).collect();
        traffic
    }

    fn weight(&self, checked: &Checked, plan: &Plan, minute: usize) -> f64 {
        let all: f64 = self.lines.iter().sum();
        let usual: f64 = (0..checked.regions).map(|r| region_weight(checked, minute, r)).sum::<f64>() * all;
        let more: f64 = plan
            .surges(minute)
            .map(|(f, factor)| {
                region_weight(checked, minute, f.region) * self.lines[f.service()] * (factor - 1.0)
            })
            .sum();
        usual + more
    }

    /// Lines of a minute.
    pub(super) fn rows(&self, minute: usize) -> u64 {
        self.rows_before[minute + 1] - self.rows_before[minute]
    }

    /// Lines of one part of a minute that is cut into equal parts.
    pub(super) fn rows_of_part(&self, minute: usize, part: u64, parts: u64) -> u64 {
        let rows = self.rows(minute);
        let before = |p: u64| (u128::from(rows) * u128::from(p) / u128::from(parts)) as u64;
        before(part + 1) - before(part)
    }

    /// Requests per second that a service of a region gets in a minute.
    pub(super) fn request_rate(
        &self,
        checked: &Checked,
        scene: &Scene,
        region: usize,
        service: usize,
    ) -> f64 {
        let seconds =
            (checked.minute_start(scene.minute + 1) - checked.minute_start(scene.minute)) as f64 / 1e6;
        let (mut all, mut wanted) = (0.0, 0.0);
        for r in 0..checked.regions {
            let weight = region_weight(checked, scene.minute, r);
            for (entry, requests) in self.entries.iter().zip(&self.requests) {
                let clients = weight * entry.weight * scene.effects(r, entry.entry.service()).traffic;
                all += clients * requests.iter().sum::<f64>().max(1.0);
                if r == region {
                    wanted += clients * requests[service];
                }
            }
        }
        self.rows(scene.minute) as f64 * wanted / all / seconds
    }

    /// Everything that holds during a minute.
    pub(super) fn scene(&self, checked: &Checked, plan: &Plan, minute: usize) -> Scene {
        let effects: Vec<Effects> = (0..checked.regions * SERVICE_COUNT)
            .map(|place| plan.effects(minute, place / SERVICE_COUNT, place % SERVICE_COUNT))
            .collect();
        let mut scene = Scene {
            minute,
            effects,
            picks: Vec::new(),
            limits: Vec::new(),
            guide: [0; GUIDE],
            regions: checked.regions,
        };
        let mut weights = Vec::with_capacity(checked.regions * self.entries.len());
        for region in 0..checked.regions {
            let clients = region_weight(checked, minute, region);
            for entry in &self.entries {
                let e = scene.effects(region, entry.entry.service());
                weights.push(clients * entry.weight * e.traffic * scene.unrest(region, entry.entry));
                scene.picks.push((region as u8, entry.entry));
            }
        }
        scene.weigh(&weights);
        scene
    }

    /// The whole span cut into slices.
    pub(super) fn slices(&self, checked: &Checked) -> Vec<Slice> {
        let mut slices: Vec<Slice> = Vec::new();
        let mut from = 0;
        while from < checked.minutes() {
            let parts = self.rows(from).div_ceil(2 * SLICE_LINES).max(1);
            let mut to = from + 1;
            while parts == 1
                && to < checked.minutes().min(from + SLICE_MINUTES)
                && self.rows_before[to + 1] - self.rows_before[from] <= SLICE_LINES
            {
                to += 1;
            }
            for part in 0..parts {
                slices.push(Slice { index: slices.len() as u64, from, to, part, parts });
            }
            from = to;
        }
        slices
    }
}

/// How much traffic a region has in a minute, against the mean of all.
pub(super) fn region_weight(checked: &Checked, minute: usize, region: usize) -> f64 {
    let r = &REGIONS[region];
    let position = minute as f64 / NOISE_MINUTES;
    let noise = smooth(checked.seed, 1_000 + region as u64, position);
    if checked.quiet {
        r.share * (1.0 + 0.008 * noise)
    } else {
        r.share * (1.0 + 0.05 * noise) * r.daily_rhythm(checked.hour_of_day(minute))
    }
}

const GUIDE: usize = 512;

/// Everything that holds during one minute: what disturbs whom, and how likely each entry is.
pub(super) struct Scene {
    pub(super) minute: usize,
    effects: Vec<Effects>,
    picks: Vec<(u8, Entry)>,
    /// Running share of the picks, of 2^32.
    limits: Vec<u64>,
    /// For each of equally wide ranges of draws, the first pick that may be meant.
    guide: [u16; GUIDE],
    pub(super) regions: usize,
}

impl Scene {
    #[inline]
    pub(super) fn effects(&self, region: usize, service: usize) -> &Effects {
        &self.effects[region * SERVICE_COUNT + service]
    }

    /// How many more sockets break than usual.
    fn unrest(&self, region: usize, entry: Entry) -> f64 {
        use SocketEvent::{HeartbeatMiss, MessageLoss, Reconnect};
        let e = self.effects(region, WEBSOCKET_GATEWAY);
        match entry {
            Entry::Socket(Reconnect | HeartbeatMiss | MessageLoss) => {
                1.0 + 250.0 * (e.packet_loss - 0.000_02) + (e.queue - 1.0) * 0.5 + e.errors * 20.0
            }
            _ => 1.0,
        }
    }

    fn weigh(&mut self, weights: &[f64]) {
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        self.limits = weights
            .iter()
            .map(|w| {
                sum += w;
                (sum / all * (1u64 << 32) as f64) as u64
            })
            .collect();
        if let Some(last) = self.limits.last_mut() {
            *last = 1 << 32;
        }
        let mut pick = 0;
        for (bucket, first) in self.guide.iter_mut().enumerate() {
            let low = (bucket as u64) << 23;
            while self.limits[pick] <= low {
                pick += 1;
            }
            *first = pick as u16;
        }
    }

    /// The entry that 32 random bits mean.
    #[inline]
    pub(super) fn pick(&self, bits: u64) -> (usize, Entry) {
        let draw = bits >> 32;
        let mut pick = usize::from(self.guide[(draw >> 23) as usize]);
        while self.limits[pick] <= draw {
            pick += 1;
        }
        let (region, entry) = self.picks[pick];
        (usize::from(region), entry)
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::super::random::{Random, Stream};
    use super::*;

    fn traffic(hours: f64, rows: u64) -> (Checked, Plan, Traffic) {
        let checked = Options { hours, rows, ..Options::new("unused") }.check().unwrap();
        let plan = Plan::draw(&checked);
        let traffic = Traffic::new(&checked, &plan);
        (checked, plan, traffic)
    }

    #[test]
    fn lines_and_slices_add_up_at_any_density() {
        for (hours, rows) in [(0.1, 7), (1.0, 3_000_000), (26.5, 1_000), (24.0 * 40.0, 123_457)] {
            let (checked, _, traffic) = traffic(hours, rows);
            let mut lines = 0;
            let mut minutes = 0;
            for slice in traffic.slices(&checked) {
                minutes += slice.minutes().len();
                lines += (slice.from..slice.to)
                    .map(|m| traffic.rows_of_part(m, slice.part, slice.parts))
                    .sum::<u64>();
            }
            assert_eq!((lines, minutes), (rows, checked.minutes()), "{hours} hours");
        }
    }

    #[test]
    fn picks_follow_the_weights() {
        let (checked, plan, traffic) = traffic(24.0, 1_000_000);
        let scene = traffic.scene(&checked, &plan, 600);
        let mut random = Random::new(1, Stream::Plan, 0);
        let draws = 400_000;
        let hits = (0..draws).filter(|_| scene.pick(random.bits()).0 == 0).count();
        let weights: Vec<f64> = (0..6).map(|r| region_weight(&checked, 600, r)).collect();
        let expected = weights[0] / weights.iter().sum::<f64>();
        assert!((hits as f64 / f64::from(draws) - expected).abs() < 0.02);
    }

    #[test]
    fn rates_of_all_services_explain_most_lines() {
        let (checked, plan, traffic) = traffic(24.0, 1_000_000);
        let scene = traffic.scene(&checked, &plan, 600);
        let rate: f64 = (0..6)
            .flat_map(|r| (0..SERVICE_COUNT).map(move |s| (r, s)))
            .map(|(r, s)| traffic.request_rate(&checked, &scene, r, s))
            .sum();
        let share = rate * 60.0 / traffic.rows(600) as f64;
        assert!((0.85..1.0).contains(&share), "{share}");
    }
}
