//! Section 5: regions against the primary, and drift from the baseline.

use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit};
use crate::report::format::{count, instant, listing, show};
use crate::report::rows::{Ask, Reader, column};

use super::{TOP, pictures};

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let mut blocks = vec![Block::Paragraph(regions_in_words(reader).await?)];
    // First the table: it fills what is left of a page, where the picture would have to go to the next one.
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "regions",
                title: "Regions",
                sql: "select k.region, k.is_primary, k.requests, k.request_share, k.error_rate, k.availability, \
                      k.p50_ms, k.p95_ms, k.p99_ms, d.drift_ms, d.drift_score \
                      from region_kpis as k left join region_drift as d on k.region = d.region \
                      order by k.is_primary desc, k.requests desc nulls last, k.region",
                columns: &[
                    column("region", "Region", Unit::Text),
                    column("is_primary", "Primary", Unit::Text),
                    column("requests", "Requests", Unit::Count),
                    column("request_share", "Of all", Unit::Share),
                    column("error_rate", "Error rate", Unit::Share),
                    column("p50_ms", "p50", Unit::Milliseconds),
                    column("p95_ms", "p95", Unit::Milliseconds),
                    column("p99_ms", "p99", Unit::Milliseconds),
                    column("drift_ms", "p95 from primary", Unit::Milliseconds),
                    column("drift_score", "Drift score", Unit::Plain),
                ],
                top: usize::MAX,
                empty: "The settings name no region and none sent a scope.",
            })
            .await?,
    ));
    blocks.push(Block::Paragraph(
        "The drift score is the distance of a region from the primary in p95 latency or error rate, whichever is \
         further, as a multiple of what is tolerated: 1 is at the limit."
            .to_owned(),
    ));
    blocks.push(pictures::regions(reader).await?);
    blocks.push(Block::Paragraph(drift_in_words(reader, scope).await?));
    blocks.push(pictures::drift(reader).await?);
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "drift_checks",
                title: "Drift from the baseline",
                sql: "select name, category, region, status, baseline_value, current_value, unit, drift_percent, \
                      threshold_percent from drift_checks where status in ('warning', 'critical') \
                      order by status, abs(drift_percent) desc, name, region",
                columns: &[
                    column("status", "Status", Unit::Text),
                    column("name", "Check", Unit::Text),
                    column("category", "Category", Unit::Text),
                    column("region", "Region", Unit::Text),
                    column("baseline_value", "Baseline", Unit::Plain),
                    column("current_value", "Window", Unit::Plain),
                    column("unit", "Unit", Unit::Text),
                    column("drift_percent", "Drift", Unit::Percent),
                    column("threshold_percent", "Tolerated", Unit::Percent),
                ],
                top: TOP,
                empty: "No check that could be made found drift.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "drift_summary",
                title: "Drift checks by category",
                sql: "select category, checks, ok, warning, critical, no_data from drift_summary order by category",
                columns: &[
                    column("category", "Category", Unit::Text),
                    column("checks", "Checks", Unit::Count),
                    column("ok", "Ok", Unit::Count),
                    column("warning", "Warning", Unit::Count),
                    column("critical", "Critical", Unit::Count),
                    column("no_data", "No data", Unit::Count),
                ],
                top: usize::MAX,
                empty: "The settings name no drift check.",
            })
            .await?,
    ));
    Ok(Section { id: "regional_analysis", title: "Regional analysis", blocks })
}

async fn regions_in_words(reader: &Reader<'_>) -> Result<String, Error> {
    let rows = reader
        .rows(
            "select region, is_primary, primary_by, requests, p95_ms from region_kpis \
             order by is_primary desc, requests desc nulls last, region",
        )
        .await?;
    let mut text = String::new();
    let mut silent = Vec::new();
    let mut served = 0;
    for row in 0..rows.len() {
        let name = rows.text(row, "region")?.unwrap_or_default();
        match rows.integer(row, "requests")? {
            Some(n) if n > 0 => served += 1,
            _ => silent.push(name.clone()),
        }
        if row == 0 && rows.text(row, "primary_by")?.as_deref() == Some("most requests") {
            text = format!(
                "The primary region of the settings sent no requests; {name}, which sent most, stands in for it. "
            );
        } else if row == 0 && served == 1 {
            text = format!("Regions are compared with the primary, {name}. ");
        }
    }
    let furthest = reader
        .rows(
            "select region, drift_ms from region_drift where drift_ms <> 0 \
             order by abs(drift_ms) desc, region limit 1",
        )
        .await?;
    match served {
        0 => text.push_str("No region sent a scope. "),
        1 => text.push_str("Only one region sent requests, so there is nothing to compare. "),
        _ if furthest.len() > 0 => {
            let drift = furthest.number(0, "drift_ms", Unit::Milliseconds)?.unwrap_or(0.0);
            let distance = crate::report::Value::number(drift.abs(), Unit::Milliseconds);
            text.push_str(&format!(
                "The furthest is {}: its p95 is {} {} than the primary's. ",
                furthest.text(0, "region")?.unwrap_or_default(),
                show(&distance, Unit::Milliseconds),
                if drift > 0.0 { "higher" } else { "lower" },
            ));
        }
        _ => text.push_str("Their p95 latencies are the same. "),
    }
    if !silent.is_empty() && served > 0 {
        text.push_str(&format!("No data from {}.", listing(&silent)));
    }
    Ok(text.trim_end().to_owned())
}

async fn drift_in_words(reader: &Reader<'_>, scope: &Scope) -> Result<String, Error> {
    let rows = reader
        .rows(
            "select coalesce(sum(checks), 0) as checks, coalesce(sum(ok), 0) as ok, \
             coalesce(sum(warning), 0) as warning, coalesce(sum(critical), 0) as critical, \
             coalesce(sum(no_data), 0) as no_data from drift_summary",
        )
        .await?;
    let get = |name: &str| -> Result<i64, Error> { Ok(rows.integer(0, name)?.unwrap_or(0)) };
    let (from, to) = (instant(scope.baseline.from()), instant(scope.baseline.to()));
    let against = format!("the baseline, {from} to {to} ({})", scope.baseline_note);
    if get("checks")? == get("no_data")? {
        return Ok(format!("No drift check could be made against {against}: one side or both have no data."));
    }
    let mut text = format!(
        "Against {against}, {} and {} were found in {} that could be made.",
        count(get("critical")?, "critical drift", "critical drifts"),
        count(get("warning")?, "warning", "warnings"),
        count(get("checks")? - get("no_data")?, "check", "checks"),
    );
    if get("no_data")? > 0 {
        let (n, verb) = (get("no_data")?, if get("no_data")? == 1 { "lacks" } else { "lack" });
        text.push_str(&format!(" {} {verb} data on one side or both.", count(n, "check", "checks")));
    }
    Ok(text)
}
