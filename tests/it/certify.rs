//! Certification through the real commands: what the package holds, that it verifies, that it can be made again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

#[cfg(unix)]
use crate::support::command;
use crate::support::{DAY, demo, ok, tars};

/// Every file of a signed package.
const FILES: [&str; 11] = [
    "EMAIL_SUMMARY.txt",
    "GA_DAY_REPORT.md",
    "GA_DAY_REPORT.pdf",
    "MANIFEST.sha256",
    "certification.intoto.json",
    "certification_metadata.json",
    "drift_analysis.json",
    "ga_kpi_summary.json",
    "signing_key.pub.pem",
    "validation_results.html",
    "ws_health_metrics.json",
];
const FOLDER: &str = "ga_certification_package";
const ARCHIVE: &str = "ga_certification_package.tar.gz";

fn text(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(path: PathBuf) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

fn key(folder: &Path) -> (String, String) {
    let key = folder.join("release.key").display().to_string();
    ok(folder, &["key", "generate", "--out", &key]);
    (key.clone(), format!("{key}.pub"))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_package_of_the_simulated_day_verifies_agrees_and_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = key(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let lake = demo().root.join("lake").display().to_string();
    let (one, two) = (at("one"), at("two"));
    let certify = |out: &str, threads: &str| {
        let args = [
            "certify",
            "--lake",
            &lake,
            "--date",
            DAY,
            "--out",
            out,
            "--key",
            &private,
            "--threads",
            threads,
        ];
        tars(folder.path(), &args)
    };
    let outcome = certify(&one, "1");
    // The simulated day holds faults that no platform should be certified with.
    assert_eq!(outcome.code, Some(20), "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.starts_with("NOT CERTIFIED\n"), "{}", outcome.stdout);
    let package = Path::new(&one).join(FOLDER);
    assert_eq!(names(&package), FILES);
    assert_eq!(names(Path::new(&one)), [FOLDER, ARCHIVE]);

    // Every number is the same wherever it stands.
    let report = text(package.join("GA_DAY_REPORT.md"));
    assert!(!report.contains("{{"), "{report}");
    let metadata = json(package.join("certification_metadata.json"));
    let value = |name: &str| metadata["placeholders"][name]["value"].as_f64().unwrap();
    let kpis = json(package.join("ga_kpi_summary.json"));
    let near = |name: &str, other: &Value, digits: f64| {
        let other = other.as_f64().unwrap_or_else(|| panic!("{name}: {other}"));
        assert!((value(name) - other).abs() <= digits, "{name}: {} and {other}", value(name));
    };
    near("TOTAL_REQUESTS", &kpis["overall"]["requests"], 0.0);
    near("OVERALL_AVAILABILITY", &kpis["overall"]["availability"], 1e-6);
    near("P99_LATENCY_MS", &kpis["overall"]["p99_ms"], 1e-3);
    let drift = json(package.join("drift_analysis.json"));
    near("TOTAL_DRIFT_CHECKS", &drift["total_checks"], 0.0);
    near("CRITICAL_DRIFTS", &drift["critical_drifts"], 0.0);
    near("DRIFTS_DETECTED", &drift["total_drifts"], 0.0);
    let sockets = json(package.join("ws_health_metrics.json"));
    assert_eq!(sockets["overall"]["messages_lost"], metadata["placeholders"]["WS_MESSAGES_LOST"]["value"]);
    let mail = text(package.join("EMAIL_SUMMARY.txt"));
    let page = text(package.join("validation_results.html"));
    let shown = metadata["placeholders"]["OVERALL_AVAILABILITY"]["text"].as_str().unwrap();
    assert!(report.contains(shown) && mail.contains(shown) && page.contains(shown), "{shown}");
    assert!(fs::read(package.join("GA_DAY_REPORT.pdf")).unwrap().starts_with(b"%PDF"));

    // The same bytes at another number of threads.
    assert_eq!(certify(&two, "3").code, Some(20));
    for name in FILES {
        let other = Path::new(&two).join(FOLDER).join(name);
        assert_eq!(fs::read(package.join(name)).unwrap(), fs::read(other).unwrap(), "{name}");
    }
    let archive = Path::new(&one).join(ARCHIVE);
    assert_eq!(fs::read(&archive).unwrap(), fs::read(Path::new(&two).join(ARCHIVE)).unwrap());

    // Verified as a folder and as an archive, and made again from the versions that it pins.
    let verified = ok(folder.path(), &["verify", archive.to_str().unwrap(), "--key", &public]);
    assert!(verified.contains("the key that was given"), "{verified}");
    let again = ok(
        folder.path(),
        &["verify", package.to_str().unwrap(), "--key", &public, "--rerun", "--lake", &lake],
    );
    assert!(again.contains("every file is the same"), "{again}");

    // A byte of any file.
    for name in FILES {
        let path = package.join(name);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let found = tars(folder.path(), &["verify", package.to_str().unwrap(), "--key", &public]);
        assert_eq!(found.code, Some(22), "{name}: {}", found.stderr);
        fs::write(&path, &bytes).unwrap();
    }
    // A number that somebody corrected, and sealed anew without the key's owner.
    let changed = report.replacen("NOT CERTIFIED", "CERTIFIED", 1);
    fs::write(package.join("GA_DAY_REPORT.md"), &changed).unwrap();
    let found = tars(folder.path(), &["verify", package.to_str().unwrap()]);
    assert!(found.stderr.contains("changed  GA_DAY_REPORT.md"), "{}", found.stderr);
}

#[test]
fn a_lake_that_lacks_most_gives_a_list_of_all_of_it_and_no_package() {
    let folder = tempfile::tempdir().unwrap();
    small_lake(folder.path());
    let refused = tars(folder.path(), &["certify", "--date", DAY, "--out", "out"]);
    assert_eq!(refused.code, Some(23), "{}", refused.stderr);
    for name in [
        "{{WS_SUCCESS_RATE}}",
        "{{CANARY_ERROR_RATE}}",
        "{{DASHBOARD_LOAD_MS}}",
        "validation replication_lag",
    ] {
        assert!(refused.stderr.contains(name), "{name} is not in {}", refused.stderr);
    }
    assert!(refused.stderr.contains("--allow-missing") && !folder.path().join("out").exists());

    let allowed = tars(folder.path(), &["certify", "--date", DAY, "--out", "out", "--allow-missing"]);
    // One minute of a day tells nothing.
    assert_eq!(allowed.code, Some(21), "{}", allowed.stderr);
    let package = folder.path().join("out").join(FOLDER);
    let report = text(package.join("GA_DAY_REPORT.md"));
    assert!(report.contains("INCONCLUSIVE") && report.contains("no data"), "{report}");
    assert!(ok(folder.path(), &["verify", package.to_str().unwrap()]).contains("not signed"));
}

#[test]
fn a_template_may_only_hold_known_names_and_the_list_tells_them_all() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.md"), "# {{NO_SUCH}} {{TOTAL_REQUESTS}} {{ALSO_NOT}}\n").unwrap();
    let outcome = tars(folder.path(), &["certify", "--date", DAY, "--template", "t.md"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("NO_SUCH") && outcome.stderr.contains("ALSO_NOT"), "{}", outcome.stderr);
    let list: Value =
        serde_json::from_str(&ok(folder.path(), &["certify", "--list-placeholders", "--format", "json"]))
            .unwrap();
    let list = list.as_array().unwrap();
    assert!(list.len() > 150, "{}", list.len());
    for entry in list {
        for field in ["name", "source", "unit", "sql"] {
            assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
        }
    }
}

#[test]
fn a_new_key_is_private_and_never_overwrites_another() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = key(folder.path());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(&private).unwrap();
    let again = tars(folder.path(), &["key", "generate", "--type", "ecdsa-p256", "--out", &private]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert_eq!(fs::read(&private).unwrap(), before);
    let id = ok(folder.path(), &["key", "id", &public]);
    assert_eq!(id.trim().len(), 64);
    let wrong = tars(folder.path(), &["key", "id", &private]);
    assert_eq!(wrong.code, Some(3));
    let secret = String::from_utf8_lossy(&before).lines().nth(1).unwrap().to_owned();
    assert!(!wrong.stderr.contains(&secret), "a key is never shown");
}

/// A lake of one line: little to compute, so that a run comes to its writing soon.
fn small_lake(at: &Path) {
    let line = r#"{"timestamp":"2025-01-15T13:00:00Z","region":"us-east-1","service":"api","status_code":200,"duration_ms":12.5}"#;
    fs::write(at.join("app.ndjson"), line).unwrap();
    ok(at, &["ingest", "app.ndjson"]);
}

/// What lies in a folder, at any depth: paths and sizes.
#[cfg(unix)]
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            found.push((entry.path(), about.len()));
            if about.is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[cfg(unix)]
#[test]
fn a_certification_that_is_killed_while_it_writes_leaves_whole_packages_or_none() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_lake(at);
    let out = at.join("out");
    let mut caught = 0;
    // The run is killed when it has changed the folder so many times; the later ones replace what the first left.
    for changes in [1, 2, 4, 7, 10, 13, 1, 3, 11, 14] {
        let mut child = command(at, &["certify", "--date", DAY, "--out", "out", "--allow-missing"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (start, mut seen, mut before) = (Instant::now(), 0, listing(&out));
        while seen < changes && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(600), "certify hangs");
            let now = listing(&out);
            seen += usize::from(now != before);
            before = now;
        }
        // SIGKILL: nothing can be tidied up.
        let _ = child.kill();
        caught += usize::from(child.wait().unwrap().code().is_none());
        for name in [FOLDER, ARCHIVE] {
            let path = out.join(name);
            if path.exists() {
                ok(at, &["verify", path.to_str().unwrap()]);
            }
        }
    }
    assert!(caught > 0, "no run was caught in the act");
    let done = tars(at, &["certify", "--date", DAY, "--out", "out", "--allow-missing"]);
    assert_eq!(done.code, Some(21), "{}", done.stderr);
    ok(at, &["verify", out.join(FOLDER).to_str().unwrap()]);
    ok(at, &["verify", out.join(ARCHIVE).to_str().unwrap()]);
}

#[test]
fn a_package_is_made_again_from_the_versions_that_it_pins_after_more_has_landed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_lake(at);
    let certify = |out: &str| tars(at, &["certify", "--date", DAY, "--out", out, "--allow-missing"]);
    assert_eq!(certify("before").code, Some(21));
    // Late lines of the same minute, and an error, an event and a call of kinds that had not been seen.
    let late = r#"{"timestamp":"2025-01-15T13:00:30Z","region":"us-east-1","service":"api","status_code":503,"duration_ms":900.0,"error_type":"Overload"}
{"timestamp":"2025-01-15T13:00:40Z","region":"us-east-1","service":"gateway","event":"ws.reconnect","level":"ERROR","attributes":{"downtime_ms":"40000"}}"#;
    fs::write(at.join("late.ndjson"), late).unwrap();
    ok(at, &["ingest", "late.ndjson"]);
    let span = r#"{"timestamp":"2025-01-15T13:00:10Z","region":"us-east-1","service":"api","trace_id":"a1","span_id":"b1","name":"select","kind":"client","duration_ms":70.0,"attributes":{"db.system":"postgresql"}}"#;
    fs::write(at.join("late-spans.ndjson"), span).unwrap();
    ok(at, &["ingest", "--table", "spans", "late-spans.ndjson"]);
    let package = |out: &str| at.join(out).join(FOLDER).display().to_string();
    let again = |out: &str| ok(at, &["verify", &package(out), "--rerun"]);
    assert!(again("before").contains("every file is the same"));
    // Now the rollups have moved on as well.
    // One request of two failed.
    assert_eq!(certify("after").code, Some(20));
    let requests = |out: &str| {
        let kpis = json(at.join(out).join(FOLDER).join("ga_kpi_summary.json"));
        kpis["overall"]["requests"].as_i64().unwrap()
    };
    assert_eq!((requests("before"), requests("after")), (1, 2));
    assert!(again("before").contains("every file is the same"));
    assert!(again("after").contains("every file is the same"));
}
