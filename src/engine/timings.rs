//! What a session spent its time on: each model that was computed and each query, with seconds, rows and bytes. For
//! people who wonder why something takes long; no result ever reads it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::prelude::SessionContext;

/// One model or query.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The model's name, or the query.
    pub what: String,
    /// From planning to the last row.
    pub seconds: f64,
    /// Rows that came out.
    pub rows: usize,
    /// Memory that they take; 0 where they were kept in a file.
    pub bytes: usize,
}

/// The ledger of a session, in the order in which things were done.
#[derive(Debug, Default)]
pub struct Timings(Mutex<Vec<Timing>>);

impl Timings {
    /// The ledger of a session that [`super::Engine`] built; an empty one that nobody reads for any other session.
    pub fn of(context: &SessionContext) -> Arc<Self> {
        context.copied_config().get_extension::<Timings>().unwrap_or_default()
    }

    /// Takes down a query that began at `start` and has just given these rows.
    pub fn add_rows(&self, what: &str, start: Instant, batches: &[RecordBatch]) {
        let mut memory = RecordBatchMemoryCounter::new();
        let bytes = batches.iter().map(|batch| memory.count_batch(batch)).sum();
        self.add(what, start, batches.iter().map(RecordBatch::num_rows).sum(), bytes);
    }

    /// Takes down what began at `start` and is done now.
    pub fn add(&self, what: &str, start: Instant, rows: usize, bytes: usize) {
        self.entry(Timing { what: what.to_owned(), seconds: start.elapsed().as_secs_f64(), rows, bytes });
    }

    fn entry(&self, timing: Timing) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(timing);
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Timing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What took longest, one line each, for a person.
    pub fn longest(&self, most: usize) -> Vec<String> {
        let mut all = self.all();
        let total: f64 = all.iter().map(|t| t.seconds).sum();
        let count = all.len();
        all.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let line = |t: &Timing| {
            let mib = t.bytes as f64 / f64::from(1 << 20);
            format!("{:8.3} s {:>10} rows {mib:9.1} MiB  {}", t.seconds, t.rows, shortened(&t.what))
        };
        let head = format!("{total:8.3} s in {count} models and queries, of which took longest:");
        std::iter::once(head).chain(all.iter().take(most).map(line)).collect()
    }
}

/// A query on one line, and not all of it.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_longest_comes_first_and_long_queries_are_cut() {
        let timings = Timings::default();
        let took = |what: &str, seconds| Timing { what: what.into(), seconds, rows: 7, bytes: 3 << 20 };
        timings.entry(took("slo_windows", 0.25));
        timings.entry(took(&format!("select\n  {}", "a".repeat(200)), 1.5));
        let lines = timings.longest(9);
        assert_eq!(lines[0], "   1.750 s in 2 models and queries, of which took longest:");
        assert!(lines[1].starts_with("   1.500 s          7 rows       3.0 MiB  select aaa"), "{}", lines[1]);
        assert!(lines[1].ends_with("a ..."), "{}", lines[1]);
        assert!(lines[2].ends_with("  slo_windows"), "{}", lines[2]);
        assert_eq!(timings.longest(1).len(), 2);
    }
}
