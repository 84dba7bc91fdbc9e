//! `tars.toml`: objectives, drift limits, regions, rules, metric roles, costs and field mappings.
//!
//! The defaults are embedded ([`DEFAULTS`], a commented document that can be copied); a user's file changes
//! entries of it. Settings reach SQL as tables ([`Settings::tables`]), so nothing that a user may tune is a
//! constant in a query. Every error names the key, what stands there, what is expected and what to do.

mod alerts;
mod budget;
mod burn;
mod composite;
mod certification;
mod change;
mod decode;
mod evidence;
mod load;
mod model;
mod nightly;
mod platform;
mod read;
mod recording;
pub mod openslo;
mod predicate;
mod slo;
mod tables;
mod units;

pub use alerts::AlertRule;
pub use budget::{Budget, Correction, Period};
pub use burn::{BurnLimit, BurnTier};
pub use certification::Certification;
pub use change::Change;
pub use composite::{Composite, Part};
pub use evidence::{DriftEvidence, Mitigation, Season};
pub use load::{DEFAULT_QUERIES, DEFAULTS};
pub use model::{
    Cost, CsvFiles, Detection, Direction, DriftCheck, FieldMapping, Health, Ingest, MetricRole,
    PrometheusQuery, Recommendation, Regions, Retention, Rule, Settings, Slo, Upkeep,
};
pub use nightly::{Artifacts, Ga, Notification, ROLLBACK_SIGNALS, RollbackSignal};
pub use platform::{Criterion, Platform};
pub use predicate::Predicate;
pub use read::Problem;
pub use recording::RecordingRule;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the settings file `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("settings file `{path}`: expected TOML, got text that does not parse")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An OpenSLO file is not YAML.
    #[error("OpenSLO file `{path}`: expected YAML, got text that does not parse: {reason}")]
    Yaml {
        /// The file.
        path: String,
        /// Where and why.
        reason: String,
    },
    /// Values that are not what they must be.
    #[error("settings file `{path}`: {}", listed(.problems))]
    Invalid {
        /// The file.
        path: String,
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
    /// A settings table cannot be built.
    #[error("settings table `{table}`")]
    Table {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        source: arrow::error::ArrowError,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Read { .. } => Some(
                "check the path and its permissions, or leave --config or --slo-file out to use the defaults"
                    .into(),
            ),
            Error::Yaml { .. } => {
                Some("an OpenSLO file holds YAML documents with apiVersion: openslo/v1".into())
            }
            Error::Syntax { .. } => {
                Some("compare with the commented defaults in src/settings/defaults.toml".into())
            }
            Error::Invalid { problems, .. } => {
                let several = problems.len() > 1;
                let remedies: Vec<String> = problems
                    .iter()
                    .filter_map(|p| {
                        let remedy = p.remedy.as_ref()?;
                        Some(if several { format!("{}: {remedy}", p.key) } else { remedy.clone() })
                    })
                    .collect();
                (!remedies.is_empty()).then(|| remedies.join("\n"))
            }
            Error::Table { .. } => None,
        }
    }
}

fn listed(problems: &[Problem]) -> String {
    let separator = if problems.len() > 1 { "\n  " } else { "" };
    problems.iter().map(|p| format!("{separator}{p}")).collect()
}

#[cfg(test)]
mod tests;
