//! One table's contract, parsed from its TOML file.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

use super::Error;
use crate::domain::PARTITION_COLUMNS;

/// What a table looks like and means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name in the lake and in SQL.
    pub name: String,
    /// Name in prose.
    pub title: String,
    /// What one row is.
    pub description: String,
    /// The timestamp column that decides a row's hour and the order inside a file.
    pub time: String,
    /// Whether the pipeline builds it from other tables.
    #[serde(default)]
    pub derived: bool,
    /// Whether the tool writes it about itself, so that no result depends on it.
    #[serde(default)]
    pub journal: bool,
    /// Its columns; `region` among them, `hour` not (it follows from `time`).
    pub columns: Vec<Column>,
}

/// What a column holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name in SQL.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether NULL is allowed.
    #[serde(default = "yes", rename = "null")]
    pub nullable: bool,
    /// Unit of the values (UCUM-like: ms, s, bytes, percent, 1), where there is one.
    #[serde(default)]
    pub unit: Option<String>,
    /// Parquet encoding hint.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Whether look-ups by value deserve a bloom filter.
    #[serde(default)]
    pub bloom: bool,
    /// The meaning, in one sentence.
    pub meaning: String,
}

fn yes() -> bool {
    true
}

/// The types that a column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTC microseconds.
    Timestamp,
    /// UTF-8 text.
    String,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// Double.
    Float64,
    /// Boolean.
    Bool,
    /// Text to text, for fields without a column; read as `column['key']`.
    Map,
    /// Bytes.
    Binary,
}

/// How Parquet should store a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Few distinct values.
    Dictionary,
    /// Nearly sorted integers.
    Delta,
}

impl ColumnType {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnType::String => DataType::Utf8,
            ColumnType::Int32 => DataType::Int32,
            ColumnType::Int64 => DataType::Int64,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Binary => DataType::Binary,
            // The names of the Parquet specification, so that every reader sees a standard MAP.
            ColumnType::Map => DataType::Map(
                Arc::new(Field::new(
                    "key_value",
                    DataType::Struct(Fields::from(vec![
                        Field::new("key", DataType::Utf8, false),
                        Field::new("value", DataType::Utf8, true),
                    ])),
                    false,
                )),
                false,
            ),
        }
    }
}

impl Table {
    /// Parses a schema file and checks that it is complete.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let err = |reason: String| Error::Schema { file: file.to_owned(), reason };
        let table: Table = toml::from_str(text).map_err(|e| err(e.to_string()))?;
        if table.name != file {
            return Err(err(format!("names itself `{}`", table.name)));
        }
        match table.column(&table.time) {
            Some(c) if c.kind == ColumnType::Timestamp && !c.nullable => {}
            _ => {
                return Err(err(format!(
                    "time column `{}` must be a timestamp that is never NULL",
                    table.time
                )));
            }
        }
        match table.column("region") {
            Some(c) if c.kind == ColumnType::String && !c.nullable => {}
            _ => return Err(err("needs a string column `region` that is never NULL".into())),
        }
        for (i, c) in table.columns.iter().enumerate() {
            if c.name == "hour" || table.columns[..i].iter().any(|o| o.name == c.name) {
                return Err(err(format!(
                    "column `{}` stands twice, or is `hour`, which the lake adds",
                    c.name
                )));
            }
            if c.meaning.trim().is_empty() {
                return Err(err(format!("column `{}` has no meaning", c.name)));
            }
        }
        Ok(table)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The map column that keeps fields without a column of their own, if the table has one.
    pub fn overflow(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.kind == ColumnType::Map)
    }

    /// The schema of a batch on its way in: every column of the contract in its order, `region` included.
    pub fn batch_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(Column::field).collect::<Vec<_>>()))
    }

    /// The schema inside the Parquet files: the contract without the partition columns.
    pub fn file_schema(&self) -> SchemaRef {
        let columns = self.columns.iter().filter(|c| !PARTITION_COLUMNS.contains(&c.name.as_str()));
        Arc::new(Schema::new(columns.map(Column::field).collect::<Vec<_>>()))
    }

    /// The schema that queries see: the file columns, then the partition columns `region` and `hour`.
    pub fn table_schema(&self) -> SchemaRef {
        let mut fields: Vec<_> = self.file_schema().fields().iter().cloned().collect();
        fields.extend(PARTITION_COLUMNS.map(|name| Arc::new(Field::new(name, DataType::Utf8, false))));
        Arc::new(Schema::new(fields))
    }
}

impl Column {
    /// The Arrow field.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), self.nullable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "t"
        title = "T"
        description = "d"
        time = "ts"
        columns = [
          { name = "ts", type = "timestamp", null = false, meaning = "m" },
          { name = "region", type = "string", null = false, meaning = "m" },
          { name = "extra", type = "map", meaning = "m" },
        ]
    "#;

    fn check(text: &str, expected: &str) {
        let error = Table::parse("t", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn an_incomplete_schema_is_refused_with_the_place() {
        check(&GOOD.replace("time = \"ts\"", "time = \"x\""), "time column `x`");
        check(&GOOD.replace("\"region\"", "\"area\""), "needs a string column `region`");
        check(&GOOD.replace("\"extra\"", "\"ts\""), "column `ts` stands twice");
        check(&GOOD.replace("map", "blob"), "unknown variant `blob`");
        check(&GOOD.replace("\"t\"", "\"u\""), "names itself `u`");
    }

    #[test]
    fn partition_columns_leave_the_file_and_end_the_table() {
        let table = Table::parse("t", GOOD).unwrap();
        let names = |s: SchemaRef| s.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(table.batch_schema()), ["ts", "region", "extra"]);
        assert_eq!(names(table.file_schema()), ["ts", "extra"]);
        assert_eq!(names(table.table_schema()), ["ts", "extra", "region", "hour"]);
    }
}
