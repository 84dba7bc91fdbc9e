//! One SQL condition of a user, checked to be no more than that.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::str::FromStr;

use datafusion::sql::sqlparser::ast::{Expr, Value, visit_expressions};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use serde::{Serialize, Serializer};

/// The columns that rollups are kept by.
const ROLLUP_KEY: [&str; 3] = ["region", "service", "route"];

/// A condition over the columns of one row: no query, no window, nothing after it.
///
/// It is kept as the parser prints it, so that what reaches SQL is one expression whatever was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    sql: String,
    columns: BTreeSet<String>,
}

impl Predicate {
    /// The condition as SQL.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The columns that it names, in the order of their names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Whether rollups can answer it, because it names nothing but what they are kept by.
    pub fn fits_rollups(&self) -> bool {
        self.columns().all(|column| ROLLUP_KEY.contains(&column))
    }
}

impl FromStr for Predicate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|e| e.to_string())?;
        let expr = parser.parse_expr().map_err(|e| e.to_string())?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return Err(format!("`{}` follows the end of the condition", rest.token));
        }
        let mut columns = BTreeSet::new();
        let refused = visit_expressions(&expr, |expr| {
            let what = match expr {
                Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => "a query within it",
                Expr::Function(call) if call.over.is_some() => "a window function",
                Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => "a parameter",
                Expr::Identifier(name) => {
                    let is_quoted = name.quote_style.is_some();
                    columns.insert(if is_quoted { name.value.clone() } else { name.value.to_lowercase() });
                    return ControlFlow::Continue(());
                }
                Expr::CompoundIdentifier(_) => "a name with a dot: quote it, or leave the table out",
                _ => return ControlFlow::Continue(()),
            };
            ControlFlow::Break(what)
        });
        match refused {
            ControlFlow::Break(what) => Err(format!("it holds {what}")),
            ControlFlow::Continue(()) if columns.is_empty() => Err("it names no column".to_owned()),
            ControlFlow::Continue(()) => Ok(Predicate { sql: expr.to_string(), columns }),
        }
    }
}

impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: &[&str], fits: bool) {
        let predicate: Predicate = text.parse().unwrap();
        assert_eq!(predicate.columns().collect::<Vec<_>>(), columns, "{text}");
        assert_eq!(predicate.fits_rollups(), fits, "{text}");
    }

    #[test]
    fn a_condition_is_parsed_and_its_columns_are_known() {
        check("route like '/v1/%' and Region <> 'eu'", &["region", "route"], true);
        check(
            "method = 'POST' or attributes['tier'] in ('gold', 'silver')",
            &["attributes", "method"],
            false,
        );
        check(
            "status_code between 200 and 299 -- and more\n and lower(host) = 'a'",
            &["host", "status_code"],
            false,
        );
    }

    #[test]
    fn what_is_more_than_a_condition_is_refused() {
        for (text, reason) in [
            ("true); drop table logs; --", "follows the end"),
            ("service = 'a'; select 1", "follows the end"),
            ("service in (select service from logs)", "a query within it"),
            ("exists (select 1)", "a query within it"),
            ("(select max(duration_ms) from logs) > 3", "a query within it"),
            ("row_number() over () = 1", "a window function"),
            ("service = $service", "a parameter"),
            ("logs.service = 'a'", "a name with a dot"),
            ("1 = 1", "names no column"),
            ("service =", "Expected"),
            ("service = 'a' union all select 1", "follows the end"),
        ] {
            let got = text.parse::<Predicate>().unwrap_err();
            assert!(got.contains(reason), "{text}: {got}");
        }
    }
}
