//! Live pulls: CloudWatch Logs, Google Cloud Logging and Prometheus into the lake.
//!
//! A pull covers a half-open stretch of time, and the lake remembers with every commit up to when everything has
//! landed. So the same command goes on where it ended, however it ended, and comes to the rows of one clean run.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Error, Result};
use super::land::{Lander, Settings};
use super::limit::{Clock, SystemClock};
use super::options::{Checked, Options};
use super::run::{flow, settings};
use super::source::identity_of;
use super::source::pull::{
    Api, CloudLogging, CloudwatchLogs, Credentials, Endpoint, GCP_ADDRESS, Limits, LogPull, Logs,
    PrometheusServer, QueryPull, cloudwatch_address, query_identity,
};
use super::stats::{Progress, Summary};
use crate::lake::Lake;

/// `FilterLogEvents`: 5 requests per second and account in a region, which AWS does not raise
/// (<https://repost.aws/knowledge-center/cloudwatch-logs-throttling>).
pub const CLOUDWATCH_REQUESTS_PER_SECOND: f64 = 5.0;
/// `entries.list`: 60 requests per minute and project (<https://cloud.google.com/logging/quotas>).
pub const GCP_REQUESTS_PER_SECOND: f64 = 1.0;
/// Prometheus has no quota; this leaves a server of one's own its breath.
pub const PROMETHEUS_REQUESTS_PER_SECOND: f64 = 5.0;
/// How far back a first pull without a start goes.
const FIRST: Duration = Duration::from_secs(3600);
/// How long rows wait for their commit, unless told otherwise.
const FLUSH_INTERVAL: Duration = Duration::from_secs(30);
/// The largest reply, as a share of the memory limit: its text, its tape and its rows must fit.
const REPLY_SHARE: usize = 16;
/// How long one request may take; Prometheus itself gives a query two minutes by default.
const TIMEOUT: Duration = Duration::from_secs(150);

/// What to ask.
#[derive(Debug, Clone)]
pub enum Target {
    /// CloudWatch Logs: every group in every region.
    Cloudwatch {
        /// Log groups, by name or ARN.
        groups: Vec<String>,
        /// Regions.
        regions: Vec<String>,
        /// Only log streams whose name begins so.
        stream_prefix: Option<String>,
        /// A filter pattern of CloudWatch Logs.
        filter: Option<String>,
        /// Where the service is; its own address in the region when `None`.
        endpoint: Option<String>,
    },
    /// Google Cloud Logging.
    Gcp {
        /// Resource names such as `projects/my-project`.
        resources: Vec<String>,
        /// A filter in the Logging query language.
        filter: Option<String>,
        /// Where the service is.
        endpoint: Option<String>,
    },
    /// Prometheus, or anything that speaks its HTTP API.
    Prometheus {
        /// Where the server is.
        url: String,
        /// Names and queries.
        queries: Vec<(String, String)>,
        /// Time between two points.
        step: Duration,
    },
}

/// A live pull.
#[derive(Debug, Clone)]
pub struct Pull {
    /// What to ask.
    pub target: Target,
    /// Start, in microseconds since the epoch; where the last pull ended when `None`, and an hour before the end the
    /// first time.
    pub from: Option<i64>,
    /// End, not part of it; `lag` before now when `None`.
    pub to: Option<i64>,
    /// How long events may take to arrive before a stretch counts as over.
    pub lag: Duration,
    /// How far back behind the last position log events are looked for that came late.
    pub overlap: Duration,
    /// Requests per second; the vendor's quota when `None`.
    pub requests_per_second: Option<f64>,
    /// Records per minute; as many as come when `None`.
    pub records_per_minute: Option<u32>,
    /// How often a request is repeated that fails in a way that passes.
    pub retries: u32,
    /// Seed of the jitter between repetitions.
    pub seed: u64,
    /// The time to work by.
    pub clock: Arc<dyn Clock>,
}

impl Pull {
    /// A pull with what suits most.
    pub fn new(target: Target) -> Pull {
        Pull {
            target,
            from: None,
            to: None,
            lag: Duration::from_secs(60),
            overlap: Duration::from_secs(300),
            requests_per_second: None,
            records_per_minute: None,
            retries: 8,
            seed: 0,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Pulls, and lands what comes: each event and sample once, however often it is pulled.
///
/// # Errors
/// When the request makes no sense, credentials are missing, or the lake does not take the rows. What one group,
/// project or query cannot give is no error: see [`SourceSummary::damage`](super::SourceSummary::damage).
pub async fn pull(lake: &Lake, pull: &Pull, options: &Options, progress: &dyn Progress) -> Result<Summary> {
    let checked = options.check()?;
    let settings = settings(&checked);
    pull_as(lake, pull, checked, settings, Access::Environment, progress).await
}

/// Where credentials come from.
#[derive(Debug, Clone)]
#[cfg_attr(not(test), allow(dead_code))]
pub(super) enum Access {
    Environment,
    /// For tests, which must not change the environment.
    Fixed(Credentials),
}

pub(super) async fn pull_as(
    lake: &Lake,
    pull: &Pull,
    checked: Checked,
    settings: Settings,
    access: Access,
    progress: &dyn Progress,
) -> Result<Summary> {
    let jobs = jobs(pull, &checked, &access)?;
    let rate = pull.requests_per_second.unwrap_or(match pull.target {
        Target::Cloudwatch { .. } => CLOUDWATCH_REQUESTS_PER_SECOND,
        Target::Gcp { .. } => GCP_REQUESTS_PER_SECOND,
        Target::Prometheus { .. } => PROMETHEUS_REQUESTS_PER_SECOND,
    });
    if !(rate.is_finite() && rate > 0.0) || pull.records_per_minute == Some(0) {
        return Err(refused("rates above zero", rate.to_string(), None));
    }
    let limits = Limits {
        requests_per_second: rate,
        records_per_minute: pull.records_per_minute.map(f64::from),
        retries: pull.retries,
        seed: pull.seed,
        reply_limit: checked.memory_limit / REPLY_SHARE,
        timeout: TIMEOUT,
    };
    let mut api = Api::new(limits, pull.clock.clone(), checked.cancel.clone())?;
    let lander = Lander::open(lake, settings).await?;
    let lake = lake.clone();
    flow(lander, checked, None, progress, move |mut reader| {
        for job in jobs {
            let goes_on = match job {
                Job::Logs(pull) => pull.run(&mut reader, &mut api, &lake),
                Job::Query(pull) => pull.run(&mut reader, &mut api),
            };
            if !goes_on || reader.is_cancelled() {
                return;
            }
        }
    })
    .await
}

enum Job {
    Logs(LogPull),
    Query(QueryPull),
}

fn refused(expected: &str, got: impl Into<String>, remedy: Option<&str>) -> Error {
    Error::Pull { expected: expected.to_owned(), got: got.into(), remedy: remedy.map(str::to_owned) }
}

/// A time in milliseconds, rounded up: nothing before a start is asked for.
fn millis(option: &str, micros: i64) -> Result<u64> {
    let expected = format!("{option} in the years 1970 to 9999");
    u64::try_from(micros).map(|m| m.div_ceil(1000)).map_err(|_| refused(&expected, "an earlier time", None))
}

fn jobs(pull: &Pull, checked: &Checked, access: &Access) -> Result<Vec<Job>> {
    let now = u64::try_from(pull.clock.now().saturating_sub(pull.lag).as_millis()).unwrap_or(u64::MAX);
    let from = pull.from.map(|from| millis("--from", from)).transpose()?;
    let to = pull.to.map_or(Ok(now), |to| millis("--to", to))?;
    if let Some(from) = from.filter(|from| *from >= to) {
        let got = format!("a start {} seconds after the end", (from - to) / 1000);
        return Err(refused(
            "--from before --to",
            got,
            Some("without --to the end is a minute ago: see --lag"),
        ));
    }
    let whole = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let flush_interval = checked.flush_interval.unwrap_or(FLUSH_INTERVAL);
    let identify = |name: String| match &checked.source_id {
        None => identity_of(&format!("pull:{name}")),
        Some(id) => identity_of(&format!("pull:{id}:{name}")),
    };
    let log = |logs: Box<dyn Logs>| {
        let identity = identify(logs.identity());
        let (first, overlap) = (whole(FIRST), whole(pull.overlap));
        Job::Logs(LogPull { logs, from, to, first, overlap, flush_interval, identity })
    };
    let some = |what: &str, list: &[String], example: &str| match list.iter().any(|t| t.trim().is_empty()) {
        false if !list.is_empty() => Ok(()),
        _ => Err(refused(what, "none", Some(example))),
    };
    let mut jobs = Vec::new();
    match &pull.target {
        Target::Cloudwatch { groups, regions, stream_prefix, filter, endpoint } => {
            some("at least one log group", groups, "--group /aws/lambda/checkout")?;
            some("at least one region", regions, "--region us-east-1, or AWS_REGION in the environment")?;
            for region in regions {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if !region.chars().all(plain) {
                    return Err(refused("a region such as us-east-1", format!("`{region}`"), None));
                }
                let address = endpoint.clone().unwrap_or_else(|| cloudwatch_address(region));
                let endpoint = Endpoint::new("--endpoint", &address)?;
                let credentials = match access {
                    Access::Environment => Credentials::aws(region)?,
                    Access::Fixed(credentials) => credentials.clone(),
                };
                for group in groups {
                    jobs.push(log(Box::new(CloudwatchLogs {
                        endpoint: endpoint.clone(),
                        credentials: credentials.clone(),
                        region: region.clone(),
                        group: group.clone(),
                        stream_prefix: stream_prefix.clone(),
                        filter: filter.clone(),
                    })));
                }
            }
        }
        Target::Gcp { resources, filter, endpoint } => {
            some("at least one project", resources, "--project my-project")?;
            let endpoint = Endpoint::new("--endpoint", endpoint.as_deref().unwrap_or(GCP_ADDRESS))?;
            let credentials = match access {
                Access::Environment => Credentials::google()?,
                Access::Fixed(credentials) => credentials.clone(),
            };
            for resource in resources {
                jobs.push(log(Box::new(CloudLogging {
                    endpoint: endpoint.clone(),
                    credentials: credentials.clone(),
                    resource: resource.clone(),
                    filter: filter.clone(),
                })));
            }
        }
        Target::Prometheus { url, queries, step } => {
            let names: Vec<String> = queries.iter().map(|(name, _)| name.clone()).collect();
            some("at least one query", &names, "[[prometheus_query]] in tars.toml")?;
            let step = whole(*step);
            if step < 1000 {
                return Err(refused("--step of at least a second", format!("{step} ms"), None));
            }
            let credentials = match access {
                Access::Environment => Credentials::prometheus(),
                Access::Fixed(credentials) => credentials.clone(),
            };
            let server = PrometheusServer { endpoint: Endpoint::new("--url", url)?, credentials };
            for (name, query) in queries {
                let identity = identify(query_identity(&server, name, query, step));
                jobs.push(Job::Query(QueryPull {
                    server: server.clone(),
                    name: name.clone(),
                    query: query.clone(),
                    from,
                    to,
                    first: whole(FIRST),
                    step,
                    flush_interval,
                    identity,
                }));
            }
        }
    }
    Ok(jobs)
}
