//! Why a package cannot be made or read.

use std::path::PathBuf;

use crate::{artifact, engine, pipeline, report};

/// Why a package cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template does not fit.
    #[error("template: {}", listed(.problems))]
    Template {
        /// Everything that is wrong, with its line.
        problems: Vec<String>,
    },
    /// There is no data for some of what the package says.
    #[error("no data for {} of what the package says:{}", .missing.len(), bulleted(.missing))]
    Missing {
        /// Each with the query that gives it.
        missing: Vec<String>,
    },
    /// A document of the package cannot be made.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// A query of the report failed, or a page cannot be set.
    #[error(transparent)]
    Report(#[from] report::Error),
    /// A model failed.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// No random numbers for a new key.
    #[error("a key cannot be made: the operating system gives no random numbers: {reason}")]
    Random {
        /// What the system says.
        reason: String,
    },
    /// A key cannot be written as text.
    #[error("a key cannot be written as PEM: {reason}")]
    Encode {
        /// Why.
        reason: String,
    },
    /// A text that holds no key of a known kind. What it holds is never shown.
    #[error("expected an Ed25519 or ECDSA P-256 {what} as {form}, got something else")]
    Key {
        /// `private key` or `public key`.
        what: &'static str,
        /// How it is written.
        form: &'static str,
    },
    /// A signature that does not hold.
    #[error("signature: {reason}")]
    Envelope {
        /// What was expected and found.
        reason: String,
    },
    /// An archive that cannot be used.
    #[error("archive {reason}")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// A package whose metadata cannot be read.
    #[error("certification_metadata.json: {reason}")]
    Metadata {
        /// What was expected and found.
        reason: String,
    },
    /// A package that cannot be read from the disk.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Template { .. } => {
                Some("`tars certify --list-placeholders` shows what can stand between {{ and }}".into())
            }
            Error::Missing { .. } => Some(
                "ingest the telemetry that these need, or leave them out of the template; with --allow-missing they \
                 are printed as `no data`, and a criterion without data does not pass"
                    .into(),
            ),
            Error::Artifact(e) => e.hint(),
            Error::Report(e) => e.hint(),
            Error::Pipeline(e) => e.hint(),
            Error::Engine(e) => e.hint(),
            Error::Key { what: "private key", .. } => Some("`tars key generate --out FILE` makes one".into()),
            Error::Key { .. } => {
                Some("`tars key generate` writes it as FILE.pub; `openssl pkey -in FILE -pubout` prints it".into())
            }
            Error::Archive { .. } => Some("fetch the archive again from where it came".into()),
            Error::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Some(
                "name the folder of a package or its archive, as `tars certify --out DIR` wrote it: \
                 DIR/ga_certification_package.tar.gz"
                    .into(),
            ),
            Error::Random { .. }
            | Error::Encode { .. }
            | Error::Envelope { .. }
            | Error::Metadata { .. }
            | Error::Read { .. } => None,
        }
    }
}

fn listed(problems: &[String]) -> String {
    if let [one] = problems { one.clone() } else { bulleted(problems) }
}

fn bulleted(items: &[String]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}
