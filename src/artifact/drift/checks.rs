//! `drift_check_NNNN.json`: one document for each interval, written one after the other, so that a month of them
//! takes no more memory than one.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::TryStreamExt;
use serde_json::{Value as Json, json};

use super::{Tally, baseline, by_category, entries, sum, tallies, written};
use crate::artifact::intervals::{Intervals, time};
use crate::artifact::rows::Rows;
use crate::artifact::{Artifact, Error, Folder, json_text};
use crate::domain::DriftCategory;
use crate::engine::{self, Timings};
use crate::pipeline::Run;

/// How messages call these documents.
const DOCUMENTS: &str = "drift_check_NNNN.json";

/// Intervals that are asked for at once: a week of five minutes. All at once would be sorted at once.
const BLOCK: usize = 2016;

/// What the documents read.
pub(super) const READS: [&str; 2] = ["select * from drift_results", "select * from drift_found"];

/// Every check of a region as a whole, and those of services that drifted, from one interval to another.
fn listed(first: usize, last: usize) -> String {
    const SHOWN: &str = "check_number, timestamp, region, service, name, category, baseline_value, current_value, \
        drift_percent, threshold_percent, status, p_value, unit, reason";
    format!(
        "select {SHOWN} from drift_results where service = 'all' and check_number between {first} and {last} \
         union all \
         select {SHOWN} from drift_found where service <> 'all' and check_number between {first} and {last} \
         order by check_number, category, name, region, service, reason"
    )
}

/// What every document says of the run.
struct Checks {
    intervals: Intervals,
    tallies: Vec<BTreeMap<DriftCategory, Tally>>,
    baseline: Json,
}

impl Checks {
    fn document(&self, position: usize, list: Vec<Json>) -> Artifact {
        let (start, end) = self.intervals.bounds(position);
        let none = BTreeMap::new();
        let tallies = self.tallies.get(position).unwrap_or(&none);
        let total = sum(tallies.values());
        let document = json!({
            "check_number": position + 1,
            "timestamp": time(end),
            "interval_start": time(start),
            "baseline_timestamp": self.baseline["from"],
            "total_checks": total.total(),
            "total_drifts": total.drifts(),
            "critical_drifts": total.critical,
            "warning_drifts": total.warning,
            "ok_checks": total.ok,
            "unmeasured_checks": total.unmeasured,
            "drift_categories": by_category(tallies),
            "checks": list,
        });
        Artifact::text(format!("drift_check_{:04}.json", position + 1), json_text(&document))
    }
}

/// Writes the document of every interval.
pub(super) async fn write(run: &Run, folder: &mut Folder) -> Result<(), Error> {
    let intervals = Intervals::of(run.params())?;
    let (tallies, baseline) = (tallies(run, intervals).await?, baseline(run, intervals).await?);
    let checks = Checks { intervals, tallies, baseline };
    let fail = |source: engine::Error| Error::Query { document: DOCUMENTS, source: source.into() };
    let (mut next, mut open) = (0, Vec::new());
    for first in (0..intervals.count()).step_by(BLOCK) {
        let sql = listed(first + 1, (first + BLOCK).min(intervals.count()));
        let (start, mut rows) = (Instant::now(), 0);
        let frame = run.engine().sql(&sql).await.map_err(fail)?;
        let mut stream = frame.execute_stream().await.map_err(|e| fail(e.into()))?;
        while let Some(batch) = stream.try_next().await.map_err(|e| fail(e.into()))? {
            rows += batch.num_rows();
            for (position, entry) in entries(&Rows::part(DOCUMENTS, batch), false)? {
                while next < position {
                    written(folder, &checks.document(next, std::mem::take(&mut open)))?;
                    next += 1;
                }
                open.push(entry);
            }
        }
        Timings::of(run.engine().context()).add(&sql, start, rows, 0);
    }
    while next < checks.intervals.count() {
        written(folder, &checks.document(next, std::mem::take(&mut open)))?;
        next += 1;
    }
    Ok(())
}
