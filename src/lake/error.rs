//! What can go wrong with a lake, and what to do about it.

use std::error::Error as StdError;

use super::cloud::NoCredentials;
use crate::contract;

/// The result of a lake operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kept a lake operation from working.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that is neither a usable path nor a usable URL.
    #[error("lake `{got}`: expected a path or a URL such as s3://bucket/lake, got {reason}")]
    Url {
        /// The text.
        got: String,
        /// What is wrong with it.
        reason: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The environment says too little, or something wrong, about an object store.
    #[error("{subject}: expected {expected}, got {got}")]
    Environment {
        /// The variable or the place.
        subject: String,
        /// What is needed.
        expected: String,
        /// What there is; never a secret.
        got: String,
        /// What to do.
        remedy: String,
    },
    /// There is nothing at that place.
    #[error("lake `{place}`: expected a directory, got nothing there")]
    Missing {
        /// The place.
        place: String,
    },
    /// The place is a file.
    #[error("lake `{place}`: expected a directory, got a file")]
    NotADirectory {
        /// The place.
        place: String,
    },
    /// The place holds none of the lake's tables.
    #[error("lake `{place}`: expected at least one table (such as logs/_delta_log), got none")]
    NoTables {
        /// The place.
        place: String,
    },
    /// The operating system or the object store refuses.
    #[error("lake `{place}`: permission denied")]
    Permission {
        /// The place.
        place: String,
        /// The refusal.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The place cannot be read or written for another reason.
    #[error("lake `{place}`: cannot {doing}")]
    Store {
        /// The place.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A table that no contract describes.
    #[error(transparent)]
    Contract(#[from] contract::Error),
    /// The transaction log cannot be read or written.
    #[error("table `{table}`: cannot {doing}")]
    Log {
        /// The table.
        table: String,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The transaction log says something that this reader cannot take.
    #[error("table `{table}`, file `{file}`: expected {expected}, got {got}")]
    Entry {
        /// The table.
        table: String,
        /// The file that the log lists.
        file: String,
        /// What the log should say.
        expected: String,
        /// What it says.
        got: String,
    },
    /// The stored table is not the table of the contract.
    #[error("table `{table}`, column `{column}`: expected {expected}, got {got} in the lake")]
    Schema {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What the contract asks for.
        expected: String,
        /// What the stored table has.
        got: String,
    },
    /// The stored table needs a reader that knows more of the format.
    #[error(
        "table `{table}`: expected a table that plain Parquet readers can read, got the feature {feature}"
    )]
    Feature {
        /// The table.
        table: String,
        /// The feature.
        feature: String,
    },
    /// A version that the table does not have.
    #[error("table `{table}`: expected a version up to {latest}, got {got}")]
    Version {
        /// The table.
        table: String,
        /// The version asked for.
        got: u64,
        /// The newest one.
        latest: u64,
    },
    /// A batch that may not be written as it is.
    #[error("table `{table}`, {place}: expected {expected}, got {got}")]
    Batch {
        /// The table.
        table: String,
        /// The column or row.
        place: String,
        /// What a batch has to be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// A batch that cannot be encoded as Parquet.
    #[error("table `{table}`: cannot encode a Parquet file")]
    Parquet {
        /// The table.
        table: String,
        /// The cause.
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// Somebody else landed the same source meanwhile (or this is a replay). Nothing of this commit is visible.
    #[error(
        "table `{table}`: `{app_id}` is already recorded up to {recorded}; expected to record {got} after reading its state"
    )]
    AlreadyCommitted {
        /// The table.
        table: String,
        /// The application id.
        app_id: String,
        /// The version that the table records now.
        recorded: i64,
        /// The version that this commit wanted to record.
        got: i64,
    },
    /// Files of an older version were deleted.
    #[error(
        "table `{table}`: expected every file of version {version}, got {} deleted by a vacuum: {}",
        files.len(), shown(files)
    )]
    FilesGone {
        /// The table.
        table: String,
        /// The version.
        version: u64,
        /// Their paths.
        files: Vec<String>,
    },
    /// A table that the lake does not hold.
    #[error("table `{table}`: expected it in the lake, got no such table there")]
    NoTable {
        /// The table.
        table: String,
    },
    /// A commit that the log does not hold any more.
    #[error("table `{table}`: expected version {version} in its log, got a gap there")]
    LogGap {
        /// The table.
        table: String,
        /// The version.
        version: u64,
    },
    /// A time before everything that the log still holds.
    #[error(
        "table `{table}`: expected a time that its log reaches back to (version {first}, {since}), got {got}"
    )]
    TooEarly {
        /// The table.
        table: String,
        /// The time asked for.
        got: String,
        /// The oldest version that the log holds.
        first: u64,
        /// When it was committed.
        since: String,
    },
    /// Something is to be written to a view of the past.
    #[error("table `{table}`: expected the lake as it is now to write to, got a view of its past")]
    Past {
        /// The table.
        table: String,
    },
    /// A name that no pin can have.
    #[error("pin: expected a name of 1 to 100 letters, digits, `.`, `_` and `-`, got {got:?}")]
    PinName {
        /// The name.
        got: String,
    },
    /// There is a pin of that name.
    #[error("pin `{name}`: expected a new name, got one that is taken")]
    PinExists {
        /// The name.
        name: String,
    },
    /// There is no pin of that name.
    #[error("pin `{name}`: expected a pin of the lake, got none of that name")]
    NoPin {
        /// The name.
        name: String,
    },
    /// A file of the lake that is not what its folder is for.
    #[error("lake file `{file}`: expected what tars wrote there, got something else")]
    PinFile {
        /// The file.
        file: String,
    },
    /// A point in time that none is.
    #[error("as of: expected a time, TABLE=VERSION, a version or the name of a pin, got `{got}`")]
    AsOf {
        /// The text.
        got: String,
    },
    /// A bare version for a lake of several tables.
    #[error("as of: expected TABLE=VERSION, because the lake holds several tables ({tables}), got {version}")]
    AsOfWhich {
        /// The version.
        version: u64,
        /// The tables.
        tables: String,
    },
    /// Somebody else holds a lock.
    #[error(
        "the lake {place} is locked for `{name}` by {holder}; it showed life at {written}, and its lease is {lease_seconds} s"
    )]
    Locked {
        /// The lake.
        place: String,
        /// What is locked.
        name: String,
        /// Who holds it.
        holder: String,
        /// When it was last written.
        written: String,
        /// How long after that it counts as dead.
        lease_seconds: u64,
    },
    /// Somebody else does the same work.
    #[error("replay {number}: expected to be the only one at work, got another one that was faster")]
    NumberTaken {
        /// The number.
        number: i64,
    },
    /// Other writers kept winning.
    #[error("table `{table}`: other writers were faster {attempts} times in a row")]
    Contended {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: usize,
        /// The last conflict.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// What the user can do, where there is something.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Error::Missing { place } | Error::NoTables { place } => format!(
                "fill it with `tars ingest --lake {place} PATH`, try `tars demo`, or name another lake with --lake"
            ),
            Error::NotADirectory { .. } => "name the directory of the lake with --lake, not a file in it".into(),
            Error::Permission { place, .. } if place.contains("://") => {
                "check the credentials in the environment and the rights on the bucket".into()
            }
            Error::Permission { place, .. } => {
                format!("give this user read and write access to `{place}` and everything below it")
            }
            Error::Url { .. } => {
                "write a path, file:///path, s3://bucket/path, gs://bucket/path or az://container/path; \
                 credentials come from the environment"
                    .into()
            }
            Error::Environment { remedy, .. } => format!("{remedy}; all variables are in docs/sources.md"),
            Error::Schema { .. } => {
                "the lake was written under another contract: use the version of tars that wrote it, or ingest \
                 into a new lake"
                    .into()
            }
            Error::Feature { .. } => {
                "another tool changed the table; rewrite it there without deletion vectors and column mapping".into()
            }
            Error::AlreadyCommitted { .. } => {
                "read what the lake records about this source and go on from there; running the same command \
                 again does that"
                    .into()
            }
            Error::FilesGone { .. } => {
                "name a newer version (`tars lake history` lists them); `tars lake pin` keeps versions from a vacuum".into()
            }
            Error::NoTable { .. } => "`tars lake status` lists the tables".into(),
            Error::TooEarly { first, .. } => format!("name a later time, or version {first}"),
            Error::Past { .. } => "leave --as-of out".into(),
            Error::PinExists { name } => format!("take another name, or `tars lake unpin {name}` first"),
            Error::NoPin { .. } => "`tars lake pins` lists them".into(),
            Error::PinFile { .. } => "restore the file from a copy, or delete it".into(),
            Error::AsOf { .. } | Error::AsOfWhich { .. } => {
                "such as --as-of 2025-01-15T13:00:00Z, --as-of logs=12 or --as-of NAME of a pin (`tars lake pins`)".into()
            }
            Error::Locked { .. } => {
                "wait until it is done; a lock that shows no life for the length of its lease is taken over, and \
                 --break-lock takes it away at once if its holder is surely gone"
                    .into()
            }
            Error::NumberTaken { .. } => "run the command again: what is left then is replayed".into(),
            Error::Contended { .. } => "run fewer writers on one table, or run the command again".into(),
            Error::Contract(_)
            | Error::Store { .. }
            | Error::Log { .. }
            | Error::Entry { .. }
            | Error::Version { .. }
            | Error::Batch { .. }
            | Error::PinName { .. }
            | Error::LogGap { .. }
            | Error::Parquet { .. } => return None,
        };
        Some(text)
    }
}

/// The first of many names.
fn shown(files: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = files.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if files.len() > SHOWN {
        text.push_str(", ...");
    }
    text
}

/// How a store's client tells the answers 401 and 403.
const REFUSALS: [&str; 2] = ["status code: 401", "status code: 403"];

/// Whether a refusal of the operating system or of the object store is somewhere in the chain of causes.
pub(super) fn is_permission(error: &(dyn StdError + 'static)) -> bool {
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(e) = link {
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            if io.kind() == std::io::ErrorKind::PermissionDenied {
                return true;
            }
            // `io::Error::source` skips the error it wraps when that one has no source itself.
            if let Some(inner) = io.get_ref()
                && is_permission(inner)
            {
                return true;
            }
        }
        match e.downcast_ref::<object_store::Error>() {
            Some(
                object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. },
            ) => return true,
            // Of a listing that was refused only the text says so.
            Some(object_store::Error::Generic { source, .. }) => {
                let text = source.to_string();
                if REFUSALS.iter().any(|refusal| text.contains(refusal)) {
                    return true;
                }
            }
            _ => {}
        }
        link = e.source();
    }
    false
}

impl Error {
    /// What a variable, or the environment as a whole, lacks.
    pub(super) fn environment(
        subject: &str,
        expected: &str,
        got: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Error::Environment {
            subject: subject.to_owned(),
            expected: expected.to_owned(),
            got: got.into(),
            remedy: remedy.into(),
        }
    }

    /// The lack of credentials, if that is what a failure at `place` comes from.
    pub(crate) fn credentials(place: &str, error: &(dyn StdError + 'static)) -> Option<Self> {
        let missing = NoCredentials::within(error)?;
        Some(Error::environment(place, missing.expected, missing.got.clone(), missing.remedy))
    }

    /// Wraps a failure of the store at `place`, telling refusals from other failures.
    pub(super) fn store(
        place: impl Into<String>,
        doing: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let (place, source) = (place.into(), source.into());
        if let Some(missing) = Error::credentials(&place, source.as_ref()) {
            missing
        } else if is_permission(source.as_ref()) {
            Error::Permission { place, source }
        } else {
            Error::Store { place, doing, source }
        }
    }

    /// Wraps a failure of a table's log at `place`.
    pub(super) fn log(
        table: &str,
        place: &str,
        doing: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        if let Some(missing) = Error::credentials(place, source.as_ref()) {
            missing
        } else if is_permission(source.as_ref()) {
            Error::Permission { place: place.to_owned(), source }
        } else {
            Error::Log { table: table.to_owned(), doing, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_recognised_through_its_wrappings() {
        let io = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let store = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(io) };
        assert!(matches!(Error::store("/x", "list it", store), Error::Permission { .. }));
        let other = object_store::Error::Generic { store: "s3", source: "broken pipe".into() };
        assert!(matches!(Error::store("/x", "list it", other), Error::Store { .. }));
    }

    #[test]
    fn a_missing_lake_says_how_to_get_one() {
        let hint = Error::Missing { place: "./lake".into() }.hint().unwrap();
        assert!(hint.contains("tars ingest --lake ./lake PATH") && hint.contains("tars demo"), "{hint}");
    }
}
