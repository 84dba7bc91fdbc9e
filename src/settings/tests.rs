//! What users may write, and what they are told when it is wrong.

mod slo;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::*;
use crate::domain::{DriftCategory, REGRESSION_FEATURES, SloType, Verdict};

fn load(text: &str) -> Result<Settings, Error> {
    Settings::from_text(Some(("tars.toml", text)))
}

/// The one problem and its remedy.
fn refused(text: &str) -> (String, String) {
    let error = load(text).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

fn check(text: &str, message: &str, remedy: &str) {
    let (error, hint) = refused(text);
    assert_eq!(error, format!("settings file `tars.toml`: {message}"), "for {text}");
    assert!(hint.contains(remedy), "remedy {hint:?} lacks {remedy:?}");
}

#[test]
fn the_defaults_are_sound_and_hold_the_numbers_of_the_specification() {
    let settings = Settings::default();
    let slo = |name: &str| settings.slos.iter().find(|s| s.name == name).unwrap();
    let latency = slo("api_latency_p95");
    assert_eq!(latency.kind, SloType::Latency);
    assert_eq!((latency.target, latency.threshold), (150.0, 200.0));
    assert_eq!((latency.window_seconds, latency.percentile), (300, Some(0.95)));
    assert_eq!((slo("error_rate").target, slo("error_rate").threshold), (0.01, 0.05));
    assert_eq!(slo("evaluation_success").target, 0.99);
    for (category, threshold) in [
        (DriftCategory::Resource, 10.0),
        (DriftCategory::Performance, 5.0),
        (DriftCategory::Configuration, 0.0),
        (DriftCategory::Behavior, 10.0),
    ] {
        let checks: Vec<_> = settings.drift.iter().filter(|d| d.category == category).collect();
        assert!(!checks.is_empty(), "{category}");
        // Rewards are no part of the specification, and have limits of their own.
        for check in checks.into_iter().filter(|d| d.name != "reward") {
            let limits = (check.threshold_percent, check.warning_percent, check.critical_percent);
            assert_eq!(limits, (threshold, 5.0, 10.0), "{}", check.name);
        }
    }
    let health = settings.health;
    assert_eq!((health.start, health.slo_violation, health.error_rate), (100.0, 2.0, 20.0));
    assert_eq!((health.regression, health.regional_drift, health.floor), (10.0, 5.0, 0.0));
    assert_eq!(settings.regions.primary, "us-east-1");
    assert_eq!(settings.regions.expected.len(), 6);
    assert_eq!((settings.cost.core_hour, settings.cost.memory_gb_hour), (0.10, 0.02));
    for verdict in [Verdict::PerformanceRegression, Verdict::EnvironmentRegression] {
        assert!(settings.rules.iter().any(|r| r.verdict == verdict));
    }
}

#[test]
fn the_queries_for_prometheus_cover_nine_groups_and_can_be_changed() {
    let settings = Settings::default();
    let queries = &settings.prometheus_queries;
    assert!(queries.len() >= 60, "{}", queries.len());
    let mut groups: Vec<&str> = queries.iter().map(|q| q.group.as_str()).collect();
    groups.dedup();
    let nine = ["agent", "api", "database", "evaluation", "queue", "redis", "region", "resource", "slo"];
    assert_eq!(groups, nine);
    for query in queries {
        let count = |c: char| query.query.matches(c).count();
        assert!(
            count('(') == count(')') && count('{') == count('}') && count('[') == count(']'),
            "{query:?}"
        );
    }
    let changed = load(
        "[[prometheus_query]]\nname = \"cpu_utilization\"\nquery = \"x\"\n\
         [[prometheus_query]]\nname = \"redis_keys\"\nenabled = false\n\
         [[prometheus_query]]\nname = \"own\"\ngroup = \"mine\"\nquery = \"y\"\n",
    )
    .unwrap();
    assert_eq!(changed.prometheus_queries.len(), queries.len());
    let query = |name: &str| changed.prometheus_queries.iter().find(|q| q.name == name);
    assert_eq!(
        query("cpu_utilization").map(|q| (q.group.as_str(), q.query.as_str())),
        Some(("resource", "x"))
    );
    assert_eq!((query("redis_keys"), query("own").is_some()), (None, true));
    // What is pulled is no part of what an analysis depends on.
    assert_eq!(changed.digest(), settings.digest());
    check(
        "[[prometheus_query]]\nname = \"a b\"\ngroup = \"g\"\nquery = \"q\"\n",
        "prometheus_query[0].name: expected a metric name of letters, digits, `_`, `:` and `.`, got \"a b\"",
        "",
    );
}

#[test]
fn an_entry_with_a_known_name_changes_only_the_fields_it_gives() {
    let settings = load("[[slo]]\nname = \"api_latency_p95\"\ntarget = 100").unwrap();
    let slo = settings.slos.iter().find(|s| s.name == "api_latency_p95").unwrap();
    assert_eq!((slo.target, slo.threshold, slo.percentile), (100.0, 200.0, Some(0.95)));
    assert_eq!(settings.slos.len(), Settings::default().slos.len());
}

#[test]
fn an_entry_with_a_new_name_is_added_and_one_that_is_not_enabled_is_dropped() {
    let settings = load(
        "[[slo]]\nname = \"checkout\"\ntype = \"throughput\"\ntarget = 50\nthreshold = 20\nwindow_seconds = 60\nservice = \"shop\"\n\
         [[slo]]\nname = \"availability\"\nenabled = false\n\
         [metrics]\ncpu_utilization = { enabled = false }\nload1 = { role = \"cpu_utilization\", unit = \"loads\", factor = 25 }",
    )
    .unwrap();
    let names: Vec<_> = settings.slos.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&"checkout") && !names.contains(&"availability"), "{names:?}");
    assert!(!settings.metrics.iter().any(|m| m.metric == "cpu_utilization"));
    assert!(settings.metrics.iter().any(|m| m.metric == "load1" && m.factor == Some(25.0)));
}

#[test]
fn a_section_overrides_key_by_key_and_a_category_reaches_its_checks() {
    let settings = load(
        "[regions]\nprimary = \"eu-west-1\"\n[detection]\nzscore_limit = 4\n\
         [[drift_category]]\nname = \"Resource\"\nthreshold_percent = 20\n\
         [[drift]]\nname = \"disk_io\"\ncritical_percent = 50",
    )
    .unwrap();
    assert_eq!(settings.regions.primary, "eu-west-1");
    assert_eq!(settings.regions.expected.len(), 7);
    assert_eq!((settings.detection.zscore_limit, settings.detection.band_width), (4.0, 2.0));
    let drift = |name: &str| settings.drift.iter().find(|d| d.name == name).unwrap();
    assert_eq!(drift("cpu_utilization").threshold_percent, 20.0);
    assert_eq!((drift("disk_io").threshold_percent, drift("disk_io").critical_percent), (20.0, 50.0));
}

#[test]
fn a_share_written_in_percent_is_refused_with_the_share_to_write() {
    check(
        "[[slo]]\nname = \"api_latency_p95\"\npercentile = 95",
        "slo[0].percentile: expected a share between 0 and 1, both excluded, got 95",
        "write percentile = 0.95",
    );
    check(
        "[[slo]]\nname = \"error_rate\"\nthreshold = 5",
        "slo[0].threshold: expected a share between 0 and 1 for type `error_rate`, got 5",
        "write threshold = 0.05",
    );
}

#[test]
fn slips_are_recognised() {
    check(
        "[[slo]]\nname = \"error_rate\"\ntreshold = 0.05",
        "slo[0].treshold: expected a key of this section, got an unknown key",
        "did you mean `threshold`?",
    );
    check(
        "[[slos]]\nname = \"x\"",
        "slos: expected a section of the settings, got an unknown section",
        "did you mean `slo`?",
    );
    check(
        "[[drift]]\nname = \"cpu_utilization\"\ncategory = \"resources\"",
        "drift[0].category: expected one of resource, performance, configuration, behavior, got `resources`",
        "did you mean `resource`?",
    );
    check(
        "[[rule]]\nfeature = \"latency_delt\"\nverdict = \"PERFORMANCE_REGRESSION\"\ndirection = \"above\"\nthreshold = 1\nweight = 1",
        "rule[0].feature: expected one of the 21 regression features, got `latency_delt`",
        "did you mean `latency_delta`?",
    );
    check(
        "[[rule]]\nfeature = \"latency_delta\"\nverdict = \"PERF_REGRESSION\"\ndirection = \"above\"\nthreshold = 1\nweight = 1",
        "rule[0].verdict: expected one of PERFORMANCE_REGRESSION, ENVIRONMENT_REGRESSION, got `PERF_REGRESSION`",
        "",
    );
    check(
        "[[rule]]\nfeature = \"latency_delta\"\nverdict = \"BENIGN\"\ndirection = \"above\"\nthreshold = 1\nweight = 1",
        "rule[0].verdict: expected a regression, got `BENIGN`",
        "enabled = false",
    );
    check(
        "[metrics]\nmy_cpu = { role = \"cpu_utilisation\" }",
        "metrics.\"my_cpu\".role: expected a known role, got `cpu_utilisation`",
        "did you mean `cpu_utilization`?",
    );
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    check(
        "[[slo]]\nname = \"error_rate\"\n[[slo]]\nname = \"error_rate\"",
        "slo[1].name: expected each entry once, got `error_rate` a second time",
        "slo[0] stands for the same",
    );
}

#[test]
fn values_of_the_wrong_type_are_shown() {
    check(
        "[detection]\newma_alpha = \"0.3\"",
        "detection.ewma_alpha: expected a finite number, got \"0.3\"",
        "without quotes",
    );
    check("slo = 5", "slo: expected a list of tables, got 5", "write [[slo]]");
    check("[[health]]\nstart = 1", "health: expected a table, got a list of 1", "write [health]");
    check(
        "[health]\nslo_violation = -2",
        "health.slo_violation: expected a number that is not negative, got -2",
        "",
    );
    check(
        "[metrics]\nx = { role = \"memory_usage\", unit = \"pages\" }",
        "metrics.\"x\".unit: expected a unit that converts to bytes (bytes, By, B, Bytes, KiB, KiBy, MiB, MiBy, GiB, \
         GiBy, kB, kBy, Kilobytes, MB, MBy, Megabytes, GB, GBy, Gigabytes), got `pages`",
        "add `factor`",
    );
    check(
        "[[mapping]]\ntable = \"log\"\nfrom = \"a\"\nto = \"duration_ms\"",
        "mapping[0].table: expected one of logs, spans, metrics, evaluations, changes, alerts, incidents, got `log`",
        "did you mean `logs`?",
    );
    check(
        "[[slo]]\ntarget = 1",
        "slo[0].name: expected a text that is not empty, got nothing",
        "give `name`",
    );
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let (error, hint) =
        refused("[cost]\ncore_hour = -1\nmemory_gb_hours = 2\n[[slo]]\nname = \"new\"\ntype = \"latncy\"");
    for part in ["cost.core_hour", "cost.memory_gb_hours", "slo[0].type", "slo[0].target"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(hint.contains("cost.memory_gb_hours: did you mean `memory_gb_hour`?"), "{hint}");
    assert!(hint.contains("slo[0].type: in `new`, did you mean `latency`?"), "{hint}");
}

#[test]
fn text_that_is_not_toml_and_a_file_that_is_not_there_are_told_apart() {
    let error = load("[[slo]\n").unwrap_err();
    assert!(matches!(error, Error::Syntax { .. }), "{error}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("line 1"), "{error:?}");
    let error = Settings::load(Some(std::path::Path::new("/no/such/tars.toml"))).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the settings file `/no/such/tars.toml`");
    assert!(error.hint().unwrap().contains("--config"));
}

#[test]
fn the_digest_follows_the_values_and_not_the_spelling() {
    let base = Settings::default().digest();
    assert_eq!(base.len(), 64);
    assert_eq!(load("[detection]\nband_width = 2").unwrap().digest(), base);
    let first =
        "[[slo]]\nname = \"error_rate\"\ntarget = 0.01\n[[slo]]\nname = \"availability\"\ntarget = 0.999";
    assert_eq!(load(first).unwrap().digest(), base);
    assert_ne!(load("[detection]\nband_width = 2.5").unwrap().digest(), base);
}

#[test]
fn a_tables_own_retention_goes_before_that_of_its_kind() {
    let days = |settings: &Settings| {
        let of = |table, derived| settings.retention_days(table, derived);
        [of("logs", false), of("spans", false), of("log_minutes", true)]
    };
    assert_eq!(days(&Settings::default()), [Some(90), Some(90), Some(365)]);
    let own = "[[retention]]\ntable = \"logs\"\ndays = 7\n[[retention]]\ntable = \"derived\"\ndays = 0\n";
    assert_eq!(days(&load(own).unwrap()), [Some(7), Some(90), None]);
    let upkeep = load("[upkeep]\ntarget_file_size = \"1GiB\"\n").unwrap().upkeep;
    assert_eq!((upkeep.target_file_bytes, upkeep.vacuum_days), (1 << 30, 7));
    let (error, hint) = refused("[upkeep]\ntarget_file_size = \"much\"");
    assert!(error.contains("upkeep.target_file_size") && hint.contains("64MiB"), "{error}\n{hint}");
    assert!(refused("[[retention]]\ntable = \"raw\"\ndays = -1").0.contains("at least 0"));
}

#[test]
fn the_whole_document_can_be_copied() {
    assert_eq!(load(DEFAULTS).unwrap(), Settings::default());
}

#[test]
fn tables_have_the_columns_that_models_join() {
    let tables = Settings::default().tables().unwrap();
    let columns = |name: &str| {
        let (_, batch) = tables.iter().find(|(table, _)| *table == name).unwrap();
        assert!(batch.num_rows() > 0, "{name}");
        batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>().join(" ")
    };
    for (table, expected) in [
        (
            "settings_slos",
            "name type target threshold window_seconds percentile region service route agent_type filter reads band detect percentiles max_routes objective budgeting period period_seconds rolling_seconds time_zone",
        ),
        ("settings_regions", "region is_primary"),
        ("settings_drift", "name category threshold_percent warning_percent critical_percent floor seasonal"),
        ("settings_rules", "feature verdict threshold direction weight"),
        ("settings_health", "item amount meaning"),
        ("settings_metrics", "role metric unit factor is_part role_unit"),
        ("settings_recommendations", "code condition text runbook rank"),
        ("settings_cost", "core_hour memory_gb_hour"),
        ("settings_ga", "recommend_at consider_at"),
        ("settings_rollback", "signal weight full_at"),
        ("settings_change", "lookback_seconds false_alarms min_effect_percent spread_ratio psi"),
    ] {
        assert_eq!(columns(table), expected);
    }
    assert!(columns("settings_detection").starts_with("ewma_alpha band_periods band_width zscore_limit"));
}

#[test]
fn a_list_without_entries_is_a_table_without_rows() {
    let mut settings = Settings::default();
    settings.slos.clear();
    let tables = settings.tables().unwrap();
    assert_eq!(tables[0].1.num_rows(), 0);
    assert_eq!(tables[0].1.num_columns(), 22);
}

#[test]
fn what_is_wrong_with_an_entry_is_said_with_its_name() {
    check(
        "[[slo]]\nname = \"error_rate\"\nobjective = 99.9",
        "slo[0].objective: expected a share above 0 and at most 1, got 99.9",
        "in `error_rate`, write objective = 0.999",
    );
    check(
        "[[slo]]\nname = \"error_rate\"\npercentiles = \"exact\"",
        "slo[0].percentiles: expected nothing for type `error_rate`, got `exact`",
        "in `error_rate`, remove it",
    );
}

#[test]
fn each_metric_has_one_factor_per_unit() {
    let text = "[metrics]\nload1 = { role = \"cpu_utilization\", unit = \"loads\", factor = 25 }";
    let tables = load(text).unwrap().tables().unwrap();
    let (_, batch) = tables.iter().find(|(table, _)| *table == "settings_metrics").unwrap();
    let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
    let (metric, unit) = (text("metric"), text("unit"));
    let factor = batch.column_by_name("factor").unwrap().as_primitive::<Float64Type>().clone();
    let factor_of = |m: &str, u: &str| {
        let rows: Vec<usize> =
            (0..metric.len()).filter(|i| metric.value(*i) == m && unit.value(*i) == u).collect();
        assert!(rows.len() <= 1, "{m} {u}");
        rows.first().map(|i| factor.value(*i))
    };
    for (m, u, expected) in [
        ("load1", "loads", Some(25.0)),
        ("load1", "", Some(25.0)),
        ("load1", "percent", Some(1.0)),
        ("container_cpu_utilization", "", Some(100.0)),
        ("container_cpu_utilization", "1", Some(100.0)),
        ("container_cpu_utilization", "%", Some(1.0)),
        ("server_latency_p95", "s", Some(1000.0)),
        ("cpu_utilization", "bytes", None),
    ] {
        assert_eq!(factor_of(m, u), expected, "{m} {u}");
    }
    let all = Settings::default();
    assert!(all.rules.iter().all(|r| REGRESSION_FEATURES.contains(&r.feature.as_str())));
}

#[test]
fn notifications_name_their_secret_and_never_hold_it() {
    let text = "[[notification]]\nname = \"ops\"\nchannel = \"slack\"\nsecret_env = \"SLACK_URL\"\n";
    let ops = load(text).unwrap().notifications.remove(0);
    assert_eq!((ops.name.as_str(), ops.severity, ops.url), ("ops", crate::domain::Severity::Error, None));
    let (text, _) = refused(
        "[[notification]]\nname = \"ops\"\nchannel = \"statuspage\"\nsecret_env = \"https://hooks.example/T0/s3cr3t\"",
    );
    for part in ["notification[0].secret_env", "notification[0].page"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[test]
fn the_ga_window_is_whole_and_signals_are_known() {
    let settings = load("[ga]\nfrom = \"2025-01-15T00:00:00Z\"\nto = \"2025-01-16T00:00:00Z\"").unwrap();
    assert_eq!(settings.ga.window, Some(crate::domain::TimeRange::day("2025-01-15").unwrap()));
    assert_eq!(settings.rollback.len(), ROLLBACK_SIGNALS.len());
    let text = refused("[ga]\nfrom = \"2025-01-15T00:00:00Z\"\n[[rollback]]\nsignal = \"mood\"").0;
    for part in ["ga.from", "rollback[0].signal", "rollback[0].weight"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_a_drift_needs_is_checked_key_by_key() {
    let settings = load("[drift_evidence]\nseason = \"hour_of_week\"").unwrap();
    assert_eq!((settings.drift_evidence.season, settings.drift_evidence.stale_days), (Season::HourOfWeek, 7));
    check(
        "[drift_evidence]\nfalse_alarm_rate = 5",
        "drift_evidence.false_alarm_rate: expected a share above 0 and at most 1, got 5",
        "write false_alarm_rate = 0.05",
    );
    check(
        "[drift_evidence]\nseason = \"hour_of_wek\"",
        "drift_evidence.season: expected one of none, hour_of_day, hour_of_week, got `hour_of_wek`",
        "did you mean `hour_of_week`?",
    );
    let (error, _) = refused("[drift_evidence]\nchange_kinds = [\"replica\"]\nmin_intervals = 1");
    assert!(error.contains("kinds of changes: ") && error.contains("at least 3, got 1"), "{error}");
}

#[test]
fn advice_is_for_what_is_not_ok_and_can_be_replaced() {
    let settings =
        load("[[mitigation]]\ncategory = \"behavior\"\nstatus = \"warning\"\ntext = \"Ask the clients.\"")
            .unwrap();
    let texts: Vec<_> = settings.mitigations.iter().filter(|m| m.text == "Ask the clients.").collect();
    assert_eq!((texts.len(), settings.mitigations.len()), (1, Settings::default().mitigations.len()));
    let (error, hint) = refused("[[mitigation]]\ncategory = \"behavior\"\nstatus = \"ok\"\ntext = \"x\"");
    assert!(
        error.contains("expected warning or critical") && hint.contains("nothing is to be done"),
        "{error}"
    );
}
