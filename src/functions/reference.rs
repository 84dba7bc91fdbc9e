//! The reference of all functions, `docs/functions.md`, written from what the functions say of themselves.

use super::scalar::regression_rules::RuleSet;
use super::{aggregate_functions, scalar_functions, window_functions};
use datafusion::logical_expr::{DocSection, Documentation};
use std::fmt::Write;

/// Quantile sketches.
pub(super) const SKETCHES: DocSection = DocSection {
    include: true,
    label: "Quantile sketches",
    description: Some(
        "Percentiles that can be stored, merged over minutes, routes and regions, and asked later. A quantile is \
         within 1 % (0.99 %) of the value of rank `⌈q·n⌉` in ascending order, whatever the distribution; the same \
         values give the same bytes, in whatever order they come. NULL and NaN are not values.",
    ),
};

/// Sums that do not depend on the order.
pub(super) const SUMS: DocSection = DocSection {
    include: true,
    label: "Exact sums",
    description: Some(
        "Sums and means of doubles that are rounded once, at the end. Unlike `sum` and `avg`, they give the same \
         bits whatever the order of rows and the number of threads.",
    ),
};

/// Expectations from history.
pub(super) const HISTORY: DocSection = DocSection {
    include: true,
    label: "Judging a series by its past",
    description: Some(
        "Window functions over `(partition by … order by …)`. Each row is judged by the rows before it in its \
         partition, never by itself or by later ones; a frame clause (`rows between …`) has no effect. NULL, NaN \
         and infinite values are gaps: they do not enter the history, and the row that has one still gets its \
         expectation. The result is NULL until five values have been seen. Rows with equal order keys come in no \
         particular order, so order by something unique.",
    ),
};

/// Sums over stretches of time.
pub(super) const TRAILING: DocSection = DocSection {
    include: true,
    label: "Sums over the last stretch of time",
    description: Some(
        "What lies so far back and no further, added up: for every row, or for the moments that matter to an alert.",
    ),
};

/// Periods of the calendar.
pub(super) const PERIODS: DocSection = DocSection {
    include: true,
    label: "Periods of the calendar",
    description: Some("Days, weeks, months and quarters as people in a time zone count them."),
};

/// Certainty of shares.
pub(super) const INTERVALS: DocSection = DocSection {
    include: true,
    label: "How sure a share is",
    description: Some("Intervals for a share of few events."),
};

/// Series of intervals.
pub(super) const SERIES: DocSection = DocSection {
    include: true,
    label: "Series of intervals",
    description: Some(
        "A figure over equal intervals of time, packed into about ten bytes an interval: its number (the slot), how many samples it had \
         and their exact total. A month of five minutes is one value of 80 kB, so that what looks at all of it is one call and not \
         a join of millions of rows.",
    ),
};

/// Drift from a baseline.
pub(super) const DRIFT: DocSection = DocSection {
    include: true,
    label: "Drift",
    description: Some("Movement of a number against its baseline."),
};

/// Statistics of change.
pub(super) const CHANGE: DocSection = DocSection {
    include: true,
    label: "Change",
    description: Some(
        "Has something changed, by how much, since when, and could it be chance? Robust figures, tests of a candidate \
         against a baseline, distances between distributions, change points. docs/statistics.md says which is for what.",
    ),
};

/// Traces.
pub(super) const TRACES: DocSection = DocSection {
    include: true,
    label: "Traces",
    description: Some("What the spans of a trace say together, without joining them with each other."),
};

/// Regressions.
pub(super) const REGRESSION: DocSection = DocSection {
    include: true,
    label: "Regressions",
    description: Some("Telling a regression of the code from one of the environment, without a model."),
};

const SECTIONS: [&DocSection; 11] = [
    &SKETCHES,
    &SUMS,
    &SERIES,
    &HISTORY,
    &TRAILING,
    &PERIODS,
    &INTERVALS,
    &DRIFT,
    &CHANGE,
    &TRACES,
    &REGRESSION,
];

const PREAMBLE: &str = "# SQL functions

Written from the functions' own documentation by `tars::functions::documentation()`; a test compares this file with it
(set `UPDATE_DOCS=1` to rewrite it) and runs every example.

Numbers of any type are accepted where `double` is asked for. All functions are deterministic.
";

/// A query and what it prints.
pub(super) fn example(sql: &str, output: &str) -> String {
    format!("```sql\n{}\n```\n\n```text\n{}\n```", sql.trim(), output.trim())
}

/// The text of `docs/functions.md`.
pub fn documentation() -> String {
    let scalars = scalar_functions(RuleSet::default());
    let (aggregates, windows) = (aggregate_functions(), window_functions());
    let documented = scalars.iter().map(|f| (f.name(), f.documentation()));
    let documented = documented.chain(aggregates.iter().map(|f| (f.name(), f.documentation())));
    let documented = documented.chain(windows.iter().map(|f| (f.name(), f.documentation())));
    let mut functions: Vec<(&str, &Documentation)> =
        documented.filter_map(|(name, documentation)| Some((name, documentation?))).collect();
    functions.sort_unstable_by_key(|(name, _)| *name);

    let mut text = PREAMBLE.to_owned();
    for section in SECTIONS {
        section_text(&mut text, section, &functions).expect("writing to a string cannot fail");
    }
    text
}

fn section_text(
    text: &mut String,
    section: &DocSection,
    functions: &[(&str, &Documentation)],
) -> std::fmt::Result {
    write!(text, "\n## {}\n\n{}\n", section.label, section.description.unwrap_or_default())?;
    for (name, documentation) in functions.iter().filter(|(_, d)| d.doc_section == *section) {
        write!(text, "\n### {name}\n\n`{}`\n\n", documentation.syntax_example)?;
        for (argument, meaning) in documentation.arguments.iter().flatten() {
            writeln!(text, "- `{argument}`: {meaning}")?;
        }
        write!(text, "\n{}\n", documentation.description.trim())?;
        if let Some(example) = &documentation.sql_example {
            write!(text, "\n{example}\n")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::register_all;
    use arrow::util::pretty::pretty_format_batches;
    use datafusion::prelude::SessionContext;

    #[test]
    fn the_committed_reference_is_what_the_functions_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/functions.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, documentation()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == documentation(),
            "docs/functions.md is out of date: run this with UPDATE_DOCS=1"
        );
    }

    fn all() -> Vec<(String, Option<Documentation>)> {
        let scalars = scalar_functions(RuleSet::default());
        let scalars = scalars.iter().map(|f| (f.name().to_owned(), f.documentation().cloned()));
        let aggregates = aggregate_functions();
        let aggregates = aggregates.iter().map(|f| (f.name().to_owned(), f.documentation().cloned()));
        let windows = window_functions();
        let windows = windows.iter().map(|f| (f.name().to_owned(), f.documentation().cloned()));
        scalars.chain(aggregates).chain(windows).collect()
    }

    #[test]
    fn every_function_is_documented_with_arguments_and_an_example_and_tested_in_sql() {
        for (name, documentation) in all() {
            let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
            assert!(SECTIONS.contains(&&documentation.doc_section), "{name}");
            assert!(documentation.arguments.is_some() && documentation.sql_example.is_some(), "{name}");
            assert!(documentation.syntax_example.starts_with(&format!("{name}(")), "{name}");
            let slt = format!("{}/tests/slt/functions/{name}.slt", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&slt).exists(), "{slt} is missing");
        }
    }

    #[tokio::test]
    async fn every_worked_example_prints_what_it_says() {
        let ctx = SessionContext::new();
        register_all(&ctx, RuleSet::default());
        let mut wrong = String::new();
        for (name, documentation) in all() {
            let example = documentation.and_then(|d| d.sql_example).unwrap();
            let (sql, rest) = example.strip_prefix("```sql\n").unwrap().split_once("\n```\n").unwrap();
            let output = rest.trim().strip_prefix("```text\n").unwrap().strip_suffix("\n```").unwrap();
            let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
            let got = pretty_format_batches(&batches).unwrap().to_string();
            if got != output {
                wrong += &format!("{name} prints\n{got}\n");
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}
