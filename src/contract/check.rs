//! The check that a batch passes before it lands. It reports everything that is wrong, not the first thing.

use arrow::array::{Array, RecordBatch};

use super::Table;

/// One way in which a batch breaks its table's contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table `{table}`, column `{column}`: expected {expected}, got {got}")]
pub struct Violation {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What the contract asks for.
    pub expected: String,
    /// What the batch holds.
    pub got: String,
}

/// Compares a batch with the contract: the columns in order, their types, and no NULL where none may be.
pub fn check_batch(table: &Table, batch: &RecordBatch) -> Result<(), Vec<Violation>> {
    let mut violations = Vec::new();
    let mut report = |column: &str, expected: String, got: String| {
        violations.push(Violation { table: table.name.clone(), column: column.to_owned(), expected, got });
    };
    for (position, column) in table.columns.iter().enumerate() {
        let Some((found, field)) = batch.schema_ref().column_with_name(&column.name) else {
            report(&column.name, format!("a column of type {}", column.kind.data_type()), "nothing".into());
            continue;
        };
        if found != position {
            report(&column.name, format!("position {position}"), format!("position {found}"));
        }
        if field.data_type() != &column.kind.data_type() {
            report(&column.name, column.kind.data_type().to_string(), field.data_type().to_string());
        }
        let nulls = batch.column(found).null_count();
        if !column.nullable && nulls > 0 {
            report(&column.name, "no NULL".into(), format!("{nulls} in {} rows", batch.num_rows()));
        }
    }
    for field in batch.schema_ref().fields() {
        if table.column(field.name()).is_none() {
            report(field.name(), "no such column".into(), field.data_type().to_string());
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::contract;

    #[test]
    fn all_violations_are_reported_at_once() {
        let incidents = contract::table("incidents").unwrap();
        let schema = Schema::new(vec![
            Field::new("from", DataType::Int64, true),
            Field::new("region", DataType::Utf8, true),
            Field::new("colour", DataType::Utf8, true),
        ]);
        let batch = RecordBatch::try_new(
            Arc::new(schema),
            vec![
                Arc::new(Int64Array::from(vec![1])),
                Arc::new(StringArray::from(vec![None::<&str>])),
                Arc::new(StringArray::from(vec!["red"])),
            ],
        )
        .unwrap();
        let found: Vec<String> =
            check_batch(incidents, &batch).unwrap_err().iter().map(|v| v.to_string()).collect();
        for expected in [
            "column `from`: expected Timestamp(µs, \"UTC\"), got Int64",
            "column `to`: expected a column of type Timestamp(µs, \"UTC\"), got nothing",
            "column `region`: expected no NULL, got 1 in 1 rows",
            "column `colour`: expected no such column, got Utf8",
        ] {
            assert!(found.iter().any(|v| v.contains(expected)), "{expected} not in {found:#?}");
        }
    }

    #[test]
    fn a_batch_of_the_contracts_own_schema_passes() {
        for table in contract::tables() {
            assert_eq!(check_batch(table, &RecordBatch::new_empty(table.batch_schema())), Ok(()));
        }
    }
}
