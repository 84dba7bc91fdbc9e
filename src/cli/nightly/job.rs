//! One run of the job: step after step, with what the run log and the list of files know of them.

use std::path::Path;
use std::time::Instant;

use tokio::sync::OnceCell;

use super::steps::{Step, Work};
use super::{Profile, Written};
use crate::certify::PrivateKey;
use crate::cli::Global;
use crate::cli::output::{thousands, write_whole};
use crate::cli::workspace::{now, open_run, refresh};
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp};
use crate::engine::Params;
use crate::error::Error;
use crate::lake::Lake;
use crate::nightly::{Journal, MANIFEST, Outputs, Record, Status, inputs_digest};
use crate::pipeline::Run;
use crate::report::Form;
use crate::settings::Settings;

/// What the steps work with.
pub(super) struct Job<'a> {
    pub(super) global: &'a Global,
    pub(super) lake: &'a Lake,
    pub(super) settings: &'a Settings,
    pub(super) profile: Profile,
    pub(super) params: Params,
    pub(super) baseline_note: String,
    /// Forms of the report.
    pub(super) forms: &'a [Form],
    /// What a certification package is signed with.
    pub(super) key: Option<&'a PrivateKey>,
    pub(super) out: &'a Path,
    pub(super) dry_run: bool,
    /// What the age of files counts back from, UTC microseconds.
    pub(super) now: i64,
    /// Opened by the first step that needs it: when all are skipped, nothing is computed.
    pub(super) run: OnceCell<Run>,
}

impl Job<'_> {
    /// The run of the window, with every model that several steps read held in memory.
    pub(super) async fn run(&self) -> Result<&Run, Error> {
        self.run.get_or_try_init(|| self.open(self.params.clone())).await
    }

    /// A run, with its models held.
    pub(super) async fn open(&self, params: Params) -> Result<Run, Error> {
        let run = open_run(self.global, self.lake, self.settings, params).await?;
        let note = |model: &str, rows: usize| {
            self.global.note(format_args!("  {model}: {} rows", thousands(rows as u64)));
        };
        run.hold(note).await?;
        Ok(run)
    }

    /// The window in a file name: `2025-01-15`, or from and to.
    pub(super) fn label(&self, window: TimeRange) -> String {
        let date = |micros: i64| format_timestamp(micros)[..10].to_owned();
        let minute = |micros: i64| format_timestamp(micros)[..16].replace(':', "");
        let (from, to) = (window.from(), window.to());
        match from % MICROS_PER_DAY == 0 && to % MICROS_PER_DAY == 0 {
            true if window.micros() == MICROS_PER_DAY => date(from),
            true => format!("{}-to-{}", date(from), date(to - 1)),
            false => format!("{}-to-{}", minute(from), minute(to)),
        }
    }

    /// All steps of the profile. The first that fails ends the run; the same command goes on from there.
    pub(super) async fn execute(&self) -> Result<Written, Error> {
        let start = Instant::now();
        let window = self.params.window()?;
        self.global.note(format_args!("window {window}, compared with {}", self.baseline_note));
        let mut progress = Progress {
            journal: Journal::new(self.lake.present(), self.profile.as_str(), window, now(None)?),
            outputs: Outputs::load(self.out)?,
            inputs: String::new(),
            written: Written {
                headline: format!("{} run of {window}", self.profile.as_str()),
                files: Vec::new(),
            },
        };
        let steps = Step::of(self.profile, self.baseline_note == super::GA_NOTE);
        for (i, step) in steps.iter().enumerate() {
            let place = format!("[{}/{}] {}", i + 1, steps.len(), step.name());
            self.step(*step, &place, &mut progress).await?;
        }
        self.global.note(format_args!("done in {:.1} s", start.elapsed().as_secs_f64()));
        Ok(progress.written)
    }

    /// What the results follow from.
    async fn inputs(&self) -> Result<String, Error> {
        let judge = self.global.judge()?;
        let parameters: Vec<String> =
            self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let others = [
            parameters.join("\n"),
            self.settings.digest(),
            judge,
            self.baseline_note.clone(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ];
        Ok(inputs_digest(self.lake, &others.each_ref().map(String::as_str)).await?)
    }

    async fn step(&self, step: Step, place: &str, progress: &mut Progress) -> Result<(), Error> {
        let clock = Instant::now();
        let window_to = self.params.window()?.to();
        let key = format!("{}/{}", self.profile.as_str(), step.name());
        let mut record = Record {
            started_at: now(None)?,
            step: step.name().to_owned(),
            status: Status::Done,
            seconds: 0.0,
            rows: None,
            inputs: progress.inputs.clone(),
            outputs: step.configuration(self),
            detail: None,
        };
        let known = match step.writes_files() {
            true => progress.outputs.intact(&key, window_to),
            false => record.outputs.clone(),
        };
        if let Some(known) = known
            && progress.journal.is_done(step.name(), &progress.inputs, &known).await?
        {
            self.global.note(format_args!("{place}: skipped, it was made from the same inputs before"));
            record.status = Status::Skipped;
            record.outputs = Some(known);
            record.seconds = clock.elapsed().as_secs_f64();
            progress.written.files.extend(progress.outputs.paths(&key, window_to));
            return Ok(progress.journal.add(&record).await?);
        }
        self.global.note(format_args!("{place} ..."));
        let work = match step.run(self, progress).await {
            Ok(work) => work,
            Err(error) => {
                record.status = Status::Failed;
                record.seconds = clock.elapsed().as_secs_f64();
                record.inputs = if progress.inputs.is_empty() { "unknown".to_owned() } else { record.inputs };
                record.detail = Some(error.to_string());
                // The step's own failure is what counts, even where it cannot be logged.
                let _ = progress.journal.add(&record).await;
                return Err(error);
            }
        };
        if step == Step::Rollups {
            progress.inputs = self.inputs().await?;
        }
        record.inputs = progress.inputs.clone();
        self.keep(&key, window_to, work, &mut record, progress)?;
        record.seconds = clock.elapsed().as_secs_f64();
        progress.journal.add(&record).await?;
        let rows = record.rows.map_or(String::new(), |n| format!(" {} rows,", thousands(n.unsigned_abs())));
        self.global.note(format_args!("{place}:{rows} {:.1} s", record.seconds));
        Ok(())
    }

    /// Takes note of what a step wrote.
    fn keep(
        &self,
        key: &str,
        window_to: i64,
        work: Work,
        record: &mut Record,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        (record.rows, record.detail) = (work.rows, work.detail);
        if let Some(headline) = work.headline {
            progress.written.headline = headline;
        }
        if let Some(kind) = work.kind {
            record.outputs = Some(progress.outputs.record(key, kind, window_to, self.now, &work.files)?);
            self.save(progress)?;
            progress.written.files.extend(work.shown.unwrap_or(work.files));
        }
        Ok(())
    }

    /// Writes the list of files.
    pub(super) fn save(&self, progress: &Progress) -> Result<(), Error> {
        write_whole(&self.out.join(MANIFEST), progress.outputs.to_json().as_bytes())
    }

    /// Brings the rollups up to date; gives the rows of the tables then built from others.
    pub(super) async fn refresh(&self) -> Result<(), Error> {
        refresh(self.global, self.lake, self.settings).await
    }
}

/// How far a run has come.
pub(super) struct Progress {
    pub(super) journal: Journal,
    pub(super) outputs: Outputs,
    /// Known once the rollups are up to date.
    pub(super) inputs: String,
    pub(super) written: Written,
}
