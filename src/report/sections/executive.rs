//! Section 1: the health score and what it is made of, and the key figures.

use crate::report::build::Scope;
use crate::report::content::{Block, Figures, Period, Section, Unit, Value};
use crate::report::format::{NO_DATA, clock, count, instant, show};
use crate::report::rows::{Ask, Reader, column};
use crate::report::{Error, sections::slo};

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let health =
        reader.rows("select score, start_points, deducted_points, is_measured from health_score").await?;
    let deductions = reader
        .table(Ask {
            id: "health_deductions",
            title: "What the score is made of",
            sql: "select item, detail, quantity, amount, points from health_deductions \
                  order by position, points desc, detail",
            columns: &[
                column("item", "Item", Unit::Text),
                column("detail", "Detail", Unit::Text),
                column("quantity", "Quantity", Unit::Plain),
                column("amount", "Points each", Unit::Points),
                column("points", "Points off", Unit::Points),
            ],
            top: usize::MAX,
            empty: "The settings list nothing that costs points.",
        })
        .await?;
    let kpis = reader
        .rows(
            "select requests, errors, requests_per_second, availability, error_rate, p50_ms, p95_ms, p99_ms, \
             evaluations, evaluation_success, services, regions, minutes_with_data, window_minutes, coverage \
             from kpi_summary",
        )
        .await?;
    let mut figures = kpis.figures(
        "kpi_summary",
        "Key figures",
        &[
            column("requests", "Requests", Unit::Count),
            column("requests_per_second", "Requests per second, while measured", Unit::PerSecond),
            column("availability", "Availability", Unit::Share),
            column("error_rate", "Error rate", Unit::Share),
            column("p50_ms", "Latency p50", Unit::Milliseconds),
            column("p95_ms", "Latency p95", Unit::Milliseconds),
            column("p99_ms", "Latency p99", Unit::Milliseconds),
            column("evaluations", "Evaluations", Unit::Count),
            column("evaluation_success", "Evaluation success", Unit::Share),
            column("services", "Services", Unit::Count),
            column("regions", "Regions", Unit::Count),
            column("coverage", "Coverage: minutes with requests", Unit::Share),
        ],
    )?;

    let mut blocks = Vec::new();
    let score = if health.len() == 0 { None } else { health.number(0, "score", Unit::Points)? };
    blocks.push(Block::Paragraph(match score {
        None => "Nothing was measured in this window, so there is no health score: unmeasured is not healthy."
            .to_owned(),
        Some(score) => {
            let points = |n: f64| show(&Value::number(n, Unit::Points), Unit::Points);
            let start = health.number(0, "start_points", Unit::Points)?.unwrap_or(0.0);
            let off = health.number(0, "deducted_points", Unit::Points)?.unwrap_or(0.0);
            if off == 0.0 {
                format!("The health score is {} of {}: nothing cost points.", points(score), points(start))
            } else {
                format!(
                    "The health score is {} of {}: {} points were taken off, as the table shows line by line.",
                    points(score),
                    points(start),
                    points(off),
                )
            }
        }
    }));
    blocks.extend(slo::worst(reader, scope).await?.map(Block::Paragraph));
    blocks.extend(worst(reader, scope).await?.map(Block::Paragraph));
    blocks.push(Block::Table(deductions));
    let requests = kpis.integer(0, "requests")?.unwrap_or(0);
    let coverage = kpis.value(0, "coverage", Unit::Share)?;
    blocks.push(Block::Paragraph(if requests == 0 {
        "No request was recorded in the window. Rates and latencies are unknown, not zero.".to_owned()
    } else {
        let minutes = kpis.integer(0, "minutes_with_data")?.unwrap_or(0);
        let window = kpis.value(0, "window_minutes", Unit::Count)?;
        let full = coverage == Value::Number(1.0);
        format!(
            "{} were recorded, in {} of the window's {} minutes{}",
            count(requests, "request", "requests"),
            show(&Value::Integer(minutes), Unit::Count),
            show(&window, Unit::Count),
            if full { "." } else { "; nothing is known about the other minutes." },
        )
    }));
    blocks.extend(compare(reader, scope, &mut figures).await?.map(Block::Paragraph));
    blocks.push(Block::Figures(figures));
    Ok(Section { id: "executive_summary", title: "Executive summary", blocks })
}

/// Sets the key figures beside those of the period before, or says why it cannot.
async fn compare(reader: &Reader<'_>, scope: &Scope, figures: &mut Figures) -> Result<Option<String>, Error> {
    let before = match scope.period {
        Period::Daily => "the day before",
        Period::Weekly => "the week before",
        Period::Span => "the period before",
    };
    // Counts of periods of different length say nothing about each other.
    let is_comparable = scope.baseline.micros() == scope.window.micros();
    let with = match scope.baseline == scope.window.previous() {
        true => before.to_owned(),
        false => format!("{} to {}", instant(scope.baseline.from()), instant(scope.baseline.to())),
    };
    let rows = reader
        .rows(
            "select requests, requests_per_second, availability, error_rate, p50_ms, p95_ms, p99_ms, evaluations, \
             evaluation_success from baseline_kpis",
        )
        .await?;
    let is_measured = rows.len() > 0
        && (rows.integer(0, "requests")?.is_some() || rows.integer(0, "evaluations")?.is_some());
    if is_comparable && is_measured {
        rows.compare(figures, with)?;
        return Ok(None);
    }
    // A day alone is usual; whoever asks for a week expects the comparison.
    Ok((scope.period == Period::Weekly).then(|| {
        format!(
            "The key figures stand alone: nothing was recorded in {}, so there is nothing to compare them with.",
            if is_comparable { with } else { before.to_owned() }
        )
    }))
}

/// The worst that happened, in one sentence, where anything did.
async fn worst(reader: &Reader<'_>, scope: &Scope) -> Result<Option<String>, Error> {
    let rows = reader
        .rows(
            "select region, service, verdict, started_at, ended_at, confidence from regressions \
             order by confidence desc, windows desc, started_at, region, service",
        )
        .await?;
    if rows.len() == 0 {
        return Ok(None);
    }
    let at = |t: Option<i64>| t.map_or(NO_DATA.to_owned(), |t| clock(t, scope.window));
    let verdict = rows.text(0, "verdict")?.unwrap_or_default().to_lowercase().replace('_', " ");
    let others = rows.len() - 1;
    Ok(Some(format!(
        "The surest regression is in {} in {}, {} to {}: {} {verdict}, confidence {}.{}",
        rows.text(0, "service")?.unwrap_or_else(|| "all services".to_owned()),
        rows.text(0, "region")?.unwrap_or_default(),
        at(rows.time(0, "started_at")?),
        at(rows.time(0, "ended_at")?),
        if verdict.starts_with('e') { "an" } else { "a" },
        show(&rows.value(0, "confidence", Unit::Plain)?, Unit::Plain),
        match others {
            0 => String::new(),
            n => format!(" Section 6 tells of {}.", count(n as i64, "more regression", "more regressions")),
        },
    )))
}
