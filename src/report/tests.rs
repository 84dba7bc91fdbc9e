//! Whole reports from a session whose models are stood in for by constant views.

use datafusion::prelude::{SessionConfig, SessionContext};
use serde_json::Value as Json;

use super::build::{Scope, from_session};
use super::content::{Block, Period, Report, TableVersion, Unit};
use super::format::{in_cell, show};
use super::pdf::text_of_pages;
use super::plain::visible;
use super::render::{self, Form};
use crate::domain::TimeRange;

/// A service name that tries everything: a new cell, a new line, markup, a link, a hidden character.
const HOSTILE: &str = "svc|x\n| `a` <b>[l](http://e.com)\u{202e}";

/// The models that a report reads, as a day with one slow hour would fill them.
const MODELS: &[&str] = &[
    "create view health_score as select 74.666667 as score, 100.0 as start_points, 25.333333 as deducted_points, \
     true as is_measured",
    "create view health_deductions as select * from (values \
     (1, 'slo_violation', 'api_latency_p95', 2.0, 2.0, 4.0), (2, 'error_rate', 'all requests', 0.3667, 20.0, 7.3333), \
     (3, 'regression', 'none', null, 10.0, null)) \
     as t (position, item, detail, quantity, amount, points)",
    "create view kpi_summary as select 1234567 as requests, 452672 as errors, 3 as timeouts, 0.366666666 as error_rate, \
     0.633333333 as availability, 20.123 as p50_ms, 330.4567 as p95_ms, 1412.5 as p99_ms, 14.2889 as requests_per_second, \
     0 as evaluations, cast(null as double) as evaluation_success, 1439 as minutes_with_data, \
     1440.0 as window_minutes, 0.999305555 as coverage, 2 as services, 2 as regions",
    "create view latency_distribution as select 1 as position, 0.0 as lower_ms, cast(null as double) as upper_ms, \
     1.0 as share, 1.0 as cumulative_share",
    "create view hourly_requests as select arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') \
     as hour, 60 as requests, 0.0167 as requests_per_second, 0.5 as error_rate, 1.0 as p50_ms, 2.0 as p95_ms, \
     3.0 as p99_ms, 60 as minutes_with_data",
    "create view request_steps as select * from (values \
     (arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))'), 'all', 0.01, 12.5, 99.25, 240.0), (arrow_cast('2025-01-15T13:15:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))'), 'all', 0.02, 13.5, 101.5, 260.0), \
     (arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))'), 'us-east-1', 0.01, 12.0, 98.0, 230.0)) as t (time, region, error_rate, p50_ms, p95_ms, p99_ms)",
    "create view baseline_kpis as select 1000000 as requests, 0.3 as error_rate, 0.7 as availability, 20.0 as p50_ms, \
     300.0 as p95_ms, 1400.0 as p99_ms, 11.5 as requests_per_second, cast(null as bigint) as evaluations, \
     cast(null as double) as evaluation_success",
    "create view settings_slos as select 'api_latency_p95' as name, 'latency' as type, 150.0 as target, \
     cast(null as varchar) as region, cast(null as varchar) as service, cast(null as varchar) as route, cast(null as bigint) as max_routes",
    "create view budget_burn_down as select 'api_latency_p95' as slo, arrow_cast('2025-01-15T14:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as time, -0.5 as left_share, 1 as place",
    "create view worst_latency as select 'api_latency_p95' as slo, 'us-west-2' as region, 'evaluation-api' as service, \
     arrow_cast('2025-01-15T13:05:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as time, 412.2 as observed, 0.0 as lower, \
     130.75 as upper, 412.2 as notable, 150.0 as target, 200.0 as threshold",
    "create view settings_detection as select 20 as min_samples",
    "create view service_kpis as select $1 as service, 10 as requests, 1.0 as request_share, 5 as errors, \
     0.5 as error_rate, 0 as timeouts, 1.0 as p50_ms, 2.0 as p95_ms, 3.0 as p99_ms",
    "create view route_kpis as select $1 as service, cast(null as varchar) as route, 10 as requests, \
     0.5 as error_rate, 1.0 as p50_ms, 2.0 as p95_ms, 3.0 as p99_ms where false",
    "create view slo_overview as select 'api_latency_p95' as slo, 'latency' as type, 284 as met_windows, \
     288 as measured_windows, 576 as windows, 0.986111 as compliance, 0.5 as coverage, 1 as violations, \
     $1 as worst_service, 'us-west-2' as worst_region, 0.9 as worst_compliance",
    "create view slo_episodes as select 'api_latency_p95' as slo, 'latency' as type, 'us-west-2' as region, \
     'evaluation-api' as service, 'violation' as kind, 'critical' as severity, 4 as severity_rank, \
     arrow_cast('2025-01-15T13:05:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as started_at, \
     arrow_cast('2025-01-15T13:40:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as ended_at, \
     7 as windows, 412.2 as worst, 150.0 as target, 200.0 as threshold, 0.95 as percentile, 900 as samples",
    "create view slo_violation_counts as select 'critical' as severity, 4 as severity_rank, 'latency' as type, \
     1 as violations, 0 as low_traffic, 0 as anomalies, 7 as windows, 1 as services, 1 as regions",
    "create view error_trend as select 24 as hours, -0.0012 as slope_per_hour, 0.5 as highest, \
     arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as worst_hour",
    "create view top_errors as select 'Timeout ' || n as error, cast(503 as int) as status_code, true as is_failure, 'logs' as source, \
     100 - n as errors, 0.1 as share, 1 as services, $1 as a_service, 1 as regions, \
     arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as first_seen, \
     arrow_cast('2025-01-15T13:00:01Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as last_seen \
     from generate_series(1, 12) as s (n)",
    "create view region_kpis as select * from (values \
     ('us-east-1', true, 'settings', 100, 0.9, 0.01, 0.99, 10.0, 20.0, 30.0), \
     ('us-west-2', false, null, 10, 0.1, 0.02, 0.98, 10.0, 320.0, 330.0), \
     ('sa-east-1', false, null, null, null, null, null, null, null, null)) \
     as t (region, is_primary, primary_by, requests, request_share, error_rate, availability, p50_ms, p95_ms, p99_ms)",
    "create view region_drift as select * from (values ('us-east-1', 0.0, 0.0), ('us-west-2', 300.0, 3.0), \
     ('sa-east-1', null, null)) as t (region, drift_ms, drift_score)",
    "create view drift_checks as select 'error_rate' as name, 'performance' as category, 'us-west-2' as region, \
     'critical' as status, 0.0 as baseline_value, 0.02 as current_value, '1' as unit, \
     cast('Infinity' as double) as drift_percent, 5.0 as threshold_percent",
    "create view drift_summary as select 'performance' as category, 3 as checks, 1 as ok, 0 as warning, \
     1 as critical, 1 as no_data",
    "create view verdict_summary as select 'BENIGN' as verdict, 10 as windows, 1.0 as share, 0.8 as mean_confidence, \
     0.9 as highest_confidence, 1 as services, 1 as regions",
    "create view regressions as select $1 as service, 'us-west-2' as region, 'PERFORMANCE_REGRESSION' as verdict, \
     arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as started_at, \
     arrow_cast('2025-01-15T13:40:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as ended_at, \
     8 as windows, 0.9 as confidence, 'latency_delta' as factor_1, 2.4 as factor_1_value, 0.5 as factor_1_threshold, \
     'error_rate_delta' as factor_2, 0.04 as factor_2_value, cast(null as varchar) as factor_3, \
     cast(null as double) as factor_3_value, 'deployment' as change_kind, '2.3.1' as change_name, \
     arrow_cast('2025-01-15T12:58:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as changed_at, 'rules' as judged_by",
    "create view known_incidents as select \
     arrow_cast('2025-01-15T13:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as started_at, \
     arrow_cast('2025-01-15T13:30:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as ended_at, 'us-west-2' as region, \
     $1 as service, 'PERFORMANCE_REGRESSION' as verdict, 'slow route' as detail, 'detected' as outcome",
    "create view recommendations as select * from (values (60, 'performance_regression', 'Roll back.', $1, \
     'latency_spikes.md'), (30, 'slo_latency', 'Compare.', '1 violation', null)) \
     as t (rank, code, text, evidence, runbook)",
    "create view landed_rows as select 1 as position, 'logs' as source, 1234567 as landed, 2 as regions",
    "create view rejected_input as select 'logs' as target, 'ndjson' as format, 'bad_json' as code, 1 as records, \
     1 as sources, $1 as example where false",
];

async fn report(threads: usize) -> Report {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads));
    for model in MODELS {
        let name = format!("'{}'", HOSTILE.replace('\'', "''"));
        context.sql(&model.replace("$1", &name)).await.unwrap().collect().await.unwrap();
    }
    let window = TimeRange::day("2025-01-15").unwrap();
    let scope = Scope {
        period: Period::Daily,
        window,
        baseline: window.previous(),
        baseline_note: "the period before it".to_owned(),
        parameters: vec![("interval_seconds".to_owned(), "300".to_owned())],
        versions: vec![TableVersion { table: "logs".to_owned(), version: 3 }],
    };
    from_session(&context, scope).await.unwrap()
}

#[tokio::test]
async fn the_sections_stand_in_the_order_of_the_specification() {
    let text = report(1).await.to_markdown();
    let titles: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("## ")).collect();
    assert_eq!(
        titles,
        [
            "1. Executive summary",
            "2. Performance",
            "3. SLO compliance",
            "4. Error analysis",
            "5. Regional analysis",
            "6. Regression detection",
            "7. Recommendations",
            "About this report",
        ]
    );
}

#[tokio::test]
async fn the_report_says_in_words_what_happened() {
    let report = report(1).await;
    assert_eq!(
        report.headline(),
        "Daily report for 2025-01-15: health 74.7 of 100; 1 SLO violation, 1 regression, 1 critical drift"
    );
    assert_eq!(report.file_stem(), "daily-2025-01-15");
    let text = report.to_markdown();
    for sentence in [
        "The health score is 74.7 of 100: 25.3 points were taken off",
        "- Between 13:05 and 13:40 evaluation-api in us-west-2 answered 95 % of requests within 412 ms at worst; \
         the limit is 200 ms (critical).",
        "got worse by its own code or configuration (confidence 0.9): latency up 240 % and error rate up 4 points. \
         The last change there was deployment 2.3.1 at 12:58.",
        "1,234,567 requests were recorded, in 1,439 of the window's 1,440 minutes; nothing is known about the other",
        "The worst SLO violation: between 13:05 and 13:40 evaluation-api",
        "Of 1 labelled incident: 1 detected.",
        "The furthest is us-west-2: its p95 is 300 ms higher than the primary's. No data from sa-east-1.",
        "Against the baseline, 2025-01-14 00:00 to 2025-01-15 00:00 (the period before it), 1 critical drift and \
         0 warnings were found in 2 checks that could be made. 1 check lacks data",
        "the error rate tends to fall, by 0.12 percentage points",
        "| regression | none | no data | 10 | no data |",
        "| sa-east-1 | no | no data | no data | no data |",
        "No route has enough requests for a p95.",
        "Every record that was read has landed.",
        "2 more rows; all of them: `select error, status_code",
        "Read from logs version 3. Written by tars",
        "as of 2025-01-16T00:00:00Z.",
    ] {
        assert!(text.contains(sentence), "{sentence:?} is not in:\n{text}");
    }
}

#[tokio::test]
async fn no_text_from_telemetry_breaks_the_markdown() {
    let text = report(1).await.to_markdown();
    assert!(!text.contains('\u{202e}') && !text.contains("<b>") && !text.contains("[l]("));
    // Every row of a table has as many cells as its head: bars that are not escaped, less the two ends.
    let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let mut width = None;
    for line in text.lines() {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        assert_eq!(*width.get_or_insert(cells(line)), cells(line), "{line}");
    }
    assert!(text.contains("svc\\|x \\| \\`a\\` &lt;b&gt;\\[l\\](http\\://e.com)\\\\u{202e}"), "{text}");
}

#[tokio::test]
async fn the_same_inputs_give_the_same_bytes_at_any_thread_count() {
    let (one, four) = (report(1).await, report(4).await);
    for form in Form::ALL {
        assert!(one.to_form(form).unwrap() == four.to_form(form).unwrap(), "{form} differs");
    }
}

#[tokio::test]
async fn markdown_html_and_json_hold_the_same_numbers() {
    let report = report(1).await;
    let (text, json): (_, Json) = (report.to_markdown(), serde_json::from_str(&report.to_json()).unwrap());
    let html = report.to_html();
    let mut compared = 0;
    for (section, json) in report.sections.iter().zip(json["sections"].as_array().unwrap()) {
        for (block, json) in section.blocks.iter().zip(json["blocks"].as_array().unwrap()) {
            let (Block::Table(table) | Block::Advice(table)) = block else { continue };
            assert_eq!(json["sql"], table.sql);
            for (row, json) in table.rows.iter().zip(json["rows"].as_array().unwrap()) {
                for (value, column) in row.iter().zip(&table.columns) {
                    let number = &json[column.id];
                    match value.as_f64() {
                        Some(n) if n.is_finite() => {
                            assert_eq!(number.as_f64(), Some(n), "{} of {}", column.id, table.id);
                            let shown = show(value, column.unit);
                            let is_told = matches!(block, Block::Advice(_));
                            assert!(is_told || text.contains(&format!(" {shown} ")), "{shown}");
                            assert!(is_told || html.contains(&format!(">{shown}</td>")), "{shown}");
                            compared += 1;
                        }
                        Some(_) => assert_eq!(number, "Infinity"),
                        None => assert!(!number.is_number()),
                    }
                }
            }
        }
    }
    assert!(compared > 50, "only {compared} numbers");
}

/// What the pages show, without the blanks at which lines break.
fn pages(report: &Report) -> String {
    let pages = text_of_pages(&render::pdf::document(report)).unwrap();
    pages.concat().chars().filter(|c| !c.is_whitespace()).collect()
}

#[tokio::test]
async fn the_pages_hold_every_cell_of_every_table_in_order() {
    let report = report(1).await;
    let text = pages(&report);
    let mut compared = 0;
    for block in report.sections.iter().flat_map(|s| &s.blocks) {
        let Block::Table(table) = block else { continue };
        for row in &table.rows {
            let cells: String =
                row.iter().zip(&table.columns).map(|(v, c)| in_cell(v, c.unit, report.window)).collect();
            // What cannot be shown is spelled out.
            let cells: String = visible(&cells).chars().filter(|c| !c.is_whitespace()).collect();
            assert!(text.contains(&cells), "{cells:?} of {} is not in:\n{text}", table.id);
            compared += row.len();
        }
    }
    assert!(compared > 100, "only {compared} cells");
    for figure in ["1,234,567", "1,000,000", "23.46%", "63.33%", "70%", "1,412ms"] {
        assert!(text.contains(figure), "{figure} is not in:\n{text}");
    }
}

#[tokio::test]
async fn no_text_from_telemetry_breaks_the_page_or_the_pages() {
    let report = report(1).await;
    let html = report.to_html();
    assert!(html.contains("svc|x | `a` &lt;b&gt;[l](http://e.com)\\u{202e}"), "{html}");
    assert!(!html.contains('\u{202e}') && !html.contains("<b>") && !html.contains("<script"));
    // Every tag that is opened is closed, whatever stands between.
    for tag in [
        "section", "figure", "table", "tr", "td", "details", "pre", "svg", "text", "ul", "ol", "li", "p",
        "dl",
    ] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let text = pages(&report);
    assert!(text.contains("svc|x|`a`<b>[l](http://e.com)\\u{202e}"), "{text}");
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_shows_every_query() {
    let report = report(1).await;
    let html = report.to_html();
    for outside in ["src=", "url(", "@import", "<link", "<script", "<iframe"] {
        assert!(!html.contains(outside), "{outside} is in the page");
    }
    // The only address is the name space of SVG.
    let addresses = html.matches("http://").count() - html.matches("http://e.com").count();
    assert_eq!(addresses, html.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    let queries: Vec<&str> = report
        .sections
        .iter()
        .flat_map(|s| &s.blocks)
        .filter_map(|block| match block {
            Block::Figures(f) => Some(f.sql.as_str()),
            Block::Table(t) | Block::Advice(t) => Some(t.sql.as_str()),
            Block::Picture(p) => Some(p.table.sql.as_str()),
            Block::Paragraph(_) | Block::List(_) => None,
        })
        .collect();
    assert!(queries.len() > 25);
    for query in queries {
        let query = query.replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
        assert!(html.contains(&format!("<pre><code>{query}</code></pre>")), "{query}");
    }
}

#[tokio::test]
async fn a_chart_is_drawn_where_there_is_data_and_says_so_where_there_is_none() {
    let report = report(1).await;
    let html = report.to_html();
    let pictures: Vec<_> = report
        .sections
        .iter()
        .flat_map(|s| &s.blocks)
        .filter_map(|block| match block {
            Block::Picture(picture) => Some(picture),
            _ => None,
        })
        .collect();
    let ids: Vec<_> = pictures.iter().map(|p| p.table.id).collect();
    assert_eq!(
        ids,
        [
            "latency_over_time",
            "budget_burn_down",
            "worst_latency_slo",
            "error_rate_over_time",
            "top_errors_drawn",
            "regions_over_time",
            "drift_map",
            "verdict_timeline",
        ]
    );
    assert_eq!(html.matches("<svg").count(), pictures.iter().filter(|p| p.has_data()).count());
    for part in ["api_latency_p95: 150 ms", "target: 150 ms", "threshold: 200 ms", "used up", ">∞ %</text>"]
    {
        assert!(html.contains(part), "{part} is not in the page");
    }
    let mut silent = pictures[0].clone();
    silent.table.rows.clear();
    assert!(!silent.has_data());
}

#[tokio::test]
async fn the_key_figures_stand_beside_those_of_the_day_before() {
    let report = report(1).await;
    let text = report.to_markdown();
    assert!(text.contains("| Figure | Value | In the day before | Change |"), "{text}");
    // 1,234,567 / 1,000,000 - 1 = 23.4567 %.
    assert!(text.contains("| Requests | 1,234,567 | 1,000,000 | 23.46 % |"), "{text}");
    assert!(text.contains("| Evaluation success | no data | no data | no data |"), "{text}");
    let json: Json = serde_json::from_str(&report.to_json()).unwrap();
    let blocks = json["sections"][0]["blocks"].as_array().unwrap();
    let figures = blocks.iter().find(|b| b["kind"] == "figures").unwrap();
    assert_eq!(figures["figures"][0]["change_percent"], 23.457);
    assert_eq!(figures["compared_with"], "the day before");
}

#[tokio::test]
async fn json_keeps_text_as_it_is_and_describes_itself() {
    let json: Json = serde_json::from_str(&report(1).await.to_json()).unwrap();
    assert_eq!(json["schema_version"], super::JSON_SCHEMA_VERSION);
    assert_eq!(json["generated_at"], "2025-01-16T00:00:00Z");
    assert_eq!(json["health_score"], 74.667);
    assert_eq!(json["tables_read"][0]["version"], 3);
    assert_eq!(json["about"]["rounding"]["ms"], Unit::Milliseconds.decimals());
    let text = json.to_string();
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    assert!(text.contains(hostile.trim_matches('"')), "{text}");
}

#[tokio::test]
async fn a_model_that_is_missing_is_an_error_that_names_the_query() {
    let window = TimeRange::day("2025-01-15").unwrap();
    let scope = Scope {
        period: Period::Weekly,
        window,
        baseline: window.previous(),
        baseline_note: String::new(),
        parameters: vec![],
        versions: vec![],
    };
    let error = from_session(&SessionContext::new(), scope).await.unwrap_err();
    assert!(error.to_string().contains("health_score"), "{error}");
    assert!(error.hint().is_some());
}
