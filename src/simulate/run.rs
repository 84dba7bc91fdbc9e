//! One run: slices of time made by any number of threads, written in order by the caller's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};

use super::json::Clock;
use super::options::{Checked, Options};
use super::output::{Output, prepare};
use super::plan::Plan;
use super::random::LogNormal;
use super::requests::{Buffer, Player, Shared};
use super::traffic::{Slice, Traffic};
use super::write::Texts;
use super::{Error, evaluations, events, gauges};
use crate::domain::TimeRange;

/// The tables that come out, each as `<table>.ndjson`.
pub const TABLES: [&str; 7] = ["logs", "spans", "metrics", "evaluations", "changes", "alerts", "incidents"];

/// Tables that are made slice by slice; the others fit into memory.
const SLICED: usize = 4;
/// Finished slices per thread that may wait for their turn.
const WAITING_PER_THREAD: usize = 3;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The span of time.
    pub range: TimeRange,
    /// Every file, in the order of [`TABLES`].
    pub tables: Vec<TableSummary>,
    /// Labelled events; each may have a row in `incidents` for several services.
    pub faults: u64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// The table.
    pub table: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Lines.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
}

/// The rows of one slice, by table.
pub(super) type Made = [Buffer; SLICED];

/// Simulates and writes; `progress` is told the log lines done and wanted after every slice.
pub fn run(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Summary, Error> {
    let checked = options.check()?;
    prepare(&options.out)?;
    let shared = Shared::new(checked);
    let mut outputs = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        outputs.push(Output::create(&options.out, table)?);
    }
    let rows = shared.checked.rows;
    let mut write = |made: &Made| {
        for (output, buffer) in outputs.iter_mut().zip(made) {
            output.write(&buffer.bytes, buffer.rows)?;
        }
        progress(outputs[0].rows, rows);
        Ok(())
    };
    let slices = shared.traffic.slices(&shared.checked);
    if shared.checked.threads == 1 || slices.len() == 1 {
        let mut made = Made::default();
        for slice in &slices {
            shared.make(slice, &mut made);
            write(&made)?;
        }
    } else {
        make_in_parallel(&shared, &slices, &mut write)?;
    }
    let small = [events::changes(&shared), events::alerts(&shared), events::incidents(&shared)];
    for (output, buffer) in outputs[SLICED..].iter_mut().zip(&small) {
        output.write(&buffer.bytes, buffer.rows)?;
    }
    let mut tables = Vec::with_capacity(TABLES.len());
    for (table, output) in TABLES.into_iter().zip(outputs) {
        let (path, rows, bytes) = output.finish()?;
        tables.push(TableSummary { table, path, rows, bytes });
    }
    let range = TimeRange::new(shared.checked.start, shared.checked.end())
        .expect("a checked span is at least a minute");
    Ok(Summary { range, tables, faults: shared.plan.faults.len() as u64 })
}

impl Shared {
    pub(super) fn new(checked: Checked) -> Self {
        let plan = Plan::draw(&checked);
        let traffic = Traffic::new(&checked, &plan);
        let texts = Texts::new(&plan, checked.regions);
        let metric_step = gauges::step_minutes(&checked);
        Shared { checked, plan, traffic, normal: LogNormal::new(), texts, metric_step }
    }

    /// Fills the buffers with one slice's rows.
    pub(super) fn make(&self, slice: &Slice, made: &mut Made) {
        for buffer in made.iter_mut() {
            buffer.bytes.clear();
            buffer.rows = 0;
        }
        let [logs, spans, metrics, evaluations] = made;
        let mut clock = Clock::new();
        Player::new(self, slice.index).play(slice, logs, spans);
        for minute in slice.minutes().filter(|m| m % self.metric_step == 0) {
            let scene = self.traffic.scene(&self.checked, &self.plan, minute);
            gauges::sample(self, &scene, &mut clock, metrics);
        }
        if !slice.minutes().is_empty() {
            evaluations::evaluate(self, slice, &mut clock, evaluations);
        }
    }
}

/// Which slices may be begun: the next one, up to so many ahead of what is written.
struct Queue {
    state: Mutex<Turn>,
    moved: Condvar,
    ahead: usize,
    slices: usize,
}

#[derive(Default)]
struct Turn {
    next: usize,
    written: usize,
    stopped: bool,
    /// Buffers to use again: fresh ones would cost a page fault for every 4 KiB.
    spare: Vec<Made>,
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Turn> {
        // A panicking thread ends the run anyway, by the scope.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next slice and buffers for it; waits while too many are unwritten.
    fn take(&self) -> Option<(usize, Made)> {
        let mut turn = self.lock();
        while !turn.stopped && turn.next < self.slices && turn.next >= turn.written + self.ahead {
            turn = self.moved.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.stopped || turn.next >= self.slices {
            return None;
        }
        turn.next += 1;
        let made = turn.spare.pop().unwrap_or_default();
        Some((turn.next - 1, made))
    }

    fn written(&self, made: Made) {
        let mut turn = self.lock();
        turn.written += 1;
        turn.spare.push(made);
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }
}

/// Stops the queue when a thread leaves early, so that nobody waits for slices that never come.
struct StopOnPanic<'a>(&'a Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

fn make_in_parallel(
    shared: &Shared,
    slices: &[Slice],
    write: &mut dyn FnMut(&Made) -> Result<(), Error>,
) -> Result<(), Error> {
    let threads = shared.checked.threads.min(slices.len());
    let ahead = threads * WAITING_PER_THREAD;
    let queue = Queue { state: Mutex::default(), moved: Condvar::new(), ahead, slices: slices.len() };
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || {
                let _guard = StopOnPanic(queue);
                make_slices(shared, slices, queue, &sender);
            });
        }
        drop(sender);
        let result = write_in_order(&receiver, &queue, write);
        queue.stop();
        result
    })
}

fn make_slices(shared: &Shared, slices: &[Slice], queue: &Queue, sender: &Sender<(usize, Made)>) {
    while let Some((index, mut made)) = queue.take() {
        shared.make(&slices[index], &mut made);
        // The writer only hangs up after an error, which it reports itself.
        if sender.send((index, made)).is_err() {
            return;
        }
    }
}

fn write_in_order(
    receiver: &Receiver<(usize, Made)>,
    queue: &Queue,
    write: &mut dyn FnMut(&Made) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (index, made) in receiver {
        early.insert(index, made);
        while let Some(made) = early.remove(&next) {
            write(&made)?;
            queue.written(made);
            next += 1;
        }
    }
    Ok(())
}
