//! The closed vocabularies of the field: what a value may be, how it is spelled, how it ranks.

/// Defines an enum whose variants have one canonical spelling, with `as_str`, `ALL`, `Display` and
/// `FromStr` (any letter case), so that every vocabulary reads and prints the same way.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, lowest rank first.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The one canonical spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(text.trim())).ok_or_else(|| {
                    UnknownWord {
                        what: $what,
                        got: text.to_owned(),
                        expected: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }
    };
}

/// A word outside its vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{got}`; expected one of: {expected}")]
pub struct UnknownWord {
    what: &'static str,
    got: String,
    expected: String,
}

vocabulary! {
    /// How bad a violation or an alert is.
    Severity ("severity") {
        /// Worth knowing.
        Info = "info",
        /// Worth a look in working hours.
        Warning = "warning",
        /// Users notice.
        Error = "error",
        /// Wake somebody up.
        Critical = "critical",
    }
}

vocabulary! {
    /// A service that takes messages.
    NotificationChannel ("notification channel") {
        /// An incoming webhook of Slack.
        Slack = "slack",
        /// The Events API v2 of PagerDuty.
        PagerDuty = "pagerduty",
        /// Incidents of a Statuspage.
        Statuspage = "statuspage",
    }
}

vocabulary! {
    /// The level of a log line, on the scale of the OpenTelemetry log data model.
    Level ("log level") {
        /// Severity numbers 1 to 4.
        Trace = "TRACE",
        /// Severity numbers 5 to 8.
        Debug = "DEBUG",
        /// Severity numbers 9 to 12.
        Info = "INFO",
        /// Severity numbers 13 to 16.
        Warn = "WARN",
        /// Severity numbers 17 to 20.
        Error = "ERROR",
        /// Severity numbers 21 to 24.
        Fatal = "FATAL",
    }
}

impl Level {
    /// Maps the spellings of common loggers, syslog and Google Cloud onto the one scale.
    ///
    /// Google Cloud: DEFAULT, DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY.
    /// A spelling that nobody uses is `None`; the caller keeps the text.
    pub fn from_text(text: &str) -> Option<Level> {
        let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
        if is(&["info", "notice", "information", "informational", "default", "i", "inf", "log"]) {
            Some(Level::Info)
        } else if is(&["error", "err", "e", "severe", "eror"]) {
            Some(Level::Error)
        } else if is(&["warn", "warning", "w", "wrn"]) {
            Some(Level::Warn)
        } else if is(&["debug", "d", "dbg", "fine", "verbose"]) {
            Some(Level::Debug)
        } else if is(&[
            "fatal",
            "critical",
            "crit",
            "alert",
            "emergency",
            "emerg",
            "panic",
            "dpanic",
            "f",
            "c",
        ]) {
            Some(Level::Fatal)
        } else if is(&["trace", "t", "finer", "finest", "trc"]) {
            Some(Level::Trace)
        } else {
            None
        }
    }

    /// Maps an OpenTelemetry severity number (1 to 24); 0 means unset.
    pub fn from_otel_number(number: i64) -> Option<Level> {
        match number {
            1..=4 => Some(Level::Trace),
            5..=8 => Some(Level::Debug),
            9..=12 => Some(Level::Info),
            13..=16 => Some(Level::Warn),
            17..=20 => Some(Level::Error),
            21..=24 => Some(Level::Fatal),
            _ => None,
        }
    }
}

vocabulary! {
    /// What a window of telemetry is judged to be.
    Verdict ("verdict") {
        /// Nothing is wrong.
        Benign = "BENIGN",
        /// Code or configuration got worse.
        PerformanceRegression = "PERFORMANCE_REGRESSION",
        /// The infrastructure below got worse.
        EnvironmentRegression = "ENVIRONMENT_REGRESSION",
    }
}

vocabulary! {
    /// What an SLO measures.
    SloType ("SLO type") {
        /// A percentile of request duration, in milliseconds; lower is better.
        Latency = "latency",
        /// Failed requests over all requests; lower is better.
        ErrorRate = "error_rate",
        /// Good requests over all requests; higher is better.
        Availability = "availability",
        /// Requests per second; higher is better.
        Throughput = "throughput",
        /// Successful evaluations over all evaluations; higher is better.
        EvaluationSuccess = "evaluation_success",
    }
}

vocabulary! {
    /// What the objective of an SLO is a share of, in the terms of OpenSLO.
    Budgeting ("budgeting method") {
        /// Good events over all events.
        Occurrences = "occurrences",
        /// Windows that met the target over all measured windows.
        Timeslices = "timeslices",
        /// The mean over all measured windows of each window's share of good events.
        RatioTimeslices = "ratio_timeslices",
    }
}

vocabulary! {
    /// How the expectation of a window is made from the windows before it.
    Band ("band") {
        /// Mean and standard deviation of the last windows.
        Bollinger = "bollinger",
        /// Exponentially weighted mean, standard deviation of the last windows.
        Ewma = "ewma",
        /// Median and median absolute deviation of the last windows.
        Robust = "robust",
        /// Median and median absolute deviation of the same hour of earlier weeks.
        Season = "season",
    }
}

vocabulary! {
    /// What percentiles are taken of.
    Percentiles ("percentiles") {
        /// The sketches of the rollups: within 1 %.
        Sketch = "sketch",
        /// The raw rows.
        Exact = "exact",
    }
}

vocabulary! {
    /// Why a window is a violation.
    ViolationKind ("violation kind") {
        /// It is past the threshold.
        Threshold = "threshold",
        /// It left the band of its expectation.
        Adaptive = "adaptive",
        /// Either.
        Both = "both",
    }
}

vocabulary! {
    /// What an alert asks for.
    AlertAction ("alert action") {
        /// Wake somebody up.
        Page = "page",
        /// Work for the next day.
        Ticket = "ticket",
    }
}

vocabulary! {
    /// A period of the calendar.
    CalendarPeriod ("calendar period") {
        /// From midnight to midnight.
        Day = "day",
        /// From Monday to Monday.
        Week = "week",
        /// A month.
        Month = "month",
        /// Three months, from January on.
        Quarter = "quarter",
    }
}

vocabulary! {
    /// The family a drift check belongs to; it fixes how much movement is tolerated.
    DriftCategory ("drift category") {
        /// CPU, memory, disk, network.
        Resource = "resource",
        /// API latency, database latency, error rate.
        Performance = "performance",
        /// Replica counts, resource limits: any difference is drift.
        Configuration = "configuration",
        /// Request rate, cache hit rate.
        Behavior = "behavior",
    }
}

vocabulary! {
    /// The outcome of one drift check.
    DriftStatus ("drift status") {
        /// Within the tolerated movement.
        Ok = "ok",
        /// Beyond the warning threshold or the category's own.
        Warning = "warning",
        /// Beyond the critical threshold, or any configuration difference.
        Critical = "critical",
    }
}

vocabulary! {
    /// What was changed in the system.
    ChangeKind ("change kind") {
        /// A new version was rolled out.
        Deployment = "deployment",
        /// A configuration value changed.
        Config = "config",
        /// A library or a downstream service changed version.
        Dependency = "dependency",
        /// A hyperparameter of an agent changed.
        Hyperparameter = "hyperparameter",
        /// A policy changed.
        Policy = "policy",
        /// The number of replicas changed.
        Replicas = "replicas",
        /// A CPU or memory limit changed.
        ResourceLimit = "resource_limit",
        /// A rollback was exercised.
        RollbackTest = "rollback_test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reads_back_in_any_case_and_an_unknown_one_names_the_choices() {
        for v in Verdict::ALL {
            assert_eq!(v.as_str().to_lowercase().parse::<Verdict>(), Ok(*v));
        }
        let error = "bad".parse::<Severity>().unwrap_err().to_string();
        assert_eq!(error, "unknown severity `bad`; expected one of: info, warning, error, critical");
    }

    #[test]
    fn severities_of_every_vendor_land_on_one_scale() {
        assert_eq!(Level::from_text("Notice"), Some(Level::Info));
        assert_eq!(Level::from_text("EMERGENCY"), Some(Level::Fatal));
        assert_eq!(Level::from_text("warning"), Some(Level::Warn));
        assert_eq!(Level::from_text("loud"), None);
        assert_eq!(Level::from_otel_number(17), Some(Level::Error));
        assert_eq!(Level::from_otel_number(0), None);
    }
}
