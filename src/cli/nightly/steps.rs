//! The steps: which belong to a profile, in the order in which they depend on each other, and what each does.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::job::{Job, Progress};
use super::{Order, Profile, write_report};
use crate::artifact::{Artifact, checks, kpi, websocket};
use crate::certify;
use crate::cli::certify::write_package;
use crate::cli::drift::{write_checks, write_documents};
use crate::cli::notify::deliver;
use crate::cli::output::write_whole;
use crate::cli::slo::told;
use crate::domain::{MICROS_PER_DAY, TimeRange};
use crate::engine::Params;
use crate::error::Error;
use crate::nightly::{Kind, Retrospective, combined, rows_as_json};
use crate::notify::Message;
use crate::pipeline::Run;
use crate::report::Period;

/// A step of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Tables of partial aggregates, brought up to date.
    Rollups,
    /// Key figures of every interval.
    Kpis,
    /// Compliance and violations.
    Slos,
    /// Drift checks of every interval.
    Drift,
    /// WebSocket health.
    WebSocket,
    /// Checks and criteria.
    Validation,
    /// The certification package.
    Package,
    /// The report.
    Report,
    /// How the days since general availability went.
    Retrospective,
    /// Messages.
    Notifications,
    /// Old files away.
    Retention,
}

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) rows: Option<i64>,
    /// What the files are; `None` for a step that writes none.
    pub(super) kind: Option<Kind>,
    pub(super) files: Vec<PathBuf>,
    /// What people are told instead of all the files.
    pub(super) shown: Option<Vec<PathBuf>>,
    pub(super) detail: Option<String>,
    pub(super) headline: Option<String>,
}

const OVERVIEW: &str = "select * from slo_overview order by slo";
const VIOLATIONS: &str = "select slo, type, region, service, {route}severity, started_at, ended_at, windows, samples, worst, \
    target, threshold, sentence from slo_episodes where kind = 'violation' \
    order by started_at, slo, region, service, route";
const CHECKS: &str = "select suite, check, area, title, level, verdict, observed, comparison, threshold, unit, samples, \
    detail, sql from validation_checks order by suite, rank, check";
const CRITERIA: &str = "select criterion, title, level, verdict, observed, comparison, threshold, unit, samples, detail, \
    sql from criteria_results order by rank, criterion";

/// Days that a retrospective looks back on.
const RETROSPECTIVE_DAYS: i64 = 7;

impl Step {
    /// The steps of a profile.
    pub(super) fn of(profile: Profile, after_ga: bool) -> Vec<Step> {
        let mut steps = vec![Step::Rollups];
        if profile == Profile::Ga {
            steps.extend([
                Step::Kpis,
                Step::Slos,
                Step::Drift,
                Step::WebSocket,
                Step::Validation,
                Step::Package,
            ]);
        }
        steps.push(Step::Report);
        if after_ga {
            steps.push(Step::Retrospective);
        }
        steps.extend([Step::Notifications, Step::Retention]);
        steps
    }

    /// The name in the run log.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Step::Rollups => "rollups",
            Step::Kpis => "kpis",
            Step::Slos => "slos",
            Step::Drift => "drift",
            Step::WebSocket => "websocket",
            Step::Validation => "validation",
            Step::Package => "package",
            Step::Report => "report",
            Step::Retrospective => "retrospective",
            Step::Notifications => "notifications",
            Step::Retention => "retention",
        }
    }

    /// Whether its files tell if it has to run again.
    pub(super) const fn writes_files(self) -> bool {
        !matches!(self, Step::Rollups | Step::Notifications | Step::Retention)
    }

    /// Of a step without files, what stands for its outputs, where it need not be repeated.
    pub(super) fn configuration(self, job: &Job<'_>) -> Option<String> {
        let receivers = job.settings.notifications.iter().map(|to| (to.name.as_str(), to.severity.as_str()));
        (self == Step::Notifications && !job.dry_run).then(|| combined(receivers))
    }

    pub(super) async fn run(self, job: &Job<'_>, progress: &mut Progress) -> Result<Work, Error> {
        let folder = job.out.join(format!("{}-{}", job.profile.as_str(), job.label(job.params.window()?)));
        match self {
            Step::Rollups => job.refresh().await.map(|()| Work::default()),
            Step::Kpis => documents(&folder.join("kpis"), kpi::collect(job.run().await?).await?),
            Step::Slos => slos(job, &folder.join("slos")).await,
            Step::Drift => {
                let folder = folder.join("drift");
                let (_, names) = write_checks(job.run().await?, &folder).await?;
                Ok(folder_of(&folder, &names))
            }
            Step::WebSocket => {
                documents(&folder.join("websocket"), vec![websocket::health(job.run().await?).await?])
            }
            Step::Validation => validation(job.run().await?, &folder.join("validation")).await,
            Step::Package => package(job, &folder).await,
            Step::Report => report(job).await,
            Step::Retrospective => retrospective(job).await,
            Step::Notifications => notifications(job, progress).await,
            Step::Retention => retention(job, progress),
        }
    }
}

/// Documents as a folder that appears whole or not at all.
fn documents(folder: &Path, documents: Vec<Artifact>) -> Result<Work, Error> {
    write_documents(folder, &documents)?;
    Ok(folder_of(folder, &documents.into_iter().map(|d| d.name).collect::<Vec<_>>()))
}

/// A folder of documents that has been written.
fn folder_of(folder: &Path, names: &[String]) -> Work {
    Work {
        rows: i64::try_from(names.len()).ok(),
        kind: Some(Kind::Snapshot),
        files: names.iter().map(|name| folder.join(name)).collect(),
        shown: Some(vec![folder.to_owned()]),
        ..Work::default()
    }
}

fn json_document(name: &str, value: &Value) -> Artifact {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    Artifact::text(name, text)
}

async fn slos(job: &Job<'_>, folder: &Path) -> Result<Work, Error> {
    let run = job.run().await?;
    let overview = rows_as_json(run, OVERVIEW).await?;
    let violations = rows_as_json(run, &told(VIOLATIONS, job.settings)).await?;
    let rows = i64::try_from(overview.len() + violations.len()).ok();
    let made = [
        json_document("slo_compliance.json", &json!({ "slos": overview })),
        json_document("slo_violations.json", &json!({ "violations": violations })),
    ];
    Ok(Work { rows, kind: Some(Kind::Report), ..documents(folder, made.into())? })
}

async fn validation(run: &Run, folder: &Path) -> Result<Work, Error> {
    run.hold_only(&checks::HELD).await?;
    let found = rows_as_json(run, CHECKS).await?;
    let criteria = rows_as_json(run, CRITERIA).await?;
    let rows = i64::try_from(found.len() + criteria.len()).ok();
    let made = json_document("validation_results.json", &json!({ "checks": found, "criteria": criteria }));
    Ok(Work { rows, kind: Some(Kind::Report), ..documents(folder, vec![made])? })
}

/// What is missing is printed as `no data` there, and fails the criterion that needs it.
async fn package(job: &Job<'_>, folder: &Path) -> Result<Work, Error> {
    let request = certify::Request {
        settings: job.settings,
        judge: job.global.judge()?,
        baseline_choice: job.baseline_note.clone(),
        template: None,
        allow_missing: true,
        generated_at: None,
        is_last: false,
    };
    let content = certify::Content::build(job.run().await?, &request).await?;
    let files = content.seal(job.key)?;
    write_package(folder, &files)?;
    let package = folder.join(certify::FOLDER);
    Ok(Work {
        rows: i64::try_from(content.outcome.criteria.len()).ok(),
        kind: Some(Kind::Package),
        files: files.keys().map(|name| package.join(name)).chain([folder.join(certify::ARCHIVE)]).collect(),
        shown: Some(vec![package.clone(), folder.join(certify::ARCHIVE)]),
        detail: Some(format!("{}: {}", content.outcome.status, content.outcome.reason)),
        ..Work::default()
    })
}

async fn report(job: &Job<'_>) -> Result<Work, Error> {
    let period = if job.profile == Profile::Weekly { Period::Weekly } else { Period::Daily };
    let order = Order { period, forms: job.forms, out: job.out };
    let written = write_report(job.run().await?, order, &job.baseline_note).await?;
    Ok(Work {
        rows: i64::try_from(written.files.len()).ok(),
        kind: Some(Kind::Report),
        files: written.files,
        headline: Some(written.headline),
        ..Work::default()
    })
}

/// The days since general availability, seven at most, against it.
async fn retrospective(job: &Job<'_>) -> Result<Work, Error> {
    let (window, baseline) = (job.params.window()?, job.params.baseline()?);
    let from = (window.to() - RETROSPECTIVE_DAYS * MICROS_PER_DAY).max(baseline.to()).min(window.from());
    let days = TimeRange::new(from, window.to())?;
    let own;
    let run = if days == window {
        job.run().await?
    } else {
        own = job.open(Params::new(days, baseline)).await?;
        &own
    };
    let made = Retrospective::of(run, &job.baseline_note).await?;
    let stem = job.out.join(format!("retrospective-{}", job.label(days)));
    let mut files = Vec::new();
    for (extension, text) in [("md", made.to_markdown()), ("json", made.to_json())] {
        let file = stem.with_added_extension(extension);
        write_whole(&file, text.as_bytes())?;
        files.push(file);
    }
    Ok(Work { rows: Some(2), kind: Some(Kind::Report), files, ..Work::default() })
}

async fn notifications(job: &Job<'_>, progress: &Progress) -> Result<Work, Error> {
    let receivers = &job.settings.notifications;
    if receivers.is_empty() {
        return Ok(Work { detail: Some("no [[notification]] in the settings".into()), ..Work::default() });
    }
    let messages = Message::of_run(job.run().await?).await?;
    let inputs = (!job.dry_run).then_some(progress.inputs.as_str());
    let sent =
        deliver(job.global, receivers, &messages, inputs.map(|inputs| (&progress.journal, inputs))).await?;
    Ok(Work { rows: i64::try_from(sent).ok(), ..Work::default() })
}

fn retention(job: &Job<'_>, progress: &mut Progress) -> Result<Work, Error> {
    let expired = progress.outputs.expired(&job.settings.artifacts, job.now);
    if job.dry_run {
        for path in &expired {
            job.global.note(format_args!("  would remove {}", job.out.join(path).display()));
        }
        return Ok(Work { rows: Some(0), detail: Some("dry run".into()), ..Work::default() });
    }
    let removed = progress.outputs.remove(&expired);
    // What is gone is off the list, even when something else could not be removed.
    if !expired.is_empty() {
        job.save(progress)?;
    }
    let removed = removed?;
    for path in &removed {
        job.global.note(format_args!("  removed {}", job.out.join(path).display()));
    }
    Ok(Work { rows: i64::try_from(removed.len()).ok(), ..Work::default() })
}
