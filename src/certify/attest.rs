//! What the signature is about: an in-toto statement that these files passed, or failed, these checks.
//!
//! Sources: <https://github.com/in-toto/attestation>, `spec/v1/statement.md` and
//! `spec/predicates/test-result.md` (version 0.1).

use serde_json::{Value, json};

use super::criteria::{Level, Outcome, Status, Verdict};
use super::manifest::{Files, digest};

/// The type of the statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of what is stated: results of tests.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The statement about a package: every file is a subject; the outcome is the predicate.
///
/// `files` are all files that the package holds, the manifest included. `configuration` names what else
/// decided the outcome, each with its SHA-256.
pub(super) fn statement(files: &Files, outcome: &Outcome, configuration: &[(String, String)]) -> Vec<u8> {
    let resource = |name: &str, hash: &str| json!({ "name": name, "digest": { "sha256": hash } });
    let subjects: Vec<Value> = files.iter().map(|(name, bytes)| resource(name, &digest(bytes))).collect();
    let configuration: Vec<Value> = configuration.iter().map(|(name, hash)| resource(name, hash)).collect();
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": result(outcome),
            "configuration": configuration,
            "passedTests": names(outcome, |v, _| v == Verdict::Pass),
            "warnedTests": names(outcome, |v, level| v != Verdict::Pass && level == Level::Warning),
            "failedTests": names(outcome, |v, level| v != Verdict::Pass && level == Level::Required),
            // Not a field of the predicate's type; consumers ignore what they do not know.
            "status": outcome.status.as_str(),
        },
    });
    serde_json::to_vec(&statement).expect("a statement holds texts only")
}

fn result(outcome: &Outcome) -> &'static str {
    let is_warned = outcome.criteria.iter().any(|c| c.level == Level::Warning && c.verdict != Verdict::Pass);
    match outcome.status {
        Status::Certified if is_warned => "WARNED",
        Status::Certified => "PASSED",
        // What is not known to have passed has not passed.
        Status::NotCertified | Status::Inconclusive => "FAILED",
    }
}

fn names(outcome: &Outcome, is_wanted: impl Fn(Verdict, Level) -> bool) -> Vec<&str> {
    let wanted = outcome.criteria.iter().filter(|c| is_wanted(c.verdict, c.level));
    wanted.map(|c| c.name.as_str()).collect()
}
