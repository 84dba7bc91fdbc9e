//! Labelled incidents: the answers to learn from.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use serde::Deserialize;

use super::Error;
use crate::domain::{MICROS_PER_DAY, TimeRange, UNKNOWN_REGION, Verdict, parse_timestamp};
use crate::pipeline::Run;

/// What is known about a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incident {
    /// When.
    pub time: (i64, i64),
    /// Where; `unknown` for everywhere.
    pub region: String,
    /// Of which service; all if nothing says.
    pub service: Option<String>,
    /// What it was.
    pub verdict: Verdict,
}

/// Incidents in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Incidents(pub Vec<Incident>);

#[derive(Deserialize)]
struct Line {
    region: Option<String>,
    service: Option<String>,
    from: String,
    to: String,
    verdict: String,
}

impl Incident {
    /// Whether it happened in a region.
    pub fn is_in(&self, region: &str) -> bool {
        self.region == region || self.region == UNKNOWN_REGION
    }

    /// Whether it speaks of a service in a region.
    pub fn is_about(&self, region: &str, service: Option<&str>) -> bool {
        self.is_in(region) && (self.service.is_none() || self.service.as_deref() == service)
    }
}

impl Incidents {
    /// Reads NDJSON.
    pub fn parse(text: &str) -> Result<Incidents, Error> {
        let mut incidents = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let refuse = |reason: String| Error::Incident { line: at + 1, reason };
            let line: Line = serde_json::from_str(line).map_err(|e| refuse(e.to_string()))?;
            let instant = |key: &str, text: &str| {
                let expected = "a time such as 2025-01-15T13:00:00Z";
                parse_timestamp(text)
                    .ok_or_else(|| refuse(format!("{key}: expected {expected}, got `{text}`")))
            };
            let time = (instant("from", &line.from)?, instant("to", &line.to)?);
            if time.0 >= time.1 {
                return Err(refuse(format!("expected `to` after `from`, got {} and {}", line.to, line.from)));
            }
            let verdict = line.verdict.parse::<Verdict>().map_err(|e| refuse(e.to_string()))?;
            let region = line.region.unwrap_or_else(|| UNKNOWN_REGION.to_owned());
            incidents.push(Incident { time, region, service: line.service, verdict });
        }
        incidents.sort();
        Ok(Incidents(incidents))
    }

    /// Reads the table `incidents` of a lake.
    pub async fn of_lake(run: &Run) -> Result<Incidents, Error> {
        let mut incidents = Vec::new();
        for batch in run.rows("select \"from\", \"to\", region, service, verdict from incidents").await? {
            let column = |at: usize, kind: &DataType| {
                cast(batch.column(at), kind)
                    .map_err(|e| crate::engine::Error::from(datafusion::error::DataFusionError::from(e)))
            };
            let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            let (from, to) = (column(0, &instant)?, column(1, &instant)?);
            let texts =
                [2, 3, 4].map(|at| column(at, &DataType::Utf8)).into_iter().collect::<Result<Vec<_>, _>>()?;
            let text = |at: usize, row: usize| {
                let texts = texts[at].as_string::<i32>();
                texts.is_valid(row).then(|| texts.value(row).to_owned())
            };
            for row in 0..batch.num_rows() {
                let verdict = text(2, row).unwrap_or_default();
                let verdict = verdict.parse::<Verdict>().map_err(|e| Error::Labels {
                    reason: format!("table incidents: {e}"),
                    hint: "correct the incident at its source and ingest it again",
                })?;
                let at = |column: &arrow::array::ArrayRef| {
                    column.as_primitive::<TimestampMicrosecondType>().value(row)
                };
                incidents.push(Incident {
                    time: (at(&from), at(&to)),
                    region: text(0, row).unwrap_or_else(|| UNKNOWN_REGION.to_owned()),
                    service: text(1, row),
                    verdict,
                });
            }
        }
        incidents.sort();
        Ok(Incidents(incidents))
    }

    /// For each incident the first of those that it overlaps with in a region, directly or through others: what happened at
    /// one time in one place is one event, however many services were hit.
    pub fn events(&self) -> Vec<usize> {
        let mut events: Vec<usize> = Vec::with_capacity(self.0.len());
        // For each region its last incidents' end, and one of them. Incidents are in the order of time.
        let mut last: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
        for (number, incident) in self.0.iter().enumerate() {
            let (from, to) = incident.time;
            events.push(number);
            for (region, (other, end)) in &last {
                let is_near = incident.is_in(region) || *region == UNKNOWN_REGION;
                if is_near && from < *end {
                    let (a, b) = (events[*other], events[number]);
                    events.iter_mut().filter(|event| **event == a.max(b)).for_each(|event| *event = a.min(b));
                }
            }
            let until = last.get(incident.region.as_str()).map_or(to, |(_, end)| to.max(*end));
            last.insert(&incident.region, (number, until));
        }
        events
    }

    /// The UTC days on which they began.
    pub fn days(&self) -> Vec<TimeRange> {
        let mut days: Vec<i64> = self.0.iter().map(|i| i.time.0.div_euclid(MICROS_PER_DAY)).collect();
        days.sort_unstable();
        days.dedup();
        let range = |day: i64| TimeRange::new(day * MICROS_PER_DAY, (day + 1) * MICROS_PER_DAY).ok();
        days.into_iter().filter_map(range).collect()
    }
}
