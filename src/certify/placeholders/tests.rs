//! The registry itself.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_name_is_known_once_and_carries_its_query() {
    let all = described();
    let names: BTreeSet<_> = all.iter().map(|d| d.name).collect();
    assert_eq!(names.len(), all.len(), "a name stands twice");
    for d in &all {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(d.name.chars().all(plain), "{}", d.name);
        assert!(d.sql.starts_with("select ") && d.sql.contains(" from "), "{}: {}", d.name, d.sql);
        assert!(!d.meaning.is_empty() && is_known(d.name), "{}", d.name);
    }
    assert!(!is_known("NO_SUCH_NAME"));
}

#[test]
fn every_source_has_as_many_placeholders_as_its_documents_promise() {
    let of = |source| described().iter().filter(|d| d.source == source).count();
    for (source, least) in [
        (Source::Kpi, 45),
        (Source::Drift, 12),
        (Source::WebSocket, 8),
        (Source::Validation, 15),
        (Source::Canary, 8),
        (Source::Calculated, 70),
    ] {
        assert!(of(source) >= least, "{source}: expected {least}, got {}", of(source));
    }
    for name in [
        "OVERALL_AVAILABILITY",
        "P99_LATENCY_MS",
        "TOTAL_REQUESTS",
        "TOTAL_DRIFT_CHECKS",
        "DRIFTS_DETECTED",
        "CRITICAL_DRIFTS",
        "WS_SUCCESS_RATE",
        "WS_AVG_LATENCY",
        "WS_MAX_DOWNTIME",
        "CANARY_SUCCESS_RATE",
        "CANARY_ERROR_RATE",
        "GENERATION_TIMESTAMP",
        "GA_DURATION_HOURS",
        "INSERT_TEST_RESULTS_BREAKDOWN",
        "INSERT_FAILED_TESTS",
    ] {
        assert!(is_known(name), "{name}");
    }
}
