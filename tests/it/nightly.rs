//! The nightly job as a user meets it: steps, resuming, run log, lock, messages, files that expire.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::server::{Request, Response, Server};
use crate::support::{DAY, command, demo, files_under, ok, tars};

/// A lake of its own: the job writes its run log there.
fn lake(folder: &Path) {
    copy(&demo().root.join("lake"), &folder.join("lake"));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // A lock that another test holds there would be held here for good.
        if entry.file_name() == "_lock" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The steps of the last run with their status.
fn last_run(folder: &Path) -> Vec<(String, String)> {
    let text = ok(folder, &["runs", "--last", "1", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "step"), text(row, "status"))).collect()
}

fn statuses(steps: &[(String, String)]) -> Vec<(&str, &str)> {
    steps.iter().map(|(step, status)| (step.as_str(), status.as_str())).collect()
}

#[test]
fn a_repeated_run_skips_what_is_there_and_mends_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake(at);
    let args = ["nightly", "--profile", "ga", "--date", DAY, "--out", "out"];
    let first = ok(at, &args);
    assert!(first.contains("Daily report for 2025-01-15"), "{first}");
    let steps = last_run(at);
    let expected = [
        "rollups",
        "kpis",
        "slos",
        "drift",
        "websocket",
        "validation",
        "package",
        "report",
        "notifications",
        "retention",
    ];
    assert_eq!(steps.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>(), expected);
    assert!(steps.iter().all(|(_, status)| status == "done"), "{steps:?}");
    let ga = at.join("out/ga-2025-01-15");
    assert_eq!(files_under(&ga.join("kpis"), ".json").len(), 290);
    assert!(ga.join("validation/validation_results.json").exists());
    let package = ga.join("ga_certification_package.tar.gz");
    ok(at, &["verify", package.to_str().unwrap()]);

    // Everything is there: nothing is made again, and no byte changes.
    let before = std::fs::read(at.join("out/daily-2025-01-15.md")).unwrap();
    let again = tars(at, &args);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("skipped"), "{}", again.stderr);
    let skipped = last_run(at);
    let made: Vec<_> = statuses(&skipped).into_iter().filter(|(_, s)| *s == "done").map(|(s, _)| s).collect();
    assert_eq!(made, ["rollups", "retention"]);
    assert_eq!(std::fs::read(at.join("out/daily-2025-01-15.md")).unwrap(), before);

    // A file that is gone is made again, and only by its own step.
    std::fs::remove_file(at.join("out/daily-2025-01-15.json")).unwrap();
    ok(at, &args);
    let mended = last_run(at);
    assert!(statuses(&mended).contains(&("report", "done")), "{mended:?}");
    assert!(statuses(&mended).contains(&("kpis", "skipped")), "{mended:?}");
    assert_eq!(std::fs::read(at.join("out/daily-2025-01-15.md")).unwrap(), before);
}

#[test]
fn two_runs_at_a_time_are_refused_and_a_dead_lock_can_be_broken() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake(at);
    let lock = at.join("lake/_lock/nightly");
    std::fs::create_dir_all(&lock).unwrap();
    std::fs::write(lock.join("0000000001.json"), "{\"holder\":\"process 1 on elsewhere\"}").unwrap();
    let args = ["nightly", "--date", DAY, "--out", "out"];
    let refused = tars(at, &args);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    for part in ["process 1 on elsewhere", "--break-lock"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    assert!(!at.join("out").exists());
    ok(at, &["nightly", "--date", DAY, "--out", "out", "--break-lock"]);
    assert_eq!(files_under(&lock, ".json").len(), 0, "the lock is given back");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_ended_gives_the_lock_back_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake(at);
    let args = ["nightly", "--profile", "ga", "--date", DAY, "--out", "out"];
    let mut child = command(at, &args).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lock = at.join("lake/_lock/nightly/0000000001.json");
    while !lock.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it had the lock");
        std::thread::yield_now();
    }
    let killed =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!lock.exists(), "the lock is given back");
    assert_eq!(files_under(at, ".partial").len(), 0);
    ok(at, &args);
}

fn receiver(seen: Arc<Mutex<Vec<Request>>>) -> Server {
    Server::start(move |request| {
        seen.lock().unwrap().push(request.clone());
        Response::new(200, "ok")
    })
}

#[test]
fn a_finding_is_told_once_however_often_the_job_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake(at);
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let server = receiver(seen.clone());
    let settings = format!(
        "[[notification]]\nname = \"pager\"\nchannel = \"pagerduty\"\nsecret_env = \"PAGER_KEY\"\nurl = \"{}/v2/enqueue\"\n",
        server.url()
    );
    std::fs::write(at.join("tars.toml"), settings).unwrap();
    let args = ["nightly", "--date", DAY, "--out", "out"];
    let printed = ok(at, &["nightly", "--date", DAY, "--out", "out", "--dry-run"]);
    assert!(printed.contains("\"routing_key\": \"***\""), "{printed}");
    assert_eq!(seen.lock().unwrap().len(), 0, "a dry run sends nothing");

    let without = tars(at, &args);
    assert_eq!(without.code, Some(5), "{}", without.stderr);
    assert!(without.stderr.contains("PAGER_KEY"), "{}", without.stderr);

    let run = || command(at, &args).env("PAGER_KEY", "k3y-of-the-pager").output().unwrap();
    let first = run();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(!String::from_utf8_lossy(&first.stderr).contains("k3y-of-the-pager"));
    let told = seen.lock().unwrap().len();
    assert!(told >= 2, "the simulated day breaks SLOs and has regressions: {told}");
    run();
    std::fs::remove_file(at.join("out/daily-2025-01-15.md")).unwrap();
    run();
    assert_eq!(seen.lock().unwrap().len(), told, "nothing is told twice");
}

#[test]
fn a_test_message_arrives_and_a_dry_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let server = receiver(seen.clone());
    let settings = "[[notification]]\nname = \"ops\"\nchannel = \"slack\"\nsecret_env = \"HOOK\"\n";
    std::fs::write(at.join("tars.toml"), settings).unwrap();
    assert!(ok(at, &["notify", "test", "--dry-run"]).contains("POST ***"));
    let hook = format!("{}/services/T/B/x", server.url());
    let sent = command(at, &["notify", "test", "--to", "ops"]).env("HOOK", &hook).output().unwrap();
    assert_eq!(sent.status.code(), Some(0), "{}", String::from_utf8_lossy(&sent.stderr));
    assert_eq!(seen.lock().unwrap()[0].path, "/services/T/B/x");
    let unknown = tars(at, &["notify", "test", "--to", "opps"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("one of: ops"), "{}", unknown.stderr);
}

#[test]
fn old_files_of_the_job_go_and_other_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake(at);
    ok(at, &["nightly", "--date", DAY, "--out", "out"]);
    std::fs::write(at.join("out/mine.md"), "kept").unwrap();
    let later = ["nightly", "--date", DAY, "--out", "out", "--now", "2099-01-15T00:00:00Z"];
    let dry = tars(at, &[&later[..], &["--dry-run"]].concat());
    assert!(dry.stderr.contains("would remove"), "{}", dry.stderr);
    assert!(at.join("out/daily-2025-01-15.md").exists());
    ok(at, &later);
    assert!(!at.join("out/daily-2025-01-15.md").exists());
    assert!(at.join("out/mine.md").exists());
}

#[test]
fn a_retrospective_says_the_same_in_markdown_and_json_and_advises_with_a_confidence() {
    let lake = demo().root.join("lake").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let args = |form: &'static str| {
        ["retrospective", "--lake", &lake, "--date", DAY, "--format", form].map(str::to_owned)
    };
    let run = |form| ok(folder.path(), &args(form).each_ref().map(String::as_str));
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    let text = run("markdown");
    let confidence = json["rollback"]["confidence"].as_f64().unwrap();
    assert!(text.contains(&format!("confidence {confidence}")), "{text}");
    // The formula of the documentation, over the signals that stand beside it.
    let signals = json["rollback_signals"].as_array().unwrap();
    let rest: f64 = signals.iter().filter_map(|s| s["contribution"].as_f64()).map(|c| 1.0 - c).product();
    assert!((1.0 - rest - confidence).abs() < 0.002, "{confidence} {signals:?}");
    for side in ["went well", "could be improved"] {
        assert!(json["findings"].as_array().unwrap().iter().any(|f| f["side"] == side), "{side}: {text}");
    }
    let day = &json["trend"][0];
    assert_eq!(day["day"], DAY);
    assert!(text.contains(&format!("| {DAY} | {}", day["requests"])), "{text}");
}

#[cfg(unix)]
#[test]
fn a_report_that_is_killed_while_it_writes_leaves_whole_files_or_none() {
    use std::collections::BTreeMap;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = r#"{"timestamp":"2025-01-15T13:00:00Z","region":"us-east-1","service":"api","status_code":200,"duration_ms":12.5}"#;
    std::fs::write(at.join("app.ndjson"), line).unwrap();
    ok(at, &["ingest", "app.ndjson"]);
    let args = |out| ["report", "--date", DAY, "--out", out, "--formats", "md,json,html,pdf"];
    ok(at, &args("whole"));
    let files = |out: &str| -> BTreeMap<String, u64> {
        let entries = std::fs::read_dir(at.join(out)).into_iter().flatten().flatten();
        entries.filter_map(|e| Some((e.file_name().into_string().ok()?, e.metadata().ok()?.len()))).collect()
    };
    let whole = files("whole");
    assert_eq!(whole.len(), 4, "{whole:?}");
    let mut caught = 0;
    // The run is killed when it has changed the folder so many times: files appear, grow, and get their names.
    for changes in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11] {
        let mut child =
            command(at, &args("out")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (start, mut seen, mut before) = (Instant::now(), 0, files("out"));
        while seen < changes && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(600), "report hangs");
            let now = files("out");
            seen += usize::from(now != before);
            before = now;
        }
        // SIGKILL: nothing can be tidied up.
        let _ = child.kill();
        caught += usize::from(child.wait().unwrap().code().is_none());
        for name in files("out").keys().filter(|name| !name.ends_with(".partial")) {
            let bytes = |out: &str| std::fs::read(at.join(out).join(name)).unwrap();
            assert!(bytes("out") == bytes("whole"), "{name} after {changes} changes");
        }
    }
    assert!(caught > 0, "no run was caught in the act");
    ok(at, &args("out"));
    for name in whole.keys() {
        assert!(
            std::fs::read(at.join("out").join(name)).unwrap()
                == std::fs::read(at.join("whole").join(name)).unwrap()
        );
    }
}
