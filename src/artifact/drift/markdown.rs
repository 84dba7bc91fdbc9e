//! The analysis for people: what drifted comes first.

use serde_json::{Value as Json, json};

/// Episodes that are told.
const HEADLINES: usize = 15;

/// One episode as a row.
fn headline(episode: &Json, text: &impl Fn(&Json) -> String) -> Vec<String> {
    let place = match (episode["region"].as_str(), episode["service"].as_str()) {
        (Some("all"), _) => "all regions".to_owned(),
        (_, Some("all")) => text(&episode["region"]),
        _ => format!("{} {}", text(&episode["region"]), text(&episode["service"])),
    };
    let until = match episode["ongoing"] == json!(true) {
        true => "ongoing".to_owned(),
        false => text(&episode["ended"]),
    };
    let mut cells = vec![text(&episode["name"]), place, text(&episode["started"]), until];
    let fields = ["baseline_value", "current_value", "drift_percent", "status", "slo_violations"];
    cells.extend(fields.map(|field| text(&episode[field])));
    cells
}

/// The analysis for people.
pub(super) fn markdown(analysis: &Json) -> String {
    let text = |value: &Json| match value {
        Json::String(text) => text.replace('|', "\\|").replace(['\n', '\r'], " "),
        Json::Null => "no data".to_owned(),
        other => other.to_string(),
    };
    let field = |name: &str| text(&analysis[name]);
    let mut lines = vec![
        "# Drift analysis".to_owned(),
        String::new(),
        format!(
            "{} to {}, compared with {} to {}.",
            field("start_time"),
            field("end_time"),
            text(&analysis["baseline"]["from"]),
            text(&analysis["baseline"]["to"])
        ),
        String::new(),
    ];
    if analysis["total_checks"] == json!(0) && analysis["unmeasured_checks"] == json!(0) {
        lines.push("Nothing was measured on either side: this says nothing about drift.".to_owned());
        lines.push(String::new());
    }
    if analysis["baseline"]["stale"] == json!(true) {
        lines.push(format!(
            "The baseline is stale: it is {} days old.",
            text(&analysis["baseline"]["age_days"])
        ));
        lines.push(String::new());
    }
    lines.push(format!(
        "{} checks: {} ok, {} warning, {} critical; {} without data.",
        field("total_checks"),
        field("ok_checks"),
        field("warning_drifts"),
        field("critical_drifts"),
        field("unmeasured_checks")
    ));
    let mut table = |title: &str, columns: &[&str], rows: &[Vec<String>]| {
        lines.extend([String::new(), format!("## {title}"), String::new()]);
        if rows.is_empty() {
            lines.push("None.".to_owned());
            return;
        }
        lines.push(format!("| {} |", columns.join(" | ")));
        lines.push(format!("|{}", "---|".repeat(columns.len())));
        lines.extend(rows.iter().map(|cells| format!("| {} |", cells.join(" | "))));
    };
    let none = Vec::new();
    let episodes = analysis["episodes"].as_array().unwrap_or(&none);
    let rows: Vec<Vec<_>> = episodes.iter().take(HEADLINES).map(|e| headline(e, &text)).collect();
    let columns = ["what", "where", "since", "until", "from", "to", "percent", "status", "SLOs violated"];
    table("What drifted", &columns, &rows);
    let categories = analysis["drift_categories"].as_object();
    let counts: Vec<_> = categories.into_iter().flatten().map(|(c, n)| vec![c.clone(), text(n)]).collect();
    table("By category", &["category", "drifts"], &counts);
    let columns = [
        "name",
        "category",
        "region",
        "service",
        "baseline_value",
        "current_value",
        "drift_percent",
        "status",
        "timestamp",
        "drifted_checks",
        "slo_violations",
    ];
    let top = analysis["top_drifts"].as_array().unwrap_or(&none);
    let top: Vec<Vec<_>> = top.iter().map(|d| columns.iter().map(|c| text(&d[*c])).collect()).collect();
    table("Top drifts", &columns, &top);
    let actions = analysis["mitigation_actions"].as_array().unwrap_or(&none);
    lines.extend([String::new(), "## What to do".to_owned(), String::new()]);
    // No drift among no comparisons is no good news.
    let compared = analysis["ok_checks"].as_i64() != Some(0) || analysis["total_drifts"].as_i64() != Some(0);
    match (actions.is_empty(), compared) {
        (true, true) => lines.push("Nothing drifted.".to_owned()),
        (true, false) => lines.push(
            "No data: nothing could be compared, because no check has data in the window and its baseline."
                .to_owned(),
        ),
        (false, _) => lines.extend(actions.iter().map(|action| format!("- {}", text(action)))),
    }
    lines.push(String::new());
    lines.join("\n")
}
