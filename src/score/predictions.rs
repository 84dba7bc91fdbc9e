//! Verdicts that are kept: the table `predictions`.

use arrow::record_batch::RecordBatch;

use crate::domain::{REGRESSION_FEATURES, format_timestamp};
use crate::lake::{self, Lake, Transaction};
use crate::pipeline::{Run, append};

use super::Error;

/// The table.
const TABLE: &str = "predictions";

/// What scoring a window did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicted {
    /// So many verdicts were kept.
    Kept(u64),
    /// The same judge has scored this window, and the lake has gained nothing since.
    Known,
}

/// Verdicts of a run's window that are not kept yet.
#[derive(Debug, Clone)]
pub struct Predictions {
    /// Rows of the table `predictions`, by region, window and service.
    pub rows: Vec<RecordBatch>,
    done: Transaction,
}

impl Predictions {
    /// Judges the run's window. `judge` identifies who judges: a model's hash, or `rules`, and the length of a window.
    pub async fn of_run(run: &Run, judge: &str) -> Result<Predictions, Error> {
        let others = run.versions().iter().filter(|v| v.table != TABLE);
        // Versions only grow, and a table that is new adds its own.
        let version: u64 = others.map(|v| v.version + 1).sum();
        let judgement = format!("regression_judgement({})", REGRESSION_FEATURES.join(", "));
        let factor = |n: usize| {
            format!(
                "j['factors'][{n}]['feature'] as factor_{n}, j['factors'][{n}]['weight'] as factor_{n}_weight"
            )
        };
        let share = |class: &str, name: &str| format!("j['probabilities']['{class}'] as {name}");
        let sql = format!(
            "select window_start, window_end, region, service, j['verdict'] as verdict, j['confidence'] as confidence, \
             {}, {}, {}, {}, {}, {}, j['judged_by'] as judged_by, '{judge}' as judge, \
             cast({version} as bigint) as lake_version \
             from (select region, service, window_start, window_end, {judgement} as j from regression_features) \
             where j['verdict'] is not null order by region, window_start, service",
            share("BENIGN", "benign"),
            share("PERFORMANCE_REGRESSION", "performance_regression"),
            share("ENVIRONMENT_REGRESSION", "environment_regression"),
            factor(1),
            factor(2),
            factor(3),
        );
        let rows = run.rows(&sql).await?;
        let window = run.params().window()?;
        let (from, to) = (format_timestamp(window.from()), format_timestamp(window.to()));
        let app_id = format!("tars-score:{judge}:{from}:{to}");
        let done = Transaction { app_id, version: i64::try_from(version).unwrap_or(i64::MAX) };
        Ok(Predictions { rows, done })
    }

    /// Keeps them in the lake.
    ///
    /// The same judge scores the same lake once. When the lake has gained rows since, the window is scored again;
    /// `lake_version` tells the newer rows.
    pub async fn keep(self, lake: &Lake) -> Result<Predicted, Error> {
        match append(lake, TABLE, self.rows, self.done).await {
            Ok(rows) => Ok(Predicted::Kept(rows)),
            Err(crate::pipeline::Error::Lake(lake::Error::AlreadyCommitted { .. })) => Ok(Predicted::Known),
            Err(error) => Err(error.into()),
        }
    }
}
