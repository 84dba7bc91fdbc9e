//! Section 3: compliance, and violations by severity and type.

use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit, Value};
use crate::report::format::{clock, count, show};
use crate::report::rows::{Ask, Reader, Rows, column};

use super::{TOLD, TOP, pictures};

/// Episodes, worst first. `windows` stands for how long it lasted, `{route}` where routes do.
const EPISODES: &str = "select slo, type, region, service, {route}severity, started_at, ended_at, windows, worst, target, \
     threshold, percentile, samples from slo_episodes where kind = 'violation' \
     order by severity_rank desc, windows desc, started_at, slo, region, service{by_route}";

/// Episodes, and whether they name routes, which they do when an SLO is judged by them.
async fn episodes(reader: &Reader<'_>) -> Result<(Rows, bool), Error> {
    let asked = reader.rows("select count(max_routes) as slos from settings_slos").await?;
    let by_route = asked.integer(0, "slos")?.unwrap_or(0) > 0;
    let [column, order] = if by_route { ["route, ", ", route"] } else { [""; 2] };
    let sql = EPISODES.replace("{route}", column).replace("{by_route}", order);
    Ok((reader.rows(&sql).await?, by_route))
}

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let mut blocks = Vec::new();
    let (episodes, by_route) = episodes(reader).await?;
    let measured = reader
        .rows("select coalesce(sum(measured_windows), 0) as measured, coalesce(sum(windows), 0) as windows from slo_overview")
        .await?;
    let (measured, windows) =
        (measured.integer(0, "measured")?.unwrap_or(0), measured.integer(0, "windows")?);
    blocks.push(Block::Paragraph(if measured == 0 {
        "No SLO window has data, so nothing can be said about compliance.".to_owned()
    } else {
        let windows = windows.unwrap_or(0);
        let of = format!(
            "{} of {} SLO windows have data",
            show(&Value::Integer(measured), Unit::Count),
            show(&Value::Integer(windows), Unit::Count),
        );
        match episodes.len() {
            0 => format!("No SLO was violated. {of}."),
            n => format!("{} found. {of}.", {
                let n = i64::try_from(n).unwrap_or(i64::MAX);
                let verb = if n == 1 { "was" } else { "were" };
                format!("{} {verb}", count(n, "violation", "violations"))
            }),
        }
    }));
    let told = (0..episodes.len().min(TOLD))
        .map(|row| sentence(&episodes, row, scope, by_route))
        .collect::<Result<Vec<_>, _>>()?;
    if !told.is_empty() {
        blocks.push(Block::List(told));
    }
    blocks.push(pictures::budgets(reader).await?);
    blocks.push(pictures::worst_latency(reader).await?);
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "slo_compliance",
                title: "Compliance",
                sql: "select slo, type, compliance, coverage, met_windows, measured_windows, windows, violations, \
                      worst_service, worst_region, worst_compliance from slo_overview order by slo",
                columns: &[
                    column("slo", "SLO", Unit::Text),
                    column("type", "Type", Unit::Text),
                    column("compliance", "Compliance", Unit::Share),
                    column("coverage", "Coverage", Unit::Share),
                    column("met_windows", "Windows met", Unit::Count),
                    column("measured_windows", "Measured", Unit::Count),
                    column("violations", "Violations", Unit::Count),
                    column("worst_service", "Worst service", Unit::Text),
                    column("worst_region", "Region", Unit::Text),
                    column("worst_compliance", "Its compliance", Unit::Share),
                ],
                top: usize::MAX,
                empty: "The settings name no SLO.",
            })
            .await?,
    ));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "slo_violation_counts",
                title: "Violations and anomalies by severity and type",
                sql: "select severity, type, violations, low_traffic, anomalies, windows, services, regions \
                      from slo_violation_counts order by severity_rank desc, type",
                columns: &[
                    column("severity", "Severity", Unit::Text),
                    column("type", "Type", Unit::Text),
                    column("violations", "Violations", Unit::Count),
                    column("low_traffic", "Too few requests to tell", Unit::Count),
                    column("anomalies", "Anomalies", Unit::Count),
                    column("windows", "Windows", Unit::Count),
                    column("services", "Services", Unit::Count),
                    column("regions", "Regions", Unit::Count),
                ],
                top: usize::MAX,
                empty: "No SLO was violated, and no measured window left the band of its usual values.",
            })
            .await?,
    ));
    let mut columns = vec![
        column("severity", "Severity", Unit::Text),
        column("slo", "SLO", Unit::Text),
        column("service", "Service", Unit::Text),
        column("region", "Region", Unit::Text),
        column("started_at", "From", Unit::Time),
        column("ended_at", "To", Unit::Time),
        column("windows", "Windows", Unit::Count),
        column("worst", "Worst", Unit::Plain),
        column("threshold", "Limit", Unit::Plain),
    ];
    if by_route {
        columns.insert(3, column("route", "Route", Unit::Text));
    }
    blocks.push(Block::Table(episodes.table(
        "slo_violations",
        "Violations, worst first",
        &columns,
        TOP,
        "No SLO was violated in a measured window.",
    )?));
    Ok(Section { id: "slo_compliance", title: "SLO compliance", blocks })
}

/// The worst violation in a sentence, where there is any.
pub(super) async fn worst(reader: &Reader<'_>, scope: &Scope) -> Result<Option<String>, Error> {
    let (episodes, by_route) = episodes(reader).await?;
    if episodes.len() == 0 {
        return Ok(None);
    }
    let sentence = sentence(&episodes, 0, scope, by_route)?;
    Ok(Some(format!("The worst SLO violation: {}", sentence.replacen("Between", "between", 1))))
}

/// One violation in words, in the terms of its type.
fn sentence(rows: &Rows, row: usize, scope: &Scope, by_route: bool) -> Result<String, Error> {
    let mut who = rows.text(row, "service")?.unwrap_or_else(|| "the platform".to_owned());
    if let Some(route) = if by_route { rows.text(row, "route")? } else { None } {
        who = format!("{who} {route}");
    }
    let place = rows.text(row, "region")?.map_or_else(String::new, |region| format!(" in {region}"));
    let at = |t: Option<i64>| t.map_or_else(String::new, |t| clock(t, scope.window));
    let between =
        format!("Between {} and {}", at(rows.time(row, "started_at")?), at(rows.time(row, "ended_at")?));
    let in_unit =
        |name: &str, unit: Unit| -> Result<String, Error> { Ok(show(&rows.value(row, name, unit)?, unit)) };
    let kind = rows.text(row, "type")?.unwrap_or_default();
    let said = match kind.as_str() {
        "latency" => {
            let share = match rows.value(row, "percentile", Unit::Share)? {
                Value::Missing => "requests".to_owned(),
                share => format!("{} of requests", show(&share, Unit::Share)),
            };
            format!(
                "answered {share} within {}; the limit is {}",
                in_unit("worst", Unit::Milliseconds)?,
                in_unit("threshold", Unit::Milliseconds)?
            )
        }
        "error_rate" => format!(
            "failed {} of requests; the limit is {}",
            in_unit("worst", Unit::Share)?,
            in_unit("threshold", Unit::Share)?
        ),
        "availability" => format!(
            "answered {} of requests without failing; the limit is {}",
            in_unit("worst", Unit::Share)?,
            in_unit("threshold", Unit::Share)?
        ),
        "evaluation_success" => format!(
            "finished {} of evaluations with success; the limit is {}",
            in_unit("worst", Unit::Share)?,
            in_unit("threshold", Unit::Share)?
        ),
        "throughput" => format!(
            "served {}; the limit is {}",
            in_unit("worst", Unit::PerSecond)?,
            in_unit("threshold", Unit::PerSecond)?
        ),
        other => format!(
            "was at {} ({other}); the limit is {}",
            in_unit("worst", Unit::Plain)?,
            in_unit("threshold", Unit::Plain)?
        ),
    };
    let severity = rows.text(row, "severity")?.unwrap_or_default();
    let windows = rows.integer(row, "windows")?.unwrap_or(1);
    let at_worst = if windows > 1 { " at worst" } else { "" };
    let said = said.replacen("; the limit", &format!("{at_worst}; the limit"), 1);
    Ok(format!("{between} {who}{place} {said} ({severity})."))
}
