//! Section 2: latency distribution and throughput.

use crate::domain::MICROS_PER_DAY;
use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit};
use crate::report::format::{clock, show};
use crate::report::rows::{Ask, Reader, Rows, column};

use super::{TOP, pictures};

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let kpis = reader.rows("select requests, p50_ms, p95_ms, p99_ms from kpi_summary").await?;
    let mut blocks = Vec::new();
    if kpis.len() > 0 && kpis.value(0, "p50_ms", Unit::Milliseconds)?.as_f64().is_some() {
        let ms = |name: &str| -> Result<String, Error> {
            Ok(show(&kpis.value(0, name, Unit::Milliseconds)?, Unit::Milliseconds))
        };
        blocks.push(Block::Paragraph(format!(
            "Half of the requests were answered within {}, 95 % within {} and 99 % within {}.",
            ms("p50_ms")?,
            ms("p95_ms")?,
            ms("p99_ms")?,
        )));
    }
    blocks.extend(busiest(reader, scope).await?.map(Block::Paragraph));
    blocks.push(pictures::latency(reader).await?);
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "latency_distribution",
                title: "Latency distribution",
                sql: "select lower_ms, upper_ms, share, cumulative_share from latency_distribution \
                      where share is not null order by position",
                columns: &[
                    column("lower_ms", "Above", Unit::Milliseconds),
                    column("upper_ms", "Up to", Unit::Milliseconds),
                    column("share", "Share of requests", Unit::Share),
                    column("cumulative_share", "Up to here", Unit::Share),
                ],
                top: usize::MAX,
                empty: "No request of the window has a duration.",
            })
            .await?,
    ));
    blocks.push(Block::Table(throughput(reader, scope).await?));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "services",
                title: "Services, busiest first",
                sql: "select service, requests, request_share, error_rate, p50_ms, p95_ms, p99_ms \
                      from service_kpis order by requests desc, service",
                columns: &[
                    column("service", "Service", Unit::Text),
                    column("requests", "Requests", Unit::Count),
                    column("request_share", "Of all", Unit::Share),
                    column("error_rate", "Error rate", Unit::Share),
                    column("p50_ms", "p50", Unit::Milliseconds),
                    column("p95_ms", "p95", Unit::Milliseconds),
                    column("p99_ms", "p99", Unit::Milliseconds),
                ],
                top: TOP,
                empty: "No service recorded a request in the window.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "slowest_routes",
                title: "Slowest routes by p95",
                // A p95 of a handful of requests is its slowest one.
                sql: "select service, route, requests, error_rate, p50_ms, p95_ms, p99_ms from route_kpis \
                      where requests >= (select max(min_samples) from settings_detection) \
                      order by p95_ms desc nulls last, requests desc, service, route",
                columns: &[
                    column("service", "Service", Unit::Text),
                    column("route", "Route", Unit::Text),
                    column("requests", "Requests", Unit::Count),
                    column("error_rate", "Error rate", Unit::Share),
                    column("p50_ms", "p50", Unit::Milliseconds),
                    column("p95_ms", "p95", Unit::Milliseconds),
                    column("p99_ms", "p99", Unit::Milliseconds),
                ],
                top: TOP,
                empty: "No route has enough requests for a p95.",
            })
            .await?,
    ));
    Ok(Section { id: "performance", title: "Performance", blocks })
}

/// Windows longer than this are told by the day.
const TOLD_BY_THE_HOUR: i64 = 2 * MICROS_PER_DAY;

async fn throughput(reader: &Reader<'_>, scope: &Scope) -> Result<crate::report::Table, Error> {
    let by_hour = scope.window.micros() <= TOLD_BY_THE_HOUR;
    let (sql, first) = match by_hour {
        true => (
            "select hour, requests, requests_per_second, error_rate, p50_ms, p95_ms, p99_ms, minutes_with_data \
             from hourly_requests order by hour",
            column("hour", "Hour", Unit::Time),
        ),
        false => (
            "select day, requests, requests_per_second, error_rate, p50_ms, p95_ms, p99_ms, minutes_with_data \
             from daily_requests order by day",
            column("day", "Day", Unit::Time),
        ),
    };
    let rows = reader.rows(sql).await?;
    let rest = [
        column("requests", "Requests", Unit::Count),
        column("requests_per_second", "Per second", Unit::PerSecond),
        column("error_rate", "Error rate", Unit::Share),
        column("p50_ms", "p50", Unit::Milliseconds),
        column("p95_ms", "p95", Unit::Milliseconds),
        column("p99_ms", "p99", Unit::Milliseconds),
        column("minutes_with_data", "Minutes with data", Unit::Count),
    ];
    let columns: Vec<_> = std::iter::once(first).chain(rest).collect();
    rows.table(
        "throughput",
        if by_hour { "Throughput by hour" } else { "Throughput by day" },
        &columns,
        usize::MAX,
        "The window touches no hour.",
    )
}

/// The busiest and the slowest hour, in a sentence.
async fn busiest(reader: &Reader<'_>, scope: &Scope) -> Result<Option<String>, Error> {
    let peak = reader
        .rows(
            "select hour, requests_per_second from hourly_requests where requests > 0 \
             order by requests desc, hour limit 1",
        )
        .await?;
    let slow = reader
        .rows(
            "select hour, p95_ms from hourly_requests where p95_ms is not null \
             order by p95_ms desc, hour limit 1",
        )
        .await?;
    if peak.len() == 0 {
        return Ok(None);
    }
    let hour = |rows: &Rows| -> Result<String, Error> {
        Ok(rows.time(0, "hour")?.map_or_else(String::new, |t| clock(t, scope.window)))
    };
    let mut text = format!(
        "The busiest hour began at {} ({} on average)",
        hour(&peak)?,
        show(&peak.value(0, "requests_per_second", Unit::PerSecond)?, Unit::PerSecond),
    );
    if slow.len() > 0 {
        text.push_str(&format!(
            "; the slowest at {} (95 % within {})",
            hour(&slow)?,
            show(&slow.value(0, "p95_ms", Unit::Milliseconds)?, Unit::Milliseconds),
        ));
    }
    text.push('.');
    Ok(Some(text))
}
