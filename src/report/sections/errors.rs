//! Section 4: top errors, their classes, and the trend.

use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit, Value};
use crate::report::format::{clock, count, show};
use crate::report::rows::{Ask, Reader, column};

use super::{TOP, pictures};

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let mut blocks = Vec::new();
    let kpis = reader.rows("select requests, errors, timeouts, error_rate from kpi_summary").await?;
    let requests = kpis.integer(0, "requests")?.unwrap_or(0);
    let errors = kpis.integer(0, "errors")?.unwrap_or(0);
    let timeouts = kpis.integer(0, "timeouts")?.unwrap_or(0);
    blocks.push(Block::Paragraph(match (requests, errors) {
        (0, _) => "No request was recorded, so the error rate is unknown.".to_owned(),
        (_, 0) => "No request failed.".to_owned(),
        _ => format!(
            "{} failed, which is {} of all{}.",
            count(errors, "request", "requests"),
            show(&kpis.value(0, "error_rate", Unit::Share)?, Unit::Share),
            match timeouts {
                0 => String::new(),
                n => format!("; {} ran into a timeout", count(n, "request", "requests")),
            },
        ),
    }));
    if errors > 0 {
        blocks.push(Block::Paragraph(trend(reader, scope).await?));
    }
    blocks.push(pictures::error_rate(reader).await?);
    blocks.push(pictures::top_errors(reader).await?);
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "top_errors",
                title: "Top errors, failures first",
                sql: "select error, status_code, is_failure, source, errors, share, services, a_service, regions, \
                      first_seen, last_seen from top_errors \
                      order by is_failure desc, errors desc, source, error, status_code",
                columns: &[
                    column("error", "Error", Unit::Text),
                    column("status_code", "Status", Unit::Text),
                    column("is_failure", "Failure", Unit::Text),
                    column("source", "Seen in", Unit::Text),
                    column("errors", "Count", Unit::Count),
                    column("share", "Share", Unit::Share),
                    column("services", "Services", Unit::Count),
                    column("a_service", "One of them", Unit::Text),
                    column("first_seen", "First seen", Unit::Time),
                    column("last_seen", "Last seen", Unit::Time),
                ],
                top: TOP,
                empty: "No log line and no span of the window tells of an error.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "error_taxonomy",
                title: "Errors by class of status",
                sql: "select source, \
                      case when status_code is null then 'no status' \
                      else cast(status_code / 100 as varchar) || 'xx' end as status_class, \
                      sum(errors) as errors, count(distinct error) as kinds, sum(share) as share from top_errors \
                      group by 1, 2 order by source, errors desc, status_class",
                columns: &[
                    column("source", "Seen in", Unit::Text),
                    column("status_class", "Status", Unit::Text),
                    column("errors", "Count", Unit::Count),
                    column("kinds", "Kinds", Unit::Count),
                    column("share", "Share", Unit::Share),
                ],
                top: usize::MAX,
                empty: "No log line and no span of the window tells of an error.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "failing_services",
                title: "Services that fail most",
                sql: "select service, errors, requests, error_rate, timeouts from service_kpis where errors > 0 \
                      order by error_rate desc, errors desc, service",
                columns: &[
                    column("service", "Service", Unit::Text),
                    column("errors", "Failed", Unit::Count),
                    column("requests", "Requests", Unit::Count),
                    column("error_rate", "Error rate", Unit::Share),
                    column("timeouts", "Timeouts", Unit::Count),
                ],
                top: TOP,
                empty: "No request failed.",
            })
            .await?,
    ));
    Ok(Section { id: "error_analysis", title: "Error analysis", blocks })
}

async fn trend(reader: &Reader<'_>, scope: &Scope) -> Result<String, Error> {
    let rows = reader.rows("select hours, slope_per_hour, highest, worst_hour from error_trend").await?;
    let mut text = String::new();
    if rows.len() > 0
        && let Some(hour) = rows.time(0, "worst_hour")?
    {
        text = format!(
            "The worst hour began at {}, with {} of requests failed.",
            clock(hour, scope.window),
            show(&rows.value(0, "highest", Unit::Share)?, Unit::Share),
        );
    }
    let slope = if rows.len() == 0 { None } else { rows.number(0, "slope_per_hour", Unit::Share)? };
    text.push_str(&match slope {
        None => " Too few hours were measured for a trend.".to_owned(),
        Some(0.0) => " From hour to hour the error rate has no trend.".to_owned(),
        Some(slope) => {
            let points = Value::number(slope.abs() * 100.0, Unit::Plain);
            format!(
                " From hour to hour the error rate tends to {}, by {} percentage points (median of the slopes \
                 between all hours).",
                if slope > 0.0 { "rise" } else { "fall" },
                show(&points, Unit::Plain),
            )
        }
    });
    Ok(text.trim_start().to_owned())
}
