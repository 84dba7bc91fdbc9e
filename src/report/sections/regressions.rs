//! Section 6: what the classifier says about the windows, and what is known about them.

use crate::report::Error;
use crate::report::build::Scope;
use crate::report::content::{Block, Section, Unit};
use crate::report::features::in_words;
use crate::report::format::{clock, count, listing, show};
use crate::report::rows::{Ask, Reader, Rows, column};

use super::{TOLD, TOP, pictures};

const REGRESSIONS: &str = "select verdict, confidence, service, region, started_at, ended_at, windows, factor_1, \
     factor_1_value, factor_1_threshold, factor_2, factor_2_value, factor_3, factor_3_value, change_kind, \
     change_name, changed_at, judged_by from regressions \
     order by confidence desc, windows desc, started_at, region, service";

pub(in crate::report) async fn section(reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    let mut blocks = Vec::new();
    let found = reader.rows(REGRESSIONS).await?;
    let judged = reader
        .rows("select coalesce(sum(windows), 0) as windows from verdict_summary")
        .await?
        .integer(0, "windows")?
        .unwrap_or(0);
    let windows = count(judged, "window", "windows");
    blocks.push(Block::Paragraph(match (judged, found.len()) {
        (0, _) => "No window could be judged: there are no features for this stretch of time.".to_owned(),
        (_, 0) => format!("{windows} of single services were judged; all are benign."),
        (_, n) => format!(
            "{windows} of single services were judged. {} found; windows in a row count as one.",
            match n {
                1 => "1 regression was".to_owned(),
                n => format!("{} were", count(n as i64, "regression", "regressions")),
            },
        ),
    }));
    let told =
        (0..found.len().min(TOLD)).map(|row| sentence(&found, row, scope)).collect::<Result<Vec<_>, _>>()?;
    if !told.is_empty() {
        blocks.push(Block::List(told));
    }
    blocks.push(pictures::verdicts(reader).await?);
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "verdicts",
                title: "Verdicts",
                sql: "select verdict, windows, share, mean_confidence, highest_confidence, services, regions \
                      from verdict_summary order by verdict",
                columns: &[
                    column("verdict", "Verdict", Unit::Text),
                    column("windows", "Windows", Unit::Count),
                    column("share", "Share", Unit::Share),
                    column("mean_confidence", "Mean confidence", Unit::Plain),
                    column("highest_confidence", "Highest", Unit::Plain),
                    column("services", "Services", Unit::Count),
                    column("regions", "Regions", Unit::Count),
                ],
                top: usize::MAX,
                empty: "No window could be judged.",
            })
            .await?,
    ));
    blocks.push(Block::Table(found.table(
        "regressions",
        "Regressions, surest first",
        &[
            column("verdict", "Verdict", Unit::Text),
            column("confidence", "Confidence", Unit::Plain),
            column("service", "Service", Unit::Text),
            column("region", "Region", Unit::Text),
            column("started_at", "From", Unit::Time),
            column("ended_at", "To", Unit::Time),
            column("windows", "Windows", Unit::Count),
            column("factor_1", "Leading factor", Unit::Text),
            column("factor_1_value", "Its value", Unit::Plain),
            column("factor_1_threshold", "Limit", Unit::Plain),
        ],
        TOP,
        "No regression was found.",
    )?));
    blocks.extend(outcomes(reader).await?.map(Block::Paragraph));
    blocks.push(Block::Table(
        reader
            .table(Ask {
                id: "known_incidents",
                title: "Known incidents, and what the verdicts made of them",
                sql: "select started_at, ended_at, region, service, verdict, detail, outcome from known_incidents \
                      order by started_at, ended_at, region, service, verdict, detail",
                columns: &[
                    column("started_at", "From", Unit::Time),
                    column("ended_at", "To", Unit::Time),
                    column("region", "Region", Unit::Text),
                    column("service", "Service", Unit::Text),
                    column("verdict", "Labelled as", Unit::Text),
                    column("detail", "Cause", Unit::Text),
                    column("outcome", "Outcome", Unit::Text),
                ],
                top: TOP,
                empty: "No incident is labelled in this window, so the verdicts cannot be checked.",
            })
            .await?,
    ));
    Ok(Section { id: "regression_detection", title: "Regression detection", blocks })
}

/// How the labelled incidents came out, in a sentence, where there are any.
async fn outcomes(reader: &Reader<'_>) -> Result<Option<String>, Error> {
    let rows = reader
        .rows("select outcome, count(*) as incidents from known_incidents group by outcome order by outcome")
        .await?;
    let mut parts = Vec::new();
    let mut all = 0;
    for row in 0..rows.len() {
        let incidents = rows.integer(row, "incidents")?.unwrap_or(0);
        all += incidents;
        parts.push(format!(
            "{} {}",
            count(incidents, "", "").trim_end(),
            rows.text(row, "outcome")?.unwrap_or_default()
        ));
    }
    let incidents = count(all, "labelled incident", "labelled incidents");
    Ok((all > 0).then(|| format!("Of {incidents}: {}.", listing(&parts))))
}

fn sentence(rows: &Rows, row: usize, scope: &Scope) -> Result<String, Error> {
    let at = |t: Option<i64>| t.map_or_else(String::new, |t| clock(t, scope.window));
    let started = rows.time(row, "started_at")?;
    let cause = match rows.text(row, "verdict")?.unwrap_or_default().as_str() {
        "PERFORMANCE_REGRESSION" => "got worse by its own code or configuration",
        "ENVIRONMENT_REGRESSION" => "suffered from the infrastructure under it",
        _ => "got worse",
    };
    let mut factors = Vec::new();
    for (name, value) in
        [("factor_1", "factor_1_value"), ("factor_2", "factor_2_value"), ("factor_3", "factor_3_value")]
    {
        if let (Some(name), Some(value)) = (rows.text(row, name)?, rows.number(row, value, Unit::Plain)?) {
            factors.push(in_words(&name, value));
        }
    }
    let mut text = format!(
        "Between {} and {} {} in {} {cause} (confidence {}){}.",
        at(started),
        at(rows.time(row, "ended_at")?),
        rows.text(row, "service")?.unwrap_or_else(|| "the platform".to_owned()),
        rows.text(row, "region")?.unwrap_or_default(),
        show(&rows.value(row, "confidence", Unit::Plain)?, Unit::Plain),
        if factors.is_empty() { String::new() } else { format!(": {}", listing(&factors)) },
    );
    if let (Some(kind), Some(changed)) = (rows.text(row, "change_kind")?, rows.time(row, "changed_at")?) {
        let name = rows.text(row, "change_name")?.map_or_else(String::new, |name| format!(" {name}"));
        text.push_str(&format!(
            " The last change there was {}{name} at {}.",
            kind.replace('_', " "),
            clock(changed, scope.window),
        ));
    }
    Ok(text)
}
