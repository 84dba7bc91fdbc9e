//! What people would rather look at than read: the charts of the sections.

use crate::report::Error;
use crate::report::content::{Block, Unit, Value};
use crate::report::format::show;
use crate::report::picture::{Limit, Plot};
use crate::report::rows::{Ask, Reader, column};

/// The targets of the SLOs that hold everywhere.
const TARGETS: &str = "select name, type, target from settings_slos \
     where region is null and service is null and route is null order by target, name";

/// Latency percentiles over time, with the targets.
pub(super) async fn latency(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "latency_over_time",
        title: "Latency over time",
        sql: "select time, p50_ms, p95_ms, p99_ms from request_steps where region = 'all' order by time",
        columns: &[
            column("time", "Time", Unit::Time),
            column("p50_ms", "p50", Unit::Milliseconds),
            column("p95_ms", "p95", Unit::Milliseconds),
            column("p99_ms", "p99", Unit::Milliseconds),
        ],
        top: usize::MAX,
        empty: "No request of the window has a duration, so there is no latency to draw.",
    };
    let limits = targets(reader, "latency", Unit::Milliseconds).await?;
    let plot = Plot::Lines { values: vec!["p50_ms", "p95_ms", "p99_ms"], band: None, mark: None, limits };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}

/// The share of failed requests over time, with the targets.
pub(super) async fn error_rate(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "error_rate_over_time",
        title: "Error rate over time",
        sql: "select time, error_rate from request_steps where region = 'all' order by time",
        columns: &[column("time", "Time", Unit::Time), column("error_rate", "Error rate", Unit::Share)],
        top: usize::MAX,
        empty: "No request was recorded, so there is no error rate to draw.",
    };
    let limits = targets(reader, "error_rate", Unit::Share).await?;
    let plot = Plot::Lines { values: vec!["error_rate"], band: None, mark: None, limits };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}

async fn targets(reader: &Reader<'_>, kind: &str, unit: Unit) -> Result<Vec<Limit>, Error> {
    let rows = reader.rows(TARGETS).await?;
    let mut limits = Vec::new();
    for row in 0..rows.len() {
        if rows.text(row, "type")?.as_deref() == Some(kind)
            && let Some(value) = rows.number(row, "target", unit)?
        {
            let name = rows.text(row, "name")?.unwrap_or_default();
            limits.push(Limit { label: format!("{name}: {}", show(&Value::Number(value), unit)), value });
        }
    }
    Ok(limits)
}

/// The latency SLO that was violated worst, with the band of its usual values.
pub(super) async fn worst_latency(reader: &Reader<'_>) -> Result<Block, Error> {
    let rows = reader
        .rows(
            "select slo, region, service, time, observed, lower, upper, notable, target, threshold \
             from worst_latency order by time",
        )
        .await?;
    let table = rows.table(
        "worst_latency_slo",
        "The latency SLO that was violated worst",
        &[
            column("time", "Time", Unit::Time),
            column("observed", "Observed", Unit::Milliseconds),
            column("lower", "Usual from", Unit::Milliseconds),
            column("upper", "Usual to", Unit::Milliseconds),
            column("notable", "Violation or anomaly", Unit::Milliseconds),
        ],
        usize::MAX,
        "No latency SLO was violated in a measured window.",
    )?;
    let (mut limits, mut note) = (Vec::new(), String::new());
    if rows.len() > 0 {
        for name in ["target", "threshold"] {
            let value = rows.value(0, name, Unit::Milliseconds)?;
            let label = format!("{name}: {}", show(&value, Unit::Milliseconds));
            limits.extend(value.as_f64().map(|value| Limit { label, value }));
        }
        note = format!(
            "{} of {} in {}. The band is where its values are expected from those before; dots are windows past the \
             threshold or out of the band.",
            rows.text(0, "slo")?.unwrap_or_default(),
            rows.text(0, "service")?.unwrap_or_else(|| "all services".to_owned()),
            rows.text(0, "region")?.unwrap_or_else(|| "all regions".to_owned()),
        );
    }
    let plot = Plot::Lines {
        values: vec!["observed"],
        band: Some(("lower", "upper")),
        mark: Some("notable"),
        limits,
    };
    Ok(Block::Picture(crate::report::picture::Picture { table, plot, note }))
}

/// What was left of the error budgets over time.
pub(super) async fn budgets(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "budget_burn_down",
        title: "Error budget of the window that was left",
        sql: "select slo, time, left_share from budget_burn_down where place <= 6 order by place, time",
        columns: &[
            column("slo", "SLO", Unit::Text),
            column("time", "Time", Unit::Time),
            column("left_share", "Left", Unit::Share),
        ],
        top: usize::MAX,
        empty: "No SLO window has requests that can be good or bad, so there is no error budget to draw.",
    };
    let limits = vec![Limit { label: "used up".to_owned(), value: 0.0 }];
    let plot = Plot::Series { series: "slo", value: "left_share", limits };
    let note =
        "Of what each SLO allows to fail of the requests of this window, over all regions and services.";
    Ok(Block::Picture(reader.picture(ask, plot, note).await?))
}

/// The p95 latency of each region over time.
pub(super) async fn regions(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "regions_over_time",
        title: "Latency p95 by region",
        sql: "select time, region, p95_ms from request_steps where region in (select region from region_kpis \
              where requests > 0 order by requests desc, region limit 12) order by region, time",
        columns: &[
            column("time", "Time", Unit::Time),
            column("region", "Region", Unit::Text),
            column("p95_ms", "p95", Unit::Milliseconds),
        ],
        top: usize::MAX,
        empty: "No region sent requests, so there is no latency to draw.",
    };
    let plot = Plot::Panels { panel: "region", values: vec!["p95_ms"], limits: Vec::new() };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}

/// How far each value of each region is from its baseline.
pub(super) async fn drift(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "drift_map",
        title: "Drift from the baseline by check and region",
        sql: "select name, region, drift_percent, status from drift_checks where name in \
              (select name from drift_checks where drift_percent is not null) \
              order by category, name, region = 'all' desc, region",
        columns: &[
            column("name", "Check", Unit::Text),
            column("region", "Region", Unit::Text),
            column("drift_percent", "Drift", Unit::Percent),
            column("status", "Status", Unit::Text),
        ],
        top: usize::MAX,
        empty: "No drift check has data on both sides.",
    };
    let plot = Plot::Heat { row: "name", column: "region", value: "drift_percent", status: "status" };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}

/// When which service of which region was judged to have regressed, and when an incident is known.
pub(super) async fn verdicts(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "verdict_timeline",
        title: "Regressions and known incidents over time",
        sql: "with stretches as (select coalesce(service, 'all services') || ' · ' || region as lane, \
              started_at, ended_at, verdict as class, confidence from regressions \
              union all select coalesce(service, 'all services') || ' · ' || region as lane, \
              started_at, ended_at, 'incident' as class, 1.0 as confidence from known_incidents \
              where verdict <> 'BENIGN'), \
              lanes as (select lane, max(confidence) as confidence, min(started_at) as first_at from stretches \
              group by lane order by confidence desc, first_at, lane limit 16) \
              select stretches.lane as lane, stretches.started_at as started_at, stretches.ended_at as ended_at, \
              stretches.class as class from stretches join lanes on stretches.lane = lanes.lane \
              order by stretches.lane, stretches.started_at, stretches.class, stretches.ended_at",
        columns: &[
            column("lane", "Service and region", Unit::Text),
            column("started_at", "From", Unit::Time),
            column("ended_at", "To", Unit::Time),
            column("class", "What", Unit::Text),
        ],
        top: usize::MAX,
        empty: "No regression was found and no incident is labelled in this window.",
    };
    let plot = Plot::Spans {
        lane: "lane",
        ends: ("started_at", "ended_at"),
        class: "class",
        classes: &[
            ("PERFORMANCE_REGRESSION", "Performance regression"),
            ("ENVIRONMENT_REGRESSION", "Environment regression"),
            ("incident", "Known incident"),
        ],
    };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}

/// The errors that were counted most often.
pub(super) async fn top_errors(reader: &Reader<'_>) -> Result<Block, Error> {
    let ask = Ask {
        id: "top_errors_drawn",
        title: "Most frequent errors",
        sql: "select error || coalesce(' (' || status_code || ')', '') || ', ' || source as error, errors from top_errors \
              where is_failure or not exists (select 1 from top_errors where is_failure) \
              order by errors desc, error limit 10",
        columns: &[column("error", "Error", Unit::Text), column("errors", "Count", Unit::Count)],
        top: usize::MAX,
        empty: "No log line and no span of the window tells of an error.",
    };
    let plot = Plot::Bars { label: "error", value: "errors" };
    Ok(Block::Picture(reader.picture(ask, plot, "").await?))
}
