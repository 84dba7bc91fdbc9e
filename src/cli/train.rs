//! `tars train`: a classifier from labelled incidents.

use std::path::PathBuf;

use super::Global;
use super::labelled::Labelled;
use super::output::write_whole;
use crate::error::Error;
use crate::functions::RuleSet;
use crate::score::{Options, Progress, train};

/// Train the regression classifier on labelled incidents, and report on it.
///
/// Figures come from cross-validation in which whole incidents, and whole hours without one, are held out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars train --incidents labels.ndjson --out model.txt
  tars train --from 2025-01-13T00:00:00Z --to 2025-01-16T00:00:00Z   with the incidents of the lake
  tars train --incidents labels.ndjson --interval 60 --report report.json")]
pub(super) struct Train {
    #[command(flatten)]
    labelled: Labelled,
    /// Where the model goes
    #[arg(long, default_value = "tars-model.txt", value_name = "FILE")]
    out: PathBuf,
    /// Where the report goes as JSON, besides standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// A verdict less probable than this is UNCERTAIN
    #[arg(long, default_value_t = 0.5, value_name = "SHARE", value_parser = share)]
    min_confidence: f64,
    /// The most rounds of boosting
    #[arg(long, default_value_t = 400, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// The most folds of the cross-validation
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: u32,
    /// Seed of the training
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("expected a number from 0 to 1, got `{text}`")),
    }
}

fn tell(global: &Global, progress: Progress) {
    match progress {
        Progress::Fold { number, of, best_round, log_loss } => global
            .note(format_args!("fold {number} of {of}: log loss {log_loss:.4} after {best_round} rounds")),
        Progress::Whole { rounds } => global.note(format_args!("all windows: {rounds} rounds")),
    }
}

impl Train {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The report is the result of the command.
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let (frame, lake_versions) = self.labelled.frame(global, &lake, &settings).await?;
        let options = Options {
            rounds: self.rounds as usize,
            folds: self.folds as usize,
            min_confidence: self.min_confidence,
            seed: self.seed,
            interval_seconds: i64::from(self.labelled.interval),
            lake_versions,
        };
        let rules = RuleSet::try_from(&settings).map_err(crate::engine::Error::from)?;
        let trained =
            tokio::task::block_in_place(|| train(&frame, &rules, &options, &mut |at| tell(global, at)))?;
        write_whole(&self.out, trained.model.to_text().as_bytes())?;
        if let Some(path) = &self.report {
            let json = serde_json::to_string_pretty(&trained.report).expect("figures and words are JSON");
            write_whole(path, format!("{json}\n").as_bytes())?;
        }
        print!("{}", trained.report.to_markdown());
        global.note(format_args!("model: {}", self.out.display()));
        Ok(())
    }
}
