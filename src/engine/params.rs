//! Named parameters: `$from` in a model or a query, bound to a typed constant.
//!
//! Values are put in place of the placeholder tokens before planning, so that the optimiser, and with it
//! the pruning of partitions and files, sees constants. The work is done on tokens: a `$from` inside a
//! string, a quoted identifier or a comment is left alone.

use std::collections::BTreeMap;

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::Error;
use crate::domain::{MICROS_PER_SECOND, TimeRange, format_timestamp, parse_timestamp};

/// What a parameter may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An instant, UTC microseconds.
    Timestamp(i64),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Value {
    /// Reads a value as typed on a command line: a time, a number, else a text.
    pub fn parse(text: &str) -> Value {
        if let Some(micros) = parse_timestamp(text) {
            Value::Timestamp(micros)
        } else if let Ok(number) = text.parse::<i64>() {
            Value::Integer(number)
        } else {
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Number(number),
                _ => Value::Text(text.to_owned()),
            }
        }
    }

    /// The SQL expression that yields the value with its exact type.
    pub fn to_sql(&self) -> String {
        match self {
            Value::Timestamp(micros) => {
                let text = format_timestamp(*micros);
                format!("arrow_cast('{text}', 'Timestamp(Microsecond, Some(\"UTC\"))')")
            }
            Value::Integer(number) => format!("({number})"),
            Value::Number(number) => format!("({number:e})"),
            Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Timestamp(micros) => f.write_str(&format_timestamp(*micros)),
            Value::Integer(number) => number.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => text.fmt(f),
        }
    }
}

/// Length of an analysis window where nothing else is asked for, in seconds: the SLO window and drift
/// check interval of the specification.
const DEFAULT_INTERVAL_SECONDS: i64 = 300;

/// The parameters of a run, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// The parameters that every model may use: the window, the baseline it is compared with, the interval.
    pub fn new(window: TimeRange, baseline: TimeRange) -> Self {
        Params(BTreeMap::from([
            ("from".to_owned(), Value::Timestamp(window.from())),
            ("to".to_owned(), Value::Timestamp(window.to())),
            ("baseline_from".to_owned(), Value::Timestamp(baseline.from())),
            ("baseline_to".to_owned(), Value::Timestamp(baseline.to())),
            ("interval_seconds".to_owned(), Value::Integer(DEFAULT_INTERVAL_SECONDS)),
            // A kept baseline to compare with; '' for what the lake holds of the baseline window.
            ("baseline_name".to_owned(), Value::Text(String::new())),
            ("baseline_version".to_owned(), Value::Integer(0)),
        ]))
    }

    /// Sets a parameter. The ones that models rely on keep their type.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let expected = match (self.0.get(name), &value) {
            (Some(Value::Timestamp(_)), Value::Timestamp(_)) => None,
            (Some(Value::Timestamp(_)), _) => Some("a time such as 2025-01-15T13:00:00Z"),
            _ if name == "interval_seconds" && !matches!(value, Value::Integer(1..)) => {
                Some("a whole number of seconds, at least 1")
            }
            _ => None,
        };
        match expected {
            Some(expected) => {
                Err(Error::BadParameter { name: name.to_owned(), expected, got: value.to_string() })
            }
            None => {
                self.0.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// All parameters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The window that is analysed, `[from, to)`.
    pub fn window(&self) -> Result<TimeRange, Error> {
        self.range("from", "to")
    }

    /// The window that it is compared with.
    pub fn baseline(&self) -> Result<TimeRange, Error> {
        self.range("baseline_from", "baseline_to")
    }

    /// Length of an interval in microseconds.
    pub fn interval_micros(&self) -> i64 {
        match self.0.get("interval_seconds") {
            Some(Value::Integer(seconds)) => seconds.saturating_mul(MICROS_PER_SECOND),
            _ => DEFAULT_INTERVAL_SECONDS * MICROS_PER_SECOND,
        }
    }

    fn range(&self, from: &str, to: &str) -> Result<TimeRange, Error> {
        let micros = |name: &str| match self.0.get(name) {
            Some(Value::Timestamp(micros)) => Ok(*micros),
            _ => Err(self.unknown(name)),
        };
        TimeRange::new(micros(from)?, micros(to)?).map_err(|e| Error::BadParameter {
            name: to.to_owned(),
            expected: "a time after the start of its window",
            got: e.to_string(),
        })
    }

    fn unknown(&self, name: &str) -> Error {
        let known = self.0.keys().map(|k| format!("${k}")).collect::<Vec<_>>().join(", ");
        Error::UnknownParameter { name: name.to_owned(), known }
    }

    /// The SQL text with every placeholder replaced by its value.
    pub fn bind(&self, sql: &str) -> Result<String, Error> {
        let dialect = GenericDialect {};
        let tokens = Tokenizer::new(&dialect, sql)
            .tokenize_with_location()
            .map_err(|e| DataFusionError::SQL(Box::new(e.into()), None))?;
        // Spans count lines and characters; the text is cut by bytes.
        let line_starts: Vec<usize> =
            std::iter::once(0).chain(sql.match_indices('\n').map(|(i, _)| i + 1)).collect();
        let byte_of = |line: u64, column: u64| {
            let start = line_starts.get(line as usize - 1).copied().unwrap_or(sql.len());
            let rest = &sql[start..];
            start + rest.char_indices().nth(column as usize - 1).map_or(rest.len(), |(i, _)| i)
        };
        let mut bound = String::with_capacity(sql.len() + 256);
        let mut copied = 0;
        for token in &tokens {
            let Token::Placeholder(text) = &token.token else { continue };
            let name = text.trim_start_matches('$');
            let value = self.0.get(name).ok_or_else(|| self.unknown(name))?;
            let start = byte_of(token.span.start.line, token.span.start.column);
            bound.push_str(&sql[copied..start]);
            bound.push_str(&value.to_sql());
            copied = start + text.len();
        }
        bound.push_str(&sql[copied..]);
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        let day = TimeRange::day("2025-01-15").unwrap();
        Params::new(day, day.previous())
    }

    fn check(sql: &str, expected: &str) {
        assert_eq!(params().bind(sql).unwrap(), expected);
    }

    #[test]
    fn a_placeholder_becomes_a_typed_constant_and_nothing_else_changes() {
        let from = "arrow_cast('2025-01-15T00:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
        check("select $from", &format!("select {from}"));
        check(
            "-- $from\nselect 'ü$from' as \"$from\",\n\t$interval_seconds/* $to */ where 'é' < $from",
            &format!("-- $from\nselect 'ü$from' as \"$from\",\n\t(300)/* $to */ where 'é' < {from}"),
        );
    }

    #[test]
    fn a_text_cannot_end_its_own_quotes() {
        let mut params = params();
        params.set("service", Value::parse("o'brien'; drop table logs; --")).unwrap();
        assert_eq!(params.bind("select $service").unwrap(), "select 'o''brien''; drop table logs; --'");
    }

    #[test]
    fn an_unset_parameter_is_named_with_those_that_are_set() {
        let error = params().bind("select $form").unwrap_err().to_string();
        assert_eq!(
            error,
            "parameter `$form` has no value; set are: $baseline_from, $baseline_name, $baseline_to, $baseline_version, $from, $interval_seconds, $to"
        );
    }

    #[test]
    fn a_bound_keeps_its_type_and_a_window_its_order() {
        let mut params = params();
        assert!(params.set("from", Value::parse("yesterday")).is_err());
        assert!(params.set("interval_seconds", Value::parse("0")).is_err());
        params.set("from", Value::parse("2025-02-01")).unwrap();
        assert!(params.window().unwrap_err().to_string().contains("a time after the start"));
    }
}
