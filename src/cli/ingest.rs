//! `tars ingest`: telemetry into the lake.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use super::Global;
use super::escape::{beginning, printable};
use super::output::{Unit, progress_bar, thousands};
use super::span::Span;
use crate::domain::ByteSize;
use crate::error::Error;
use crate::ingest::{
    self, BadFeed, CsvLayout, FieldMapping, Follow, Format, HeaderRow, Limits, Options, Progress, Step,
    Summary,
};
use crate::lake::Lake;
use crate::settings::{CsvFiles, Settings};

/// Land logs, spans, metrics and the rest in the lake, exactly once.
///
/// Takes files, folders, globs, objects of a store (s3://, gs://, az://, https://) and standard input (-); plain,
/// gzip or zstd. The format of each source is told from its content. A record that cannot land is kept in the table
/// `rejects` with its reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars ingest /var/log/app/*.json.gz traces.otlp.jsonl
  tars ingest --region eu-central-1 exports/
  tars ingest --table incidents labels.ndjson
  tars ingest --dry-run exports/                   formats, tables and rejects, but nothing lands
  tars ingest --max-reject-ratio 0.05 exports/     fail loudly when more than 5 % is rejected
  tars ingest 's3://logs/prod/2025/01/15/*.gz'
  tars ingest --follow '/var/log/app/*.log'
  kubectl logs -f deploy/checkout | tars ingest --source-id checkout-1 --flush-interval 5s -

Running the same command again lands nothing twice; a file that grew lands its new part. Field names
and units that are not known are mapped in tars.toml ([[mapping]]).")]
pub(super) struct Ingest {
    /// Paths, globs, folders, URLs of objects, prefixes or globs in a store, or - for standard input
    #[arg(required = true, value_name = "PATH|URL")]
    inputs: Vec<String>,
    /// Table that ndjson records are for [default: told from each record]
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// How the sources are to be read, see docs/formats.md: ndjson, logfmt, cloudwatch, cloudwatch-export,
    /// cloudwatch-csv, cloudwatch-insights, gcp, otlp, docker, cri, k8s-audit, nginx, alb, cloudfront, vpc-flow,
    /// cloudtrail, jaeger, zipkin, prometheus, csv [default: told from the content and the name]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Region of records that name none [default: unknown]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Name of what comes by standard input, so that it lands once however often it is sent
    #[arg(long, value_name = "NAME")]
    source_id: Option<String>,
    /// Fail with exit code 7 when a larger share of the new records is rejected, such as 0.05
    #[arg(long, value_name = "SHARE")]
    max_reject_ratio: Option<f64>,
    /// What becomes of the good records then: nothing lands before the end (discard), or all as they come (keep)
    #[arg(long, value_name = "keep|discard", default_value = "discard", requires = "max_reject_ratio")]
    on_bad_feed: OnBadFeed,
    /// Read everything, write nothing: say what would land and what would be rejected, with examples
    #[arg(long, conflicts_with = "follow")]
    dry_run: bool,
    /// Go on with what is added to the files, through rotation, until stopped
    #[arg(long)]
    follow: bool,
    /// With --follow: end when nothing has come for that long
    #[arg(long, value_name = "TIME", requires = "follow")]
    until_idle: Option<Span>,
    /// How long rows may wait for their commit with --follow (5s), or when standard input is slow; records of standard
    /// input are lines then
    #[arg(long, value_name = "TIME")]
    flush_interval: Option<Span>,
}

/// The spelling of [`BadFeed`] on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OnBadFeed {
    Keep,
    Discard,
}

impl Ingest {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        global.only_present("tars ingest")?;
        let settings = global.settings()?;
        let options = Options {
            table: self.table,
            format: self.format.map(|name| name.parse::<Format>()).transpose()?,
            region: self.region,
            source_id: self.source_id,
            mappings: mappings(&settings),
            flush_interval: self.flush_interval.map(|span| span.0),
            limits: limits(&settings),
            csv: settings.csv.iter().map(csv_layout).collect(),
            max_reject_ratio: self.max_reject_ratio,
            on_bad_feed: match self.on_bad_feed {
                OnBadFeed::Keep => BadFeed::Keep,
                OnBadFeed::Discard => BadFeed::Discard,
            },
            dry_run: self.dry_run,
            ..Options::default()
        };
        // What is wrong with the request is said before a lake is made for it.
        options.check()?;
        let follow =
            self.follow.then(|| Follow { until_idle: self.until_idle.map(|s| s.0), ..Follow::default() });
        if follow.is_none() {
            ingest::check_inputs(&self.inputs)?;
        }
        let lake = match self.dry_run {
            true => Lake::maybe(&global.lake)?,
            false => Lake::create(&global.lake).await?,
        };
        ingest_into(global, &lake, &self.inputs, options, follow).await
    }
}

fn csv_layout(files: &CsvFiles) -> CsvLayout {
    let pair = |text: &String| {
        let (column, value) = text.split_once('=').unwrap_or((text, ""));
        (column.trim().to_owned(), value.trim().to_owned())
    };
    // What is no single byte is refused by the check of the layout, as a quote is.
    let byte = |text: &str| match text {
        "\\t" | "tab" => b'\t',
        text => text.bytes().next().filter(|_| text.len() == 1).unwrap_or(b'"'),
    };
    CsvLayout {
        files: files.files.clone(),
        table: files.table.clone(),
        delimiter: files.delimiter.as_deref().map(byte),
        header: files.header.iter().map(|row| HeaderRow::of(row)).collect(),
        time: files.time.clone(),
        time_format: files.time_format.clone(),
        time_zone: files.time_zone.clone(),
        wide: files.wide,
        pattern: files.pattern.clone(),
        set: files.set.iter().map(pair).collect(),
    }
}

/// The limits of the settings as ingest takes them.
pub(super) fn limits(settings: &Settings) -> Limits {
    let limits = &settings.ingest;
    Limits {
        record: usize::try_from(limits.max_record_bytes).unwrap_or(usize::MAX),
        nesting: usize::try_from(limits.max_nesting).unwrap_or(usize::MAX),
        unpacked: limits.max_unpacked_bytes,
    }
}

/// The mappings of the settings as ingest takes them.
pub(super) fn mappings(settings: &Settings) -> Vec<FieldMapping> {
    let mapping = |mapping: &crate::settings::FieldMapping| FieldMapping {
        table: Some(mapping.table.clone()),
        from: mapping.from.clone(),
        to: mapping.to.clone(),
        unit: mapping.unit.clone(),
    };
    settings.mappings.iter().map(mapping).collect()
}

/// Told by Ctrl-C or SIGTERM that it is time to end.
pub(super) struct Stop {
    flag: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Stop {
    pub(super) fn on_signal(global: &Global) -> Stop {
        let flag = Arc::new(AtomicBool::new(false));
        let (cancel, quiet) = (flag.clone(), global.quiet);
        let task = tokio::spawn(async move {
            while signalled().await {
                if cancel.swap(true, Ordering::Relaxed) {
                    // A second one does not wait: commits are atomic, so nothing can be half done.
                    std::process::exit(130);
                }
                if !quiet {
                    super::output::note("stopping after what is in flight; once more stops at once");
                }
            }
        });
        Stop { flag, task }
    }

    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        self.flag.clone()
    }

    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Waits, but no longer than it takes to be stopped.
    pub(super) async fn wait(&self, time: std::time::Duration) {
        let until = std::time::Instant::now() + time;
        while !self.is_set() && std::time::Instant::now() < until {
            let left = until.saturating_duration_since(std::time::Instant::now());
            tokio::time::sleep(left.min(std::time::Duration::from_millis(100))).await;
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for Ctrl-C, or for what a service manager sends; `false` when neither can be heard.
async fn signalled() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            heard = tokio::signal::ctrl_c() => heard.is_ok(),
            heard = terminate.recv() => heard.is_some(),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}

/// Ingests with a progress bar, stops cleanly on Ctrl-C, and prints the account.
pub(super) async fn ingest_into(
    global: &Global,
    lake: &Lake,
    inputs: &[String],
    options: Options,
    follow: Option<Follow>,
) -> Result<(), Error> {
    let stop = Stop::on_signal(global);
    let ratio = options.max_reject_ratio;
    let options = Options {
        memory_limit: usize::try_from(global.memory_limit()).unwrap_or(usize::MAX),
        threads: global.threads(),
        cancel: Some(stop.flag()),
        ..options
    };
    let bar = progress(global);
    let result = match follow {
        Some(how) => ingest::follow(lake, inputs, &options, how, &bar).await,
        None => ingest::ingest(lake, inputs, &options, &bar).await,
    };
    bar.finish();
    let summary = result?;
    print(&summary);
    if let Some(ratio) = ratio.filter(|_| summary.bad_feed) {
        let (new, rejected) = (summary.landed + summary.rejected, summary.rejected);
        return Err(Error::BadFeed { new, rejected, ratio, discarded: summary.discarded });
    }
    // Being stopped is how following ends.
    if summary.cancelled && follow.is_none() { Err(Error::Interrupted) } else { damage(&summary) }
}

/// A bar over bytes.
pub(super) fn progress(global: &Global) -> Bar {
    Bar(progress_bar(Some(0), Unit::Bytes, global.quiet))
}

/// A damaged source (a cut gzip file, say) is a failure, even though what came before the damage landed.
fn damage(summary: &Summary) -> Result<(), Error> {
    let damaged: Vec<_> = summary
        .damaged()
        .map(|s| format!("{}: {}", s.name, s.damage.as_deref().unwrap_or_default()))
        .collect();
    if damaged.is_empty() { Ok(()) } else { Err(Error::Damaged { sources: damaged.join("; ") }) }
}

pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn step(&self, step: Step<'_>) {
        match step.total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_position(step.bytes);
        if self.0.message() != step.source {
            self.0.set_message(step.source.to_owned());
        }
    }
}

/// The account on stdout: by source, by table, and what a user should know about it.
pub(super) fn print(summary: &Summary) {
    #![allow(clippy::print_stdout)] // The result of the command.
    let widest = summary.sources.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).max(5);
    println!(
        "{:<widest$}  {:<19}  {:>12}  {:>12}  {:>10}  {:>14}",
        "source", "format", "read", "landed", "rejected", "already landed"
    );
    let line = |name: &str, format: &str, counts: [u64; 4]| {
        let [read, landed, rejected, already] = counts.map(thousands);
        println!("{name:<widest$}  {format:<19}  {read:>12}  {landed:>12}  {rejected:>10}  {already:>14}");
    };
    for s in &summary.sources {
        line(&s.name, s.format, [s.read, s.landed, s.rejected, s.already_landed]);
    }
    if summary.sources.len() > 1 {
        line("total", "", [summary.read, summary.landed, summary.rejected, summary.already_landed]);
    }
    if summary.discarded {
        println!("nothing landed: the counts say what would have");
    }
    for (table, t) in summary.tables.iter().filter(|(_, t)| t.rows > 0) {
        if summary.discarded {
            println!("{table}: {} rows", thousands(t.rows));
            continue;
        }
        println!(
            "{table}: {} rows in {} files, {}",
            thousands(t.rows),
            thousands(t.files),
            ByteSize(t.bytes)
        );
    }
    for (code, count) in &summary.reasons {
        println!("rejected as {code}: {}", thousands(*count));
        for example in summary.examples.iter().filter(|example| example.code == *code) {
            let (source, offset) = &example.place;
            let source = printable(source);
            println!("  {source} at byte {offset}: {}", printable(&example.reason));
            println!("    {}", beginning(&example.original));
        }
    }
    if summary.landed > summary.regions_from_record() + summary.unknown_region {
        println!(
            "regions: {} rows by the record, {} by the path, {} by --region, {} unknown",
            thousands(summary.regions_from_record()),
            thousands(summary.regions_from_path),
            thousands(summary.regions_from_option),
            thousands(summary.unknown_region)
        );
    }
    if summary.control_messages > 0 {
        println!(
            "{} control messages: no records of their own (CloudWatch's, or audit events of unfinished requests)",
            thousands(summary.control_messages)
        );
    }
    if summary.unknown_region > 0 {
        println!("{} rows name no region; --region gives them one", thousands(summary.unknown_region));
    }
    if summary.unfit_values > 0 {
        println!(
            "{} values did not fit their column and are in the attributes",
            thousands(summary.unfit_values)
        );
    }
    if summary.unitless_values > 0 {
        println!(
            "{} times or durations have no unit and are in the attributes; a [[mapping]] in tars.toml gives one",
            thousands(summary.unitless_values)
        );
    }
    let skipped = summary.sources.iter().filter(|s| s.skipped).count();
    if skipped > 0 {
        println!("{skipped} objects have landed in this very version and were not fetched again");
    }
    for source in summary.sources.iter().filter(|s| s.changed) {
        println!(
            "{} is not what landed under that name before: it landed anew, beside the old rows",
            source.name
        );
    }
    for source in summary.sources.iter().filter(|s| s.unidentified) {
        println!("{}: sent again, it lands again; --source-id NAME prevents that", source.name);
    }
}
