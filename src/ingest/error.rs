//! What can go wrong with ingest as a whole; what is wrong with one record goes to `rejects` instead.

use std::io;
use std::path::PathBuf;

/// Result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// Why ingest could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A table that takes no input.
    #[error("unknown table `{got}`; expected one of: {expected}")]
    UnknownTable {
        /// The name asked for.
        got: String,
        /// The names there are.
        expected: String,
        /// Whether it exists but is not a target of ingest.
        derived: bool,
    },
    /// A format that nobody reads.
    #[error("unknown format `{got}`; expected one of: {}", super::kinds::Format::names())]
    UnknownFormat {
        /// The name asked for.
        got: String,
    },
    /// A default region that cannot be one.
    #[error("region: expected a name of 1 to 64 characters without control characters, got {got:?}")]
    Region {
        /// The name asked for.
        got: String,
    },
    /// A source id without a character.
    #[error("source id: expected a name, got nothing")]
    SourceId,
    /// A field mapping that does not fit the tables.
    #[error("field mapping {} (`{from}`): expected {expected}, got {got}", position + 1)]
    Mapping {
        /// Which one, counted from 0.
        position: usize,
        /// Its path.
        from: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// A CSV layout that makes no sense.
    #[error("csv layout {} (`{files}`): expected {expected}, got {got}", position + 1)]
    CsvLayout {
        /// Which one, counted from 0.
        position: usize,
        /// The files that it is for.
        files: String,
        /// What must be.
        expected: String,
        /// What is.
        got: String,
    },
    /// Nothing to read was named.
    #[error("input: expected a path, a glob or `-`, got nothing")]
    NoInput,
    /// A path that is not there.
    #[error("input `{path}`: expected a file or a directory, got no such path")]
    Missing {
        /// The path.
        path: String,
    },
    /// A glob that matches nothing, or a directory with nothing to read in it.
    #[error("input `{path}`: expected {expected}, got none")]
    Empty {
        /// The glob or directory.
        path: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// A glob that is none.
    #[error(
        "input `{path}`: expected a glob such as `logs/*.json.gz`, got one that does not parse: {reason}"
    )]
    Glob {
        /// The glob.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or directory that may not or cannot be read.
    #[error("input `{}`: expected to read it, got: {source}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A URL that cannot be read from.
    #[error("input `{url}`: expected a URL such as s3://bucket/logs/*.gz, got {reason}")]
    Url {
        /// The URL, without what may be secret.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The environment says too little, or something wrong, about the store of an input.
    #[error(transparent)]
    Environment(Box<crate::lake::Error>),
    /// A store that does not give or list what was named.
    #[error("input `{url}`: its store refuses")]
    Store {
        /// The URL, without what may be secret.
        url: String,
        /// What the store said.
        #[source]
        source: Box<object_store::Error>,
    },
    /// Something that cannot be followed.
    #[error("input `{input}`: expected a file, a glob or a directory to follow, got {}", if input == "-" { "standard input" } else { "a URL" })]
    NotFollowed {
        /// The input.
        input: String,
    },
    /// An API cannot be asked, or an option of a pull makes no sense.
    #[error("pull: expected {expected}, got {got}")]
    Pull {
        /// What is needed.
        expected: String,
        /// What there is.
        got: String,
        /// What to do.
        remedy: Option<String>,
    },
    /// Something else than a file.
    #[error("input `{}`: expected a file, a directory or `-`, got {got}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        got: &'static str,
    },
    /// Standard input stands twice.
    #[error("input `-`: expected standard input once, got it {times} times")]
    StdinTwice {
        /// How often.
        times: usize,
    },
    /// Columns that do not make a batch: a fault of this program.
    #[error("table `{table}`: decoded columns do not fit the contract")]
    Columns {
        /// The table.
        table: &'static str,
        /// What Arrow said.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// The lake did not take the rows.
    #[error("table `{table}`: rows could not be landed")]
    Lake {
        /// The table.
        table: &'static str,
        /// What the lake said.
        #[source]
        source: crate::lake::Error,
    },
    /// The rejects cannot be read.
    #[error("table `rejects`: cannot read what was rejected")]
    Rejects {
        /// What the engine said.
        #[source]
        source: Box<datafusion::error::DataFusionError>,
    },
    /// A share that is none.
    #[error("largest share of rejects: expected a number from 0 to 1, got {got}")]
    Ratio {
        /// The number.
        got: f64,
    },
    /// A worker ended early: a fault of this program.
    #[error("ingest worker stopped: {reason}")]
    Worker {
        /// What it left.
        reason: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownTable { derived: true, .. } => {
                Some("the pipeline builds it from other tables; ingest into those".into())
            }
            Error::UnknownTable { .. } => Some("leave --table out to have it told from each record".into()),
            Error::UnknownFormat { .. } => Some("leave --format out to have it told from the content".into()),
            Error::Mapping { .. } => Some("correct the mapping in the settings file (tars.toml)".into()),
            Error::CsvLayout { .. } => Some("correct the [[csv]] entry in the settings file (tars.toml)".into()),
            Error::Missing { .. } => Some("check the spelling; quote a glob so that the shell leaves it alone".into()),
            Error::Empty { .. } => Some(
                "a directory is searched for .json, .jsonl, .ndjson, .log, .csv, .tsv and .txt, plain, .gz or .zst; name other files themselves"
                    .into(),
            ),
            Error::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("give yourself read permission on it, or name only files that you may read".into())
            }
            Error::Store { source, .. } => Some(match &**source {
                object_store::Error::NotFound { .. } => "check the bucket and the key".into(),
                _ => "credentials, region and endpoint come from the environment (AWS_*, GOOGLE_*, AZURE_*): docs/sources.md"
                    .to_owned(),
            }),
            Error::Environment(source) => source.hint(),
            Error::Pull { remedy, .. } => remedy.clone(),
            Error::NotFollowed { input } if input == "-" => {
                Some("standard input is followed by nature; --flush-interval says when its rows land".into())
            }
            Error::NotFollowed { .. } => Some("run the command again when the objects are there".into()),
            Error::Lake { source, .. } => source.hint(),
            _ => None,
        }
    }
}
