//! `tars pull`: log events and samples from the APIs that hold them.

use clap::Subcommand;

use super::Global;
use super::ingest::{Stop, limits, mappings, print, progress};
use super::output::note;
use super::span::Span;
use super::workspace::instant;
use crate::error::Error;
use crate::ingest::{self, Clock, Options, Pull as Request, Summary, SystemClock, Target};
use crate::lake::Lake;
use crate::settings::Settings;

/// Pull logs and metrics from CloudWatch, Google Cloud Logging or Prometheus, exactly once.
///
/// A pull covers a stretch of time, by default from where the last one ended to a minute ago. The lake remembers how
/// far each group, project and query is, so that the same command goes on from there, however it ended.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars pull cloudwatch --group /aws/lambda/checkout --region us-east-1 --region eu-central-1
  tars pull gcp --project shop-prod --filter 'severity >= WARNING' --from 2025-01-15T00:00:00Z
  tars pull prometheus --url http://prometheus:9090 --every 1m

Credentials come from the environment alone; docs/sources.md lists the variables, the quotas behind the
default rates, and what happens to events that arrive late.")]
pub(super) struct Pull {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// CloudWatch Logs, by FilterLogEvents
    #[command(after_help = "\
Examples:
  tars pull cloudwatch --group /aws/lambda/checkout --region us-east-1
  tars pull cloudwatch --group /ecs/api --group /ecs/worker --region us-east-1 --filter '?ERROR ?WARN'
  tars pull cloudwatch --group /ecs/api --from 2025-01-15T00:00:00Z --to 2025-01-16T00:00:00Z

Credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; else web identity, container or
instance role. They need logs:FilterLogEvents.")]
    Cloudwatch {
        /// Log group, by name or ARN; give it again for more
        #[arg(long = "group", required = true, value_name = "GROUP")]
        groups: Vec<String>,
        /// Region; give it again for more [default: AWS_REGION, AWS_DEFAULT_REGION]
        #[arg(long = "region", value_name = "REGION")]
        regions: Vec<String>,
        /// Filter pattern of CloudWatch Logs
        #[arg(long, value_name = "PATTERN")]
        filter: Option<String>,
        /// Only log streams whose names begin so
        #[arg(long, value_name = "PREFIX")]
        stream_prefix: Option<String>,
        /// Address of the service [default: AWS_ENDPOINT_URL_LOGS, AWS_ENDPOINT_URL, else the region's]
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Google Cloud Logging, by entries.list
    #[command(after_help = "\
Examples:
  tars pull gcp --project shop-prod
  tars pull gcp --project shop-prod --filter 'resource.type=\"k8s_container\" AND severity>=ERROR'
  tars pull gcp --resource organizations/1234 --records-per-minute 50000

Credentials: GOOGLE_OAUTH_ACCESS_TOKEN; else GOOGLE_APPLICATION_CREDENTIALS, the application default of
gcloud, or the metadata server. They need the role roles/logging.viewer.")]
    Gcp {
        /// Project; give it again for more
        #[arg(long = "project", value_name = "PROJECT")]
        projects: Vec<String>,
        /// Another resource name: a folder, organization, billing account or log view
        #[arg(long = "resource", value_name = "NAME")]
        resources: Vec<String>,
        /// Filter in the Logging query language
        #[arg(long, value_name = "FILTER")]
        filter: Option<String>,
        /// Address of the service
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// Region of entries that name none [default: unknown]
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Prometheus, by query_range for the queries of the settings
    #[command(after_help = "\
Examples:
  tars pull prometheus --url http://prometheus:9090
  tars pull prometheus --url https://thanos.example --group redis --group database --step 5m
  tars pull prometheus --url http://prometheus:9090 --query cpu_utilization --region us-east-1

The queries are [[prometheus_query]] in the settings; --list shows them. Credentials: PROMETHEUS_TOKEN, or
PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD.")]
    Prometheus {
        /// Address of the server
        #[arg(long, value_name = "URL", required_unless_present = "list", env = "PROMETHEUS_URL")]
        url: Option<String>,
        /// Only the query of that name; give it again for more
        #[arg(long = "query", value_name = "NAME")]
        queries: Vec<String>,
        /// Only the queries of that group; give it again for more
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Time between two points
        #[arg(long, value_name = "TIME", default_value = "1m")]
        step: Span,
        /// Region of samples without such a label [default: unknown]
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        /// Print the queries instead of sending them
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        common: Common,
    },
}

/// What every pull takes.
#[derive(Debug, clap::Args)]
struct Common {
    /// Start, such as 2025-01-15T00:00:00Z [default: where the last pull ended; the first time an hour before the end]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// End, not part of it [default: --lag ago]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How long events may take to arrive before their time counts as over
    #[arg(long, value_name = "TIME", default_value = "1m")]
    lag: Span,
    /// How far behind its position a pull looks again for log events that came later than that
    #[arg(long, value_name = "TIME", default_value = "5m")]
    overlap: Span,
    /// Requests per second [default: the documented quota]
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Records per minute, such as 50000 [default: as many as come]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    records_per_minute: Option<u32>,
    /// How often a request is repeated that was throttled or failed in passing
    #[arg(long, value_name = "N", default_value_t = 8)]
    retries: u32,
    /// How long rows may wait for their commit
    #[arg(long, value_name = "TIME", default_value = "30s")]
    flush_interval: Span,
    /// Pull again and again, this long after each end, until stopped
    #[arg(long, value_name = "TIME", conflicts_with = "to")]
    every: Option<Span>,
    /// Tells apart what has the same names elsewhere, such as two accounts
    #[arg(long, value_name = "NAME")]
    source_id: Option<String>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

impl Pull {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let settings = global.settings()?;
        let (target, region, common) = match self.from {
            From::Cloudwatch { groups, mut regions, filter, stream_prefix, endpoint, common } => {
                if regions.is_empty() {
                    regions.extend(variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")));
                }
                let endpoint = endpoint
                    .or_else(|| variable("AWS_ENDPOINT_URL_LOGS"))
                    .or_else(|| variable("AWS_ENDPOINT_URL"));
                (Target::Cloudwatch { groups, regions, stream_prefix, filter, endpoint }, None, common)
            }
            From::Gcp { projects, mut resources, filter, endpoint, region, common } => {
                resources.extend(projects.iter().map(|project| format!("projects/{project}")));
                (Target::Gcp { resources, filter, endpoint }, region, common)
            }
            From::Prometheus { url, queries, groups, step, region, list, common } => {
                let queries = chosen(&settings, &queries, &groups)?;
                if list {
                    return show(&queries);
                }
                let url = url.unwrap_or_default();
                (Target::Prometheus { url, queries, step: step.0 }, region, common)
            }
        };
        let time = |name, text: &Option<String>| text.as_deref().map(|t| instant(name, t)).transpose();
        let request = Request {
            from: time("from", &common.from)?,
            to: time("to", &common.to)?,
            lag: common.lag.0,
            overlap: common.overlap.0,
            requests_per_second: common.rate,
            records_per_minute: common.records_per_minute,
            retries: common.retries,
            // Clients that start together must not retry together.
            seed: SystemClock.now().as_nanos() as u64 ^ u64::from(std::process::id()) << 32,
            ..Request::new(target)
        };
        let stop = Stop::on_signal(global);
        let options = Options {
            region,
            source_id: common.source_id,
            mappings: mappings(&settings),
            limits: limits(&settings),
            memory_limit: usize::try_from(global.memory_limit()).unwrap_or(usize::MAX),
            threads: global.threads(),
            cancel: Some(stop.flag()),
            flush_interval: Some(common.flush_interval.0),
            ..Options::default()
        };
        let lake = Lake::create(&global.lake).await?;
        let Some(every) = common.every else {
            let summary = round(global, &lake, &request, &options).await?;
            print(&summary);
            return if summary.cancelled { Err(Error::Interrupted) } else { unreached(&summary) };
        };
        // Only the first round needs the start; from then on the lake knows.
        let mut request = request;
        while !stop.is_set() {
            let summary = round(global, &lake, &request, &options).await?;
            if summary.read > 0 {
                print(&summary);
            }
            if let Err(e) = unreached(&summary) {
                note(format_args!("{e}; trying again in {every}"));
            }
            request.from = None;
            stop.wait(every.0).await;
        }
        Ok(())
    }
}

async fn round(global: &Global, lake: &Lake, request: &Request, options: &Options) -> Result<Summary, Error> {
    let bar = progress(global);
    let result = ingest::pull(lake, request, options, &bar).await;
    bar.finish();
    Ok(result?)
}

/// What could not be pulled to its end is a failure, though the rest landed.
fn unreached(summary: &Summary) -> Result<(), Error> {
    let told: Vec<_> = summary
        .damaged()
        .map(|s| format!("{}: {}", s.name, s.damage.as_deref().unwrap_or_default()))
        .collect();
    if told.is_empty() { Ok(()) } else { Err(Error::Unreached { sources: told.join("; ") }) }
}

/// The queries asked for, by name and by group; all without either.
fn chosen(settings: &Settings, names: &[String], groups: &[String]) -> Result<Vec<(String, String)>, Error> {
    let all = &settings.prometheus_queries;
    let unknown = |what: &str, got: &str, known: Vec<&str>| Error::Usage {
        message: format!("--{what}: expected one of the settings' [[prometheus_query]], got `{got}`"),
        hint: Some(format!("known: {}", known.join(", "))),
    };
    if let Some(name) = names.iter().find(|n| !all.iter().any(|q| q.name == **n)) {
        return Err(unknown("query", name, all.iter().map(|q| q.name.as_str()).collect()));
    }
    if let Some(group) = groups.iter().find(|g| !all.iter().any(|q| q.group == **g)) {
        let mut known: Vec<&str> = all.iter().map(|q| q.group.as_str()).collect();
        known.dedup();
        return Err(unknown("group", group, known));
    }
    let every = names.is_empty() && groups.is_empty();
    let wanted = all.iter().filter(|q| every || names.contains(&q.name) || groups.contains(&q.group));
    Ok(wanted.map(|q| (q.name.clone(), q.query.clone())).collect())
}

fn show(queries: &[(String, String)]) -> Result<(), Error> {
    #![allow(clippy::print_stdout)] // The result of the command.
    for (name, query) in queries {
        println!("{name} = {query}");
    }
    Ok(())
}
