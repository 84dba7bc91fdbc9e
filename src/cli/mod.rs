//! The command line: one file per verb. Data goes to stdout; progress, notes and errors to stderr.

mod certify;
mod baseline;
mod charts;
mod check;
mod changes;
mod compare;
mod demo;
mod drift;
mod escape;
mod ingest;
mod kpi;
mod key;
mod labelled;
mod lake;
mod model;
mod nightly;
mod notify;
mod output;
mod rejects;
mod pull;
mod record;
mod regions;
mod report;
mod retrospective;
mod results;
mod rows;
mod runs;
mod score;
mod simulate;
mod slo;
mod span;
mod sql;
mod train;
mod verify;
mod workspace;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::domain::ByteSize;
use crate::error::Error;

/// Where the lake lies when nothing says otherwise.
pub(crate) const DEFAULT_LAKE: &str = "./lake";

/// Embedded analytics for production telemetry.
///
/// Logs, spans and metrics land as Parquet in a Delta lake; SLOs, drift, regions and regressions are SQL
/// models over it; reports come out.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  tars demo                              simulate a day, ingest it, report on it
  tars ingest logs/*.json.gz traces.jsonl
  tars pull cloudwatch --group /aws/lambda/checkout --region us-east-1
  tars nightly --date 2025-01-15         bring the models up to date and write the day's report
  tars sql -c 'select * from slo_violations limit 10'
  tars sql -c \"select count(*) from 'export.csv'\"

`tars help COMMAND` explains a command. Exit codes are listed in docs/exit-codes.md."
)]
pub struct Args {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// The lake: a directory, or a URL such as s3://bucket/lake
    #[arg(long, global = true, value_name = "PATH|URL", default_value = DEFAULT_LAKE, env = "TARS_LAKE")]
    lake: String,
    /// Settings; without it ./tars.toml if there is one, else the defaults
    #[arg(long, global = true, value_name = "FILE", env = "TARS_CONFIG")]
    config: Option<PathBuf>,
    /// Memory to use before spilling to disk, such as 512MiB [default: half of the machine's]
    #[arg(long, global = true, value_name = "SIZE", env = "TARS_MEMORY_LIMIT")]
    memory_limit: Option<ByteSize>,
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", env = "TARS_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Read the lake as it was: a time, TABLE=VERSION (several times), or the name of a pin
    #[arg(long, global = true, value_name = "TIME|TABLE=VERSION|PIN")]
    as_of: Vec<String>,
    /// The model that judges windows, or `default` for the one that comes with the program [default: the rules of the
    /// settings judge]
    #[arg(long, global = true, value_name = "FILE", env = "TARS_MODEL")]
    model: Option<PathBuf>,
    /// Say on stderr which models and queries took longest
    #[arg(long, global = true, conflicts_with = "quiet")]
    timings: bool,
    /// Say nothing but errors and results
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Certify(certify::Certify),
    Changes(changes::Changes),
    Compare(compare::Compare),
    Baseline(baseline::Baseline),
    Demo(demo::Demo),
    Drift(drift::Drift),
    Ingest(ingest::Ingest),
    Kpi(kpi::Kpi),
    Key(key::Key),
    Lake(lake::LakeVerb),
    Model(model::Model),
    Nightly(nightly::Nightly),
    Notify(notify::Notify),
    Rejects(rejects::Rejects),
    Pull(pull::Pull),
    Record(record::Record),
    Regions(regions::Regions),
    Report(report::Report),
    Retrospective(retrospective::Retrospective),
    Runs(runs::Runs),
    Slo(slo::SloCommand),
    Score(score::Score),
    Sql(sql::Sql),
    Simulate(simulate::Simulate),
    Train(train::Train),
    Verify(verify::Verify),
}

/// Stack of each thread that runs queries.
const STACK_BYTES: usize = 8 << 20;

impl Args {
    /// Runs the command.
    pub fn run(self) -> Result<(), Error> {
        output::end_with_the_reader();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.global.threads())
            // Planning recurses over models that read each other; the main thread has as much.
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|e| Error::Usage { message: format!("cannot start threads: {e}"), hint: None })?;
        let outcome = runtime.block_on(async {
            match self.command {
                Command::Check(verb) => verb.run(&self.global).await,
                Command::Certify(verb) => verb.run(&self.global).await,
                Command::Changes(verb) => verb.run(&self.global).await,
                Command::Compare(verb) => verb.run(&self.global).await,
                Command::Demo(verb) => verb.run(&self.global).await,
                Command::Baseline(verb) => verb.run(&self.global).await,
                Command::Regions(verb) => verb.run(&self.global).await,
                Command::Drift(verb) => verb.run(&self.global).await,
                Command::Kpi(verb) => verb.run(&self.global).await,
                Command::Ingest(verb) => verb.run(&self.global).await,
                Command::Key(verb) => verb.run(),
                Command::Lake(verb) => verb.run(&self.global).await,
                Command::Model(verb) => verb.run(&self.global).await,
                Command::Nightly(verb) => verb.run(&self.global).await,
                Command::Notify(verb) => verb.run(&self.global).await,
                Command::Rejects(verb) => verb.run(&self.global).await,
                Command::Pull(verb) => verb.run(&self.global).await,
                Command::Record(verb) => verb.run(&self.global).await,
                Command::Report(verb) => verb.run(&self.global).await,
                Command::Retrospective(verb) => verb.run(&self.global).await,
                Command::Runs(verb) => verb.run(&self.global).await,
                Command::Slo(verb) => verb.run(&self.global).await,
                Command::Score(verb) => verb.run(&self.global).await,
                Command::Sql(verb) => verb.run(&self.global).await,
                Command::Simulate(verb) => verb.run(&self.global),
                Command::Train(verb) => verb.run(&self.global).await,
                Command::Verify(verb) => verb.run(&self.global).await,
            }
        });
        // What a command that failed has left behind, such as a table half opened, ends with the runtime. A thread
        // that waits for it panics then, which says nothing about the command: its outcome is known.
        std::panic::set_hook(Box::new(|_| ()));
        drop(runtime);
        outcome
    }
}
