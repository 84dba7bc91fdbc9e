//! The invariants of `docs/architecture.md`, stated as absences and checked against the files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    let base = root().join(folder);
    let mut found = Vec::new();
    walk(&base, extension, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&base).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The modules in the order of `src/lib.rs`.
fn modules() -> Vec<String> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|l| l.strip_prefix("pub mod "))
        .map(|l| l.trim_end_matches(';').to_owned())
        .collect()
}

#[test]
fn a_module_imports_only_from_modules_above_it() {
    let modules = modules();
    assert!(modules.len() > 8, "{modules:?}");
    let rank = |name: &str| modules.iter().position(|m| m == name);
    let mut wrong = Vec::new();
    for (file, text) in files("src", "rs") {
        let Some(own) = rank(file.split(['/', '.']).next().unwrap()) else { continue };
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let names: Vec<&str> = match used.strip_prefix('{') {
                    Some(group) => {
                        group.split([',', '}']).map(|n| n.trim().split("::").next().unwrap()).collect()
                    }
                    None => vec![used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()],
                };
                for name in names {
                    if rank(name).is_some_and(|r| r > own) {
                        wrong.push(format!("src/{file}:{}: {} imports {name}", number + 1, modules[own]));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_file_names_deltalake() {
    let naming: Vec<String> = files("src", "rs")
        .into_iter()
        .filter(|(_, text)| text.contains("deltalake"))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(naming, ["lake/delta.rs"]);
}

#[test]
fn functions_and_domain_do_no_io() {
    for folder in ["src/functions", "src/domain", "src/contract", "src/gbm"] {
        for (file, text) in files(folder, "rs") {
            let code = text.split("#[cfg(test)]").next().unwrap();
            for word in
                ["std::fs", "std::net", "tokio::", "object_store", "std::env", "SystemTime", "Instant::now"]
            {
                assert!(!code.contains(word), "{folder}/{file} names {word}");
            }
        }
    }
}

#[test]
fn every_model_file_is_built_in_and_has_a_header() {
    let embedded = std::fs::read_to_string(root().join("src/pipeline/embedded.rs")).unwrap();
    let listed: BTreeSet<String> = embedded
        .lines()
        .filter_map(|l| l.trim().strip_prefix('"')?.strip_suffix("\",").map(str::to_owned))
        .collect();
    let present: BTreeSet<String> = files("sql", "sql").into_iter().map(|(file, _)| file).collect();
    assert_eq!(listed, present, "src/pipeline/embedded.rs and the folder sql/ differ");
    // Parsing the embedded models checks headers, names and circles.
    assert_eq!(tars::pipeline::models().len(), present.len());
}

#[test]
fn every_stored_query_has_a_header() {
    for (file, text) in files("queries", "sql") {
        for key in ["-- title:", "-- params:", "-- when:"] {
            assert!(text.lines().any(|l| l.starts_with(key)), "queries/{file} lacks `{key} …`");
        }
    }
}

#[test]
fn every_schema_file_is_built_in() {
    let present: BTreeSet<String> =
        files("schemas", "toml").into_iter().map(|(f, _)| f.trim_end_matches(".toml").to_owned()).collect();
    let known: BTreeSet<String> = tars::contract::tables().iter().map(|t| t.name.clone()).collect();
    assert_eq!(known, present);
}

#[test]
fn every_sql_function_has_docs_and_an_slt_file() {
    let docs = std::fs::read_to_string(root().join("docs/functions.md")).unwrap();
    assert_eq!(docs, tars::functions::documentation(), "docs/functions.md is out of date");
    use tars::functions::{RuleSet, aggregate_functions, scalar_functions, window_functions};
    let mut names: Vec<String> =
        scalar_functions(RuleSet::default()).iter().map(|f| f.name().to_owned()).collect();
    names.extend(aggregate_functions().iter().map(|f| f.name().to_owned()));
    names.extend(window_functions().iter().map(|f| f.name().to_owned()));
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        assert!(
            docs.contains(&format!("`{name}`")) || docs.contains(&format!("{name}(")),
            "{name} is undocumented"
        );
        let slt = root().join(format!("tests/slt/functions/{name}.slt"));
        assert!(slt.exists(), "{} is missing", slt.display());
    }
}

#[test]
fn main_reads_as_a_table_of_contents() {
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 40, "src/main.rs has {} lines", main.lines().count());
}

#[test]
fn the_top_level_holds_only_what_the_layout_names() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "sql",
        "schemas",
        "queries",
        "datasets",
        "benches",
        "README.md",
        "tests",
        "docs",
        "LICENSE",
        "CHANGELOG.md",
        "clippy.toml",
        "rustfmt.toml",
        // What builds and trials leave behind, and git ignores.
        "target",
        "lake",
        "reports",
        "tars-demo",
    ];
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || known.contains(&name.as_str()), "{name} is not in the layout");
    }
}
