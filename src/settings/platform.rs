//! What a platform has to show: criteria that certify or validate it, and how its parts are recognised.

use arrow::array::RecordBatch;
use serde::Serialize;

use super::Error;
use super::load::Entry;
use super::read::{Problems, Section, did_you_mean};
use super::tables::{Columns, doubles, integers, texts};

/// What groups of criteria there are: what certifies a release, what validates a deployment, and what
/// keeps a watch on the platform's parts.
const SUITES: [&str; 3] = ["certification", "validation", "platform"];
/// A criterion that is not met fails its suite, or is only worth a warning.
const LEVELS: [&str; 2] = ["required", "warning"];
/// How an observed value is compared with the threshold.
const COMPARISONS: [&str; 5] = [">=", "<=", ">", "<", "="];

/// One thing that is checked: an observed value against a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Criterion {
    /// The group that it belongs to.
    pub suite: String,
    /// Its name, once per suite.
    pub name: String,
    /// What part of the platform it is about.
    pub area: String,
    /// What it says, in words.
    pub title: String,
    /// What is observed: a `measure` of the model `check_observations`.
    pub measure: String,
    /// How the observed value is compared with the threshold: `>=`, `<=`, `>`, `<` or `=`.
    pub comparison: String,
    /// What it is compared with, in `unit`.
    pub threshold: f64,
    /// The unit of both.
    pub unit: String,
    /// `required`, or `warning` for one that fails nothing.
    pub level: String,
    /// Order among its suite, lowest first.
    pub rank: i64,
}

/// How the parts of a platform are recognised in telemetry. Patterns are those of SQL's `like`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Platform {
    /// Services whose memory is an agent's.
    pub agent_services: Vec<String>,
    /// Routes that load a whole dashboard.
    pub dashboard_routes: Vec<String>,
    /// Routes that load one panel.
    pub panel_routes: Vec<String>,
    /// Database statements that analyse many rows instead of looking one up.
    pub analytics_statements: Vec<String>,
    /// Database systems that are caches.
    pub cache_systems: Vec<String>,
    /// How long before the end of a window a rollback test still counts.
    pub rollback_days: i64,
    /// A series of memory samples that is shorter says nothing about growth.
    pub memory_hours: f64,
    /// Share of a host's memory whose sudden loss means that it was restarted.
    pub restart_drop: f64,
    /// Calls of one statement in one trace from which it is called in a loop.
    pub loop_calls: i64,
    /// p95 in ms from which a statement is slow.
    pub slow_statement_ms: f64,
}

/// One of a few known words.
pub(super) fn known(section: &mut Section<'_>, key: &'static str, words: &[&str]) -> Option<String> {
    let text = section.text(key);
    if words.contains(&text.as_str()) {
        return Some(text);
    }
    if !text.is_empty() {
        let remedy = did_you_mean(&text, words.iter().copied());
        section.wrong(key, format!("`{text}`"), format!("one of {}", words.join(", ")), remedy);
    }
    None
}

/// Reads a criterion.
pub(super) fn criterion(section: &mut Section<'_>) -> Option<Criterion> {
    let suite = known(section, "suite", &SUITES);
    let comparison = known(section, "comparison", &COMPARISONS);
    let level = known(section, "level", &LEVELS);
    let (name, area) = (section.text("name"), section.text("area"));
    let (title, measure, unit) = (section.text("title"), section.text("measure"), section.text("unit"));
    let threshold = section.number("threshold");
    let rank = section.integer("rank");
    Some(Criterion {
        suite: suite?,
        name,
        area,
        title,
        measure,
        comparison: comparison?,
        threshold: threshold?,
        unit,
        level: level?,
        rank: rank?,
    })
}

/// Reads how parts are recognised.
pub(super) fn platform(entry: Entry, problems: &mut Problems) -> Platform {
    let mut section = Section::new(entry.path, entry.table, problems);
    let s = &mut section;
    let platform = Platform {
        agent_services: s.texts("agent_services").unwrap_or_default(),
        dashboard_routes: s.texts("dashboard_routes").unwrap_or_default(),
        panel_routes: s.texts("panel_routes").unwrap_or_default(),
        analytics_statements: s.texts("analytics_statements").unwrap_or_default(),
        cache_systems: s.texts("cache_systems").unwrap_or_default(),
        rollback_days: s.integer("rollback_days").unwrap_or_default(),
        memory_hours: s.amount("memory_hours"),
        restart_drop: s.amount("restart_drop"),
        loop_calls: s.integer("loop_calls").unwrap_or_default(),
        slow_statement_ms: s.amount("slow_statement_ms"),
    };
    if platform.restart_drop <= 0.0 || platform.restart_drop >= 1.0 {
        let got = platform.restart_drop.to_string();
        s.wrong("restart_drop", got, "a share between 0 and 1, both excluded", None);
    }
    for (key, value, least) in
        [("rollback_days", platform.rollback_days, 0), ("loop_calls", platform.loop_calls, 2)]
    {
        if value < least {
            s.wrong(key, value.to_string(), format!("a whole number of at least {least}"), None);
        }
    }
    section.finish();
    platform
}

/// The settings of this file as tables for SQL.
pub(super) fn tables(
    criteria: &[Criterion],
    platform: &Platform,
) -> Result<Vec<(&'static str, RecordBatch)>, Error> {
    let selectors: Vec<(&str, &String)> = [
        ("agent_service", &platform.agent_services),
        ("dashboard_route", &platform.dashboard_routes),
        ("panel_route", &platform.panel_routes),
        ("analytics_statement", &platform.analytics_statements),
        ("cache_system", &platform.cache_systems),
    ]
    .into_iter()
    .flat_map(|(what, patterns)| patterns.iter().map(move |pattern| (what, pattern)))
    .collect();
    let all = || criteria.iter();
    let tables: [(&'static str, Columns); 3] = [
        (
            "settings_criteria",
            vec![
                ("suite", texts(all().map(|c| c.suite.as_str()))),
                ("name", texts(all().map(|c| c.name.as_str()))),
                ("area", texts(all().map(|c| c.area.as_str()))),
                ("title", texts(all().map(|c| c.title.as_str()))),
                ("measure", texts(all().map(|c| c.measure.as_str()))),
                ("comparison", texts(all().map(|c| c.comparison.as_str()))),
                ("threshold", doubles(all().map(|c| c.threshold))),
                ("unit", texts(all().map(|c| c.unit.as_str()))),
                ("level", texts(all().map(|c| c.level.as_str()))),
                ("rank", integers(all().map(|c| c.rank))),
            ],
        ),
        (
            "settings_selectors",
            vec![
                ("what", texts(selectors.iter().map(|(what, _)| *what))),
                ("pattern", texts(selectors.iter().map(|(_, pattern)| pattern.as_str()))),
            ],
        ),
        (
            "settings_platform",
            vec![
                ("rollback_days", integers(std::iter::once(platform.rollback_days))),
                ("memory_hours", doubles(std::iter::once(platform.memory_hours))),
                ("restart_drop", doubles(std::iter::once(platform.restart_drop))),
                ("loop_calls", integers(std::iter::once(platform.loop_calls))),
                ("slow_statement_ms", doubles(std::iter::once(platform.slow_statement_ms))),
            ],
        ),
    ];
    let batch = |(table, columns): (&'static str, Columns)| {
        RecordBatch::try_from_iter(columns)
            .map(|b| (table, b))
            .map_err(|source| Error::Table { table, source })
    };
    tables.into_iter().map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn problems(text: &str) -> String {
        Settings::from_text(Some(("tars.toml", text))).unwrap_err().to_string()
    }

    #[test]
    fn a_threshold_changes_alone_and_every_default_criterion_stays() {
        let text = "[[criterion]]\nsuite = \"validation\"\nname = \"p99_latency\"\nthreshold = 250\n";
        let (usual, changed) = (Settings::default(), Settings::from_text(Some(("tars.toml", text))).unwrap());
        assert_eq!(changed.criteria.len(), usual.criteria.len());
        let of = |suite: &str| {
            let found = changed.criteria.iter().find(|c| c.suite == suite && c.name == "p99_latency");
            (found.unwrap().threshold, found.unwrap().comparison.clone())
        };
        assert_eq!(of("validation"), (250.0, "<".to_owned()));
        assert_eq!(of("certification"), (500.0, "<".to_owned()));
        assert_ne!(usual.digest(), changed.digest());
    }

    #[test]
    fn a_criterion_with_an_unknown_word_is_refused_by_name() {
        let of = |line: &str| {
            problems(&format!("[[criterion]]\nsuite = \"validation\"\nname = \"p99_latency\"\n{line}\n"))
        };
        assert!(
            of("comparison = \"~\"").contains("criterion[0].comparison: expected one of >=, <=, >, <, =")
        );
        assert!(of("level = \"requird\"").contains("expected one of required, warning, got `requird`"));
        assert!(problems("[platform]\nrestart_drop = 1.5").contains("a share between 0 and 1"));
        assert!(problems("[platform]\nloop_calls = 1").contains("a whole number of at least 2"));
    }

    #[test]
    fn a_ratio_needs_what_it_is_of_and_an_alert_a_known_severity() {
        let rule = "[[recording_rule]]\nname = \"a\"\ngroup = \"api\"\nquantity = \"request_errors\"\n\
                    apart = \"all\"\nunit = \"1\"\n";
        assert!(problems(&format!("{rule}statistic = \"ratio\"\n")).contains("recording_rule[0].of"));
        let other = format!("{rule}statistic = \"rate\"\nof = \"requests\"\n");
        assert!(problems(&other).contains("nothing for statistic `rate`"));
        let alert = "[[alert_rule]]\nname = \"ServiceDown\"\nseverity = \"fatal\"\n";
        assert!(problems(alert).contains("alert_rule[0].severity"));
    }
}
