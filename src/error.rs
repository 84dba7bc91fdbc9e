//! Every way in which a command can fail, and the exit code that says so to a script.

use std::path::PathBuf;

use crate::{
    artifact, certify, contract, domain, engine, gbm, ingest, lake, nightly, notify, pipeline, report, score,
    settings, shell, simulate,
};

/// The failure of a command.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // Each variant wraps the error of the module that it is named after.
pub enum Error {
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error(transparent)]
    Time(#[from] domain::TimeError),
    #[error(transparent)]
    Contract(#[from] contract::Error),
    #[error(transparent)]
    Settings(#[from] settings::Error),
    #[error(transparent)]
    Lake(#[from] lake::Error),
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    #[error(transparent)]
    Report(#[from] report::Error),
    #[error(transparent)]
    Certify(#[from] certify::Error),
    #[error("{reason}")]
    NotCertified { reason: String },
    #[error("{reason}")]
    Inconclusive { reason: String },
    #[error("{findings}")]
    Unverified { findings: String },
    #[error(transparent)]
    Simulate(#[from] simulate::Error),
    #[error(transparent)]
    Shell(#[from] shell::Error),
    #[error(transparent)]
    Gbm(#[from] gbm::Error),
    #[error("model `{}`: {source}", path.display())]
    Model { path: PathBuf, source: gbm::Error },
    #[error(transparent)]
    Score(#[from] score::Error),
    #[error(transparent)]
    Nightly(#[from] nightly::Error),
    #[error(transparent)]
    Notify(#[from] notify::Error),
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{message}")]
    Unmet { message: String },
    #[error("checks that did not pass: {failed}")]
    Checks { failed: String },
    #[error("{message}")]
    Differs { message: String },
    #[error("{count} drifts of status {limit} or worse")]
    Drifted { count: i64, limit: String },
    #[error("damaged input: {sources}")]
    Damaged { sources: String },
    #[error("bad feed: {rejected} of {new} new records ({:.2} %) were rejected, expected at most {:.2} %; {}",
        *rejected as f64 / *new as f64 * 100.0, ratio * 100.0,
        if *discarded { "nothing of it landed" } else { "what was good landed" })]
    BadFeed { new: u64, rejected: u64, ratio: f64, discarded: bool },
    #[error("not pulled to the end: {sources}")]
    Unreached { sources: String },
    #[error("stopped; what was committed stays, and the same command goes on from there")]
    Interrupted,
}

impl Error {
    /// The code that the process exits with. `docs/exit-codes.md` documents them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Write { .. } | Error::Report(_) | Error::Simulate(_) => 1,
            Error::Usage { .. } | Error::Time(_) | Error::Contract(_) => 2,
            Error::Ingest(e) => match e {
                ingest::Error::UnknownTable { .. }
                | ingest::Error::UnknownFormat { .. }
                | ingest::Error::Region { .. }
                | ingest::Error::SourceId
                | ingest::Error::Ratio { .. }
                | ingest::Error::NoInput
                | ingest::Error::Url { .. }
                | ingest::Error::Pull { .. }
                | ingest::Error::NotFollowed { .. }
                | ingest::Error::StdinTwice { .. } => 2,
                ingest::Error::Missing { .. }
                | ingest::Error::Empty { .. }
                | ingest::Error::Glob { .. }
                | ingest::Error::Read { .. }
                | ingest::Error::Environment(_)
                | ingest::Error::Store { .. }
                | ingest::Error::NotAFile { .. } => 3,
                ingest::Error::Lake { .. } => 4,
                ingest::Error::Mapping { .. } | ingest::Error::CsvLayout { .. } => 5,
                ingest::Error::Rejects { .. } => 6,
                ingest::Error::Columns { .. } | ingest::Error::Worker { .. } => 1,
            },
            Error::Artifact(artifact::Error::Interval { .. } | artifact::Error::Baseline { .. }) => 2,
            Error::Artifact(_) => 6,
            Error::Read { .. } | Error::Damaged { .. } | Error::Unreached { .. } => 3,
            Error::Notify(notify::Error::Secret { .. }) => 5,
            Error::Notify(notify::Error::Refused { .. }) => 10,
            Error::Notify(notify::Error::Model { .. }) => 6,
            Error::Nightly(nightly::Error::File { .. } | nightly::Error::Manifest { .. }) => 1,
            Error::Nightly(nightly::Error::Lake(_)) => 4,
            Error::Nightly(nightly::Error::Pipeline(_) | nightly::Error::Engine(_)) => 6,
            Error::Gbm(_)
            | Error::Model { .. }
            | Error::Score(score::Error::Gbm(_) | score::Error::Labels { .. }) => 9,
            Error::Score(score::Error::Frame(_)) => 1,
            Error::Score(score::Error::Incident { .. }) => 3,
            Error::Score(score::Error::Lake(_)) => 4,
            Error::Score(score::Error::Pipeline(_) | score::Error::Engine(_)) => 6,
            Error::Certify(e) => match e {
                certify::Error::Template { .. } => 2,
                certify::Error::Read { .. } | certify::Error::Key { .. } => 3,
                certify::Error::Artifact(_) | certify::Error::Pipeline(_) | certify::Error::Engine(_) => 6,
                certify::Error::Archive { .. }
                | certify::Error::Envelope { .. }
                | certify::Error::Metadata { .. } => 22,
                certify::Error::Missing { .. } => 23,
                certify::Error::Report(_) | certify::Error::Random { .. } | certify::Error::Encode { .. } => {
                    1
                }
            },
            Error::NotCertified { .. } => 20,
            Error::Inconclusive { .. } => 21,
            Error::Unverified { .. } => 22,
            Error::Lake(
                lake::Error::AsOf { .. }
                | lake::Error::AsOfWhich { .. }
                | lake::Error::PinName { .. }
                | lake::Error::Contract(_),
            ) => 2,
            Error::Lake(_) => 4,
            Error::Settings(_) => 5,
            Error::Engine(_) | Error::Pipeline(_) | Error::Shell(_) => 6,
            Error::BadFeed { .. } => 7,
            Error::Unmet { .. } | Error::Checks { .. } | Error::Differs { .. } | Error::Drifted { .. } => 8,
            Error::Interrupted => 130,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Usage { hint, .. } => hint.clone(),
            Error::Settings(e) => e.hint(),
            Error::Lake(e) => e.hint(),
            Error::Ingest(e) => e.hint(),
            Error::Engine(e) => e.hint(),
            Error::Pipeline(e) => e.hint(),
            Error::Artifact(e) => e.hint(),
            Error::Report(e) => e.hint(),
            Error::Certify(e) => e.hint(),
            Error::NotCertified { .. } => {
                Some("the package was written all the same; validation_results.html shows every criterion".into())
            }
            Error::Inconclusive { .. } => Some(
                "the package was written all the same; ingest what is missing, or lower min_coverage in [certification]"
                    .into(),
            ),
            Error::Unverified { .. } => {
                Some("do not rely on this package; fetch it again, or ask who signed it".into())
            }
            Error::Simulate(e) => e.hint(),
            Error::Shell(e) => e.hint(),
            Error::Gbm(e) | Error::Model { source: e, .. } => e.hint(),
            Error::Score(e) => e.hint(),
            Error::Nightly(e) => e.hint(),
            Error::Notify(e) => e.hint(),
            Error::Time(_)
            | Error::Contract(_)
            | Error::Write { .. }
            | Error::Interrupted => None,
            Error::Read { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => {
                    Some("correct the path; a relative one begins at the working directory".into())
                }
                std::io::ErrorKind::PermissionDenied => Some("let this user read it, or copy it".into()),
                _ => None,
            },
            Error::BadFeed { discarded: true, .. } => Some(
                "the reasons are listed above: correct the feed or add a [[mapping]] to tars.toml and run the command \
                 again; --on-bad-feed keep lands what is good and keeps the rest in `rejects`"
                    .into(),
            ),
            Error::BadFeed { discarded: false, .. } => Some(
                "`tars rejects` shows the reasons; after a correction of the mappings `tars rejects replay` lands them"
                    .into(),
            ),
            Error::Unreached { .. } => {
                Some("what came before has landed; the same command goes on from there".into())
            }
            Error::Unmet { .. } => {
                Some("tars slo violations, and tars slo budgets, show what went wrong".into())
            }
            Error::Checks { .. } => Some(
                "the column `detail` says what was seen, and `sql` (--format json) the query that shows it; \
                 thresholds are [[criterion]] entries of tars.toml"
                    .into(),
            ),
            Error::Differs { .. } => Some(
                "the rows above say by how much and how surely; docs/statistics.md explains the tests".into(),
            ),
            Error::Drifted { .. } => {
                Some("the analysis names the worst; `tars drift --out DIR` writes every check".into())
            }
            Error::Damaged { .. } => Some(
                "what came before the damage has landed; fetch the source again and repeat the command"
                    .into(),
            ),
        }
    }
}
