//! Which model reads which, from the parsed SQL, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::DataFusionError;
use datafusion::sql::parser::DFParser;
use datafusion::sql::resolve::resolve_table_references;

use super::{Error, Header};

/// One file of `sql/`.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name of the view or table: the file name.
    pub name: String,
    /// Folder under `sql/`.
    pub layer: String,
    /// What it says about itself.
    pub header: Header,
    /// The text of the file.
    pub sql: String,
    /// Every table, view and model that it reads, by name.
    pub reads: BTreeSet<String>,
}

impl Model {
    fn parse(path: &str, sql: &str) -> Result<Self, Error> {
        let err = |reason: String| Error::Model { model: path.to_owned(), reason };
        let (layer, file) = path.split_once('/').ok_or_else(|| err("lies outside a layer folder".into()))?;
        let name = file.strip_suffix(".sql").ok_or_else(|| err("is no .sql file".into()))?;
        let header = Header::parse(path, sql)?;
        let statements = DFParser::parse_sql(sql).map_err(|e| err(e.to_string()))?;
        let [statement] = statements.iter().collect::<Vec<_>>()[..] else {
            return Err(err(format!("expected one statement, got {}", statements.len())));
        };
        let (reads, _) = resolve_table_references(statement, true).map_err(|e| err(e.to_string()))?;
        Ok(Model {
            name: name.to_owned(),
            layer: layer.to_owned(),
            header,
            sql: sql.to_owned(),
            reads: reads.iter().map(|r| r.table().to_owned()).collect(),
        })
    }
}

/// Every table, view and model that a query reads, by name.
pub(super) fn tables_of(sql: &str) -> Result<BTreeSet<String>, DataFusionError> {
    let mut tables = BTreeSet::new();
    for statement in &DFParser::parse_sql(sql)? {
        let (reads, _) = resolve_table_references(statement, true)?;
        tables.extend(reads.iter().map(|read| read.table().to_owned()));
    }
    Ok(tables)
}

/// Parses all files and orders them so that a model comes after the models it reads; models that could
/// come in either order stand in the order of their paths.
pub(super) fn ordered(files: &[(&str, &str)]) -> Result<Vec<Model>, Error> {
    let mut waiting = BTreeMap::new();
    for (path, sql) in files {
        let model = Model::parse(path, sql)?;
        if let Some((other, _)) = waiting.insert(model.name.clone(), (path.to_string(), model)) {
            return Err(Error::Model {
                model: path.to_string(),
                reason: format!("has the same name as `{other}`"),
            });
        }
    }
    let mut done: Vec<Model> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let mut ready: Vec<_> = waiting
            .iter()
            .filter(|(_, (_, model))| !model.reads.iter().any(|r| waiting.contains_key(r)))
            .map(|(name, (path, _))| (path.clone(), name.clone()))
            .collect();
        if ready.is_empty() {
            let circle = waiting.keys().cloned().collect::<Vec<_>>().join(", ");
            let (path, _) = waiting.values().next().expect("the loop runs only while some wait");
            return Err(Error::Model {
                model: path.clone(),
                reason: format!("reads in a circle among: {circle}"),
            });
        }
        ready.sort();
        for (_, name) in ready {
            done.extend(waiting.remove(&name).map(|(_, model)| model));
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(select: &str) -> String {
        format!("-- title: t\n-- grain: g\n-- materialized: view\n{select}")
    }

    fn check(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let files: Vec<_> = files.iter().map(|(path, sql)| (*path, file(sql))).collect();
        let files: Vec<_> = files.iter().map(|(path, sql)| (*path, sql.as_str())).collect();
        ordered(&files).map(|ms| ms.into_iter().map(|m| m.name).collect()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_model_comes_after_what_it_reads_wherever_it_reads_it() {
        let order = check(&[
            (
                "a/last.sql",
                "with x as (select * from middle) select * from x where v in (select v from first)",
            ),
            ("b/middle.sql", "select * from (select $from as f, * from first) join logs using (v)"),
            ("c/first.sql", "select 1 as v"),
        ]);
        assert_eq!(order.unwrap(), ["first", "middle", "last"]);
    }

    #[test]
    fn a_circle_is_an_error_that_names_it() {
        let error = check(&[("a/x.sql", "select * from y"), ("a/y.sql", "select * from x")]).unwrap_err();
        assert_eq!(error, "model `a/x.sql`: reads in a circle among: x, y");
    }

    #[test]
    fn a_cte_named_like_a_model_is_not_that_model() {
        let order = check(&[
            ("a/b.sql", "with a as (select 1 as v) select * from a"),
            ("a/a.sql", "select * from b"),
        ]);
        assert_eq!(order.unwrap(), ["b", "a"]);
    }
}
