//! The training frame: windows with features, a label and a block.
//!
//! - A window that lies at least half in incidents of its service has their verdict; if they have several, that of most of the
//!   window.
//! - A window of another service of the region during an incident may suffer from it without being its cause, and a window that an
//!   incident only touches, or two verdicts claim alike, is neither one thing nor the other: all these are left out.
//! - All other windows are BENIGN.
//!
//! Nothing in a row names a service, a region or a time, so none of them can be learned by heart.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::error::DataFusionError;
use ndarray::Array2;

use super::{Error, Incidents, timeline};
use crate::domain::{REGRESSION_FEATURES, Verdict};
use crate::engine;
use crate::functions::RuleSet;
use crate::pipeline::Run;

/// One window of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// First instant and first instant after it.
    pub time: (i64, i64),
    /// Where.
    pub region: String,
    /// Which service.
    pub service: Option<String>,
    /// What was measured.
    pub features: [Option<f64>; REGRESSION_FEATURES.len()],
}

/// Windows that can be learned from.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The windows.
    pub windows: Vec<Window>,
    /// Their verdicts.
    pub verdicts: Vec<Verdict>,
    /// What must not be divided between training and validation: an incident, or an hour without one.
    pub blocks: Vec<Block>,
}

/// Windows that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// The number of the incident; those that overlap are one event.
    Incident(usize),
    /// The hour since 1970.
    Hour(i64),
}

impl Window {
    /// Where it belongs.
    pub(super) fn scope(&self) -> (&str, Option<&str>) {
        (&self.region, self.service.as_deref())
    }

    /// All windows of a run in which a symptom was measured.
    pub async fn of_run(run: &Run) -> Result<Vec<Window>, Error> {
        let sql = format!(
            "select window_start, window_end, region, service, {} from regression_features \
             order by window_start, region, service",
            REGRESSION_FEATURES.join(", ")
        );
        let mut windows = Vec::new();
        for batch in run.rows(&sql).await? {
            let column = |at: usize, kind: DataType| {
                cast(batch.column(at), &kind).map_err(|e| engine::Error::from(DataFusionError::from(e)))
            };
            let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            let times = (column(0, instant())?, column(1, instant())?);
            let names = (column(2, DataType::Utf8)?, column(3, DataType::Utf8)?);
            let features = (4..4 + REGRESSION_FEATURES.len())
                .map(|at| column(at, DataType::Float64))
                .collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let at = |column: &dyn Array| column.as_primitive::<TimestampMicrosecondType>().value(row);
                let text = |column: &dyn Array| {
                    column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned())
                };
                windows.push(Window {
                    time: (at(&times.0), at(&times.1)),
                    region: text(&names.0).unwrap_or_default(),
                    service: text(&names.1),
                    features: std::array::from_fn(|feature| {
                        let values = features[feature].as_primitive::<Float64Type>();
                        values.is_valid(row).then(|| values.value(row)).filter(|v| !v.is_nan())
                    }),
                });
            }
        }
        // The rules give no verdict exactly where no symptom was measured.
        let rules = RuleSet::default();
        windows.retain(|window| rules.judge(&window.features).is_some());
        Ok(windows)
    }
}

impl Frame {
    /// Labels windows, and leaves out those of which nothing certain is known.
    pub fn add(&mut self, windows: Vec<Window>, incidents: &Incidents) -> Result<(), Error> {
        let labels = timeline::labels(&windows, incidents)?;
        for (window, label) in windows.into_iter().zip(labels) {
            if let Some((verdict, block)) = label {
                self.windows.push(window);
                self.verdicts.push(verdict);
                self.blocks.push(block);
            }
        }
        Ok(())
    }

    /// The features as the model takes them.
    pub fn rows(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.windows.len(), REGRESSION_FEATURES.len()), |(row, feature)| {
            self.windows[row].features[feature].unwrap_or(f64::NAN)
        })
    }

    /// The numbers of the classes.
    pub fn targets(&self) -> Vec<usize> {
        self.verdicts.iter().map(|verdict| *verdict as usize).collect()
    }
}
