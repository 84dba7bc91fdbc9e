//! Requests: each is played through its services once, and both its log lines and its spans tell of that.

use super::effects::Effects;
use super::failure::{self, FailureId};
use super::json::Clock;
use super::options::Checked;
use super::plan::{Plan, hosts};
use super::random::{LogNormal, Random, Spread, Stream};
use super::traffic::{Scene, Slice, Traffic};
use super::world::{AUTH, Entry, REGIONS, SERVICES, Step, WEBSOCKET_GATEWAY};
use super::write::{Line, Span, Texts, Trace, Work};

/// Time limits of callers, in microseconds.
const EXTERNAL_LIMIT: f64 = 2_000_000.0;
const STATEMENT_LIMIT: f64 = 5_000_000.0;
const LOST_CALL_LIMIT: f64 = 1_000_000.0;
/// How long a request waits for a database connection before it gives up.
const POOL_LIMIT: f64 = 500_000.0;
/// Median of the query that a cache miss costs.
const MISS_QUERY_US: f64 = 5_200.0;
/// Tries after the first.
const MAX_RETRIES: u8 = 2;
/// Share of a route's own work that comes before its calls.
const WORK_BEFORE: f64 = 0.6;
/// Share of a region's clients that reach it through another region's network.
const CLIENTS_FROM_ELSEWHERE: f64 = 0.12;
/// Share of kept traces that lose a span on the way, as long as something may go wrong.
const TRACES_WITH_A_GAP: f64 = 0.004;
pub(super) const USERS: usize = 50_000;

/// What one slice made: NDJSON and row counts.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
}

/// What all slices read.
pub(super) struct Shared {
    pub(super) checked: Checked,
    pub(super) plan: Plan,
    pub(super) traffic: Traffic,
    pub(super) normal: LogNormal,
    pub(super) texts: Texts,
    /// Minutes between two samples of a metric.
    pub(super) metric_step: usize,
}

/// A request in flight at one service.
#[derive(Clone, Copy)]
struct Place {
    region: usize,
    service: usize,
    route: usize,
    host: u8,
    version: u16,
    span: u64,
}

struct Answer {
    end: f64,
    failure: FailureId,
}

/// What happened so far to a request at one service.
struct Progress {
    now: f64,
    failure: FailureId,
    retries: u8,
    timeout: bool,
}

/// Plays requests, one at a time; buffers are kept between them.
pub(super) struct Player<'a> {
    pub(super) shared: &'a Shared,
    pub(super) random: Random,
    lines: Vec<Line>,
    spans: Vec<Span>,
    is_kept: bool,
    pub(super) clock: Clock,
}

impl<'a> Player<'a> {
    pub(super) fn new(shared: &'a Shared, slice: u64) -> Self {
        Player {
            shared,
            random: Random::new(shared.checked.seed, Stream::Requests, slice),
            lines: Vec::new(),
            spans: Vec::new(),
            is_kept: false,
            clock: Clock::new(),
        }
    }

    /// All lines and spans of a slice.
    pub(super) fn play(&mut self, slice: &Slice, logs: &mut Buffer, spans: &mut Buffer) {
        let shared = self.shared;
        for minute in slice.from..slice.to {
            let rows = shared.traffic.rows_of_part(minute, slice.part, slice.parts);
            if rows == 0 {
                continue;
            }
            let scene = shared.traffic.scene(&shared.checked, &shared.plan, minute);
            let (from, to) = (shared.checked.minute_start(minute), shared.checked.minute_start(minute + 1));
            let part = |p: u64| from + ((to - from) as i128 * i128::from(p) / i128::from(slice.parts)) as i64;
            let (from, to) = (part(slice.part), part(slice.part + 1));
            let mut written = 0;
            if slice.part == 0 {
                for (region, service) in shared.plan.kills(minute).take(rows as usize) {
                    self.kill(logs, &scene, region, service, from);
                    written += 1;
                }
            }
            let step = (to - from) as f64 / rows as f64;
            while written < rows {
                let at = from + ((written as f64 + self.random.unit()) * step) as i64;
                let (region, entry) = scene.pick(self.random.bits());
                let wrote = match entry {
                    Entry::Request { service, route } => {
                        self.request(&scene, (region, service, route), at, rows - written, logs, spans)
                    }
                    Entry::Socket(event) => {
                        self.socket(logs, scene.effects(region, WEBSOCKET_GATEWAY), region, event, at)
                    }
                    Entry::Background { service } => {
                        self.background(logs, scene.effects(region, service), region, service, at)
                    }
                };
                written += wrote;
            }
            logs.rows += written;
        }
    }

    /// One request from outside, which ends at an instant; at most `room` of its lines are written.
    fn request(
        &mut self,
        scene: &Scene,
        (region, service, route): (usize, usize, usize),
        at: i64,
        room: u64,
        logs: &mut Buffer,
        spans: &mut Buffer,
    ) -> u64 {
        self.lines.clear();
        self.spans.clear();
        self.is_kept = self.random.happens(self.shared.checked.trace_sampling);
        let answer = self.serve(scene, (region, service, route), 0.0, 0);
        // A request that would have begun before the simulation begins with it.
        let start = (at - answer.end as i64).max(self.shared.checked.start);
        let id = (self.random.bits() | 1, self.random.bits() | 1);
        let trace =
            Trace { start, id, request: self.random.bits(), user: self.random.below(USERS) as u32 + 1 };
        // Callees answer, and so log, before their callers.
        let first = self.lines.len().saturating_sub(room as usize);
        for line in &self.lines[first..] {
            let with_stack = self.random.happens(0.7);
            self.shared.texts.line(&mut logs.bytes, &mut self.clock, line, &trace, with_stack);
        }
        if self.is_kept {
            let has_gap = !self.shared.checked.quiet && self.random.happens(TRACES_WITH_A_GAP);
            let lost = if has_gap { self.first_call() } else { None };
            for (_, span) in self.spans.iter().enumerate().filter(|(i, _)| Some(*i) != lost) {
                self.shared.texts.span(&mut spans.bytes, &mut self.clock, span, &trace);
                spans.rows += 1;
            }
        }
        (self.lines.len() - first) as u64
    }

    /// A span with children that is not the root.
    fn first_call(&self) -> Option<usize> {
        self.spans.iter().position(|s| matches!(s.work, Work::Call { .. }))
    }

    fn serve(
        &mut self,
        scene: &Scene,
        (region, service, route): (usize, usize, usize),
        start: f64,
        parent: u64,
    ) -> Answer {
        let e = scene.effects(region, service);
        let r = &SERVICES[service].routes[route];
        let normal = &self.shared.normal;
        let bits = self.random.bits();
        let span = self.random.bits() | 1;
        let host = (((bits >> 48) * hosts(region) as u64) >> 16) as u8;
        let here = Place { region, service, route, host, version: e.version, span };
        // Clients are refused early: they cost little.
        let refusal = self.refusal(service);
        let breaks = self.random.happens(e.errors);
        let queue = 700.0 * normal.factor(Spread::Wide, bits) * e.queue;
        let mut work = r.work_us * REGIONS[region].slowness * normal.factor(r.spread, bits >> 12);
        if e.routes & (1 << route) != 0 {
            work *= e.work;
        }
        let mut p = Progress { now: start + queue, failure: failure::NONE, retries: 0, timeout: false };
        if parent == 0 && e.network_us > 0.0 && self.random.happens(CLIENTS_FROM_ELSEWHERE) {
            p.now += e.network_us * self.random.between(0.6, 1.2);
        }
        if refusal != failure::NONE {
            p.now += 0.15 * work;
            p.failure = refusal;
        } else if breaks
            && matches!(e.failure, failure::CONFIGURATION | failure::RESTARTING | failure::OVERLOADED)
        {
            p.now += 0.3 * work;
            p.failure = e.failure;
        } else {
            let inside = p.now;
            p.now += work * WORK_BEFORE;
            if self.is_kept {
                let work = p.now - inside;
                self.note(&here, Work::Internal, failure::NONE, inside, inside + work);
            }
            for (index, step) in r.steps.iter().enumerate() {
                self.step(scene, &here, e, index, step, &mut p);
                if p.failure != failure::NONE {
                    break;
                }
            }
            p.now += work * (1.0 - WORK_BEFORE);
            if p.failure == failure::NONE && breaks {
                p.failure = e.failure;
                if e.failure == failure::POOL_EXHAUSTED {
                    p.now += POOL_LIMIT;
                    p.timeout = true;
                }
            }
        }
        let size = if p.failure == failure::NONE { r.bytes } else { 180.0 };
        self.lines.push(Line {
            region: region as u8,
            service: service as u8,
            route: route as u8,
            host,
            failure: p.failure,
            retries: p.retries,
            timeout: p.timeout,
            version: e.version,
            end: p.now as u32,
            duration: (p.now - start) as u32,
            queue: queue as u32,
            bytes: (size * normal.factor(Spread::Medium, bits >> 24)) as u32,
            span,
            parent,
        });
        if self.is_kept {
            self.spans.push(Span {
                region: region as u8,
                service: service as u8,
                route: route as u8,
                host,
                failure: p.failure,
                version: e.version,
                work: Work::Server,
                start: start as u32,
                duration: (p.now - start) as u32,
                span,
                parent,
            });
        }
        Answer { end: p.now, failure: p.failure }
    }

    /// What clients do wrong: about one request in a hundred.
    fn refusal(&mut self, service: usize) -> FailureId {
        let draw = (self.random.bits() >> 48) as u32;
        let unauthorized = if service == AUTH { 900 } else { 160 };
        match draw {
            _ if draw >= 640 + unauthorized => failure::NONE,
            0..180 => failure::INVALID,
            180..460 => failure::MISSING,
            460..540 => failure::CONFLICT,
            540..640 => failure::RATE_LIMITED,
            _ => failure::UNAUTHORIZED,
        }
    }

    /// Keeps a span of work below a request; 0 as its identity when nothing is kept.
    fn note(&mut self, here: &Place, work: Work, failure: FailureId, start: f64, end: f64) {
        let span = self.random.bits() | 1;
        self.note_as(span, here, work, failure, start, end);
    }

    fn note_as(&mut self, span: u64, here: &Place, work: Work, failure: FailureId, start: f64, end: f64) {
        self.spans.push(Span {
            region: here.region as u8,
            service: here.service as u8,
            route: here.route as u8,
            host: here.host,
            failure,
            version: here.version,
            work,
            start: start as u32,
            duration: (end as u32).saturating_sub(start as u32),
            span,
            parent: here.span,
        });
    }

    fn step(
        &mut self,
        scene: &Scene,
        here: &Place,
        e: &Effects,
        index: usize,
        step: &Step,
        p: &mut Progress,
    ) {
        match step {
            Step::Cache => {
                let bits = self.random.bits();
                let start = p.now;
                p.now += 450.0 * self.shared.normal.factor(Spread::Medium, bits);
                if self.is_kept {
                    self.note(here, Work::Cache, failure::NONE, start, p.now);
                }
                if self.random.happens(e.cache_miss) {
                    self.query(here, e, MISS_QUERY_US, None, p);
                }
            }
            Step::Query { count, median_us, .. } => {
                let is_chatty = e.routes & (1 << here.route) != 0 && e.queries > 1.0;
                let factor = if is_chatty { e.queries } else { 1.0 };
                for _ in 0..(f64::from(*count) * factor) as u32 {
                    self.query(here, e, *median_us, Some(index as u8), p);
                    if p.failure != failure::NONE {
                        break;
                    }
                }
            }
            Step::External { chance, median_us } => {
                if self.random.happens(*chance) {
                    self.external(here, e, *median_us, p);
                }
            }
            Step::Call { service, route, chance, abroad } => {
                if self.random.happens(*chance) {
                    self.call(scene, here, e, (*service, *route), *abroad, p);
                }
            }
        }
    }

    fn query(&mut self, here: &Place, e: &Effects, median_us: f64, step: Option<u8>, p: &mut Progress) {
        let bits = self.random.bits();
        let start = p.now;
        let time = median_us * e.database * self.shared.normal.factor(Spread::Wide, bits);
        p.now += time.min(STATEMENT_LIMIT);
        if time >= STATEMENT_LIMIT {
            p.timeout = true;
            p.failure = failure::QUERY_TIMEOUT;
        }
        if self.is_kept {
            self.note(here, Work::Database(step), p.failure, start, p.now);
        }
    }

    fn external(&mut self, here: &Place, e: &Effects, median_us: f64, p: &mut Progress) {
        for attempt in 0..=MAX_RETRIES {
            let bits = self.random.bits();
            let start = p.now;
            let time = median_us * e.external * self.shared.normal.factor(Spread::Wide, bits);
            let hangs = self.random.happens(e.external_timeouts) || time >= EXTERNAL_LIMIT;
            p.now += if hangs { EXTERNAL_LIMIT } else { time };
            p.timeout |= hangs;
            if self.is_kept {
                let failure = if hangs { failure::UPSTREAM_TIMEOUT } else { failure::NONE };
                self.note(here, Work::External, failure, start, p.now);
            }
            if !hangs {
                return;
            }
            if attempt < MAX_RETRIES {
                p.retries += 1;
            }
        }
        p.failure = failure::UPSTREAM_TIMEOUT;
    }

    fn call(
        &mut self,
        scene: &Scene,
        here: &Place,
        e: &Effects,
        (service, route): (usize, usize),
        abroad: f64,
        p: &mut Progress,
    ) {
        let mut there = here.region;
        let mut network = 300.0;
        if scene.regions > 1 && self.random.happens(abroad) {
            let home = &REGIONS[here.region];
            (there, network) = if home.partner < scene.regions {
                (home.partner, f64::from(home.round_trip_us.0))
            } else {
                (0, f64::from(home.round_trip_us.1))
            };
            network += e.network_us.max(scene.effects(there, service).network_us);
            network *= self.random.between(0.95, 1.15);
        }
        for attempt in 0..=1 {
            let span = self.random.bits() | 1;
            let start = p.now;
            let is_lost = self.random.happens(e.packet_loss);
            let answer = if is_lost {
                p.timeout = true;
                Answer { end: start + LOST_CALL_LIMIT, failure: failure::UPSTREAM_TIMEOUT }
            } else {
                self.serve(scene, (there, service, route), start + network / 2.0, span)
            };
            p.now = answer.end + if is_lost { 0.0 } else { network / 2.0 };
            if self.is_kept {
                let work = Work::Call { service: service as u8, route: route as u8, region: there as u8 };
                self.note_as(span, here, work, answer.failure, start, p.now);
            }
            if failure::FAILURES[usize::from(answer.failure)].status < 500 {
                return;
            }
            if attempt == 0 {
                p.retries += 1;
            } else {
                p.failure = if is_lost { failure::UPSTREAM_TIMEOUT } else { failure::BAD_GATEWAY };
            }
        }
    }
}
