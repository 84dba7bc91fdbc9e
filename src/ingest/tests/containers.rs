//! Container runtimes, Kubernetes and web servers, by samples of our own.

use serde_json::{Value, json};

use super::super::options::Options;
use super::{Bench, check};

const NULL: Value = Value::Null;

#[tokio::test]
async fn parts_of_docker_lines_are_joined_by_stream() {
    let bench = Bench::new().await;
    let line = |log: &str, stream: &str, second: u32| {
        format!(
            "{}\n",
            json!({"log": log, "stream": stream, "time": format!("2025-01-15T09:00:0{second}.123456789Z")})
        )
    };
    let long = "x".repeat(16_384);
    let text = [
        line("plain\n", "stdout", 0),
        line(&format!("{{\"level\":\"warn\",\"msg\":\"{long}"), "stdout", 1),
        line("from stderr\n", "stderr", 2),
        line("y\",\"route\":", "stdout", 3),
        line("\"/a\"}\n", "stdout", 4),
        line("a backslash \\n", "stderr", 5),
        line("and its end\n", "stderr", 6),
        "not json\n".to_owned(),
        line("last\n", "stdout", 7),
    ]
    .concat();
    let summary = bench.land("c-json.log", &text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("docker", 5, 1));
    let rows = bench.rows("logs").await;
    check(&rows[0], &[("message", json!("plain")), ("attributes/stream", json!("stdout"))]);
    check(
        &rows[1],
        &[
            ("timestamp", json!("2025-01-15T09:00:01.123456Z")),
            ("message", json!(format!("{long}y"))),
            ("level", json!("WARN")),
            ("route", json!("/a")),
        ],
    );
    check(&rows[2], &[("message", json!("from stderr")), ("attributes/stream", json!("stderr"))]);
    check(&rows[3], &[("message", json!("a backslash \\nand its end"))]);
    let rejects = bench.rows("rejects").await;
    assert_eq!(rejects[0]["offset"], json!(text.find("not json").unwrap()));
}

#[tokio::test]
async fn parts_of_cri_lines_are_joined_by_stream() {
    let bench = Bench::new().await;
    let text = "2025-01-15T10:00:00.493035218+01:00 stdout F first\n\
                2025-01-15T09:00:01Z stdout P {\"severity\":\"ERROR\",\n\
                2025-01-15T09:00:02Z stderr F between\n\
                2025-01-15T09:00:03Z stdout P \"message\":\"jo\n\
                2025-01-15T09:00:04Z stdout F ined\"}\n\
                2025-01-15T09:00:05Z stdout F \n\
                2025-01-15T09:00:06Z nowhere F x\n\
                2025-01-15T09:00:07Z stdout F:tag last";
    let summary = bench.land("pod.log", text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("cri", 5, 1));
    let rows = bench.rows("logs").await;
    check(&rows[0], &[("timestamp", json!("2025-01-15T09:00:00.493035Z")), ("message", json!("first"))]);
    check(&rows[1], &[("level", json!("ERROR")), ("message", json!("joined"))]);
    check(&rows[2], &[("message", json!("between")), ("attributes/stream", json!("stderr"))]);
    check(&rows[4], &[("message", json!("last"))]);
}

#[tokio::test]
async fn of_the_events_of_a_request_the_last_one_lands() {
    let bench = Bench::new().await;
    let event = |stage: &str, annotations: Value, code: u32| {
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a-1", "stage": stage,
            "requestURI": "/api/v1/pods?limit=500", "verb": "list", "user": {"username": "ada", "groups": ["g"]},
            "responseStatus": {"metadata": {}, "status": "Failure", "reason": "Forbidden", "code": code},
            "requestReceivedTimestamp": "2025-01-15T09:00:00.100000Z",
            "stageTimestamp": "2025-01-15T09:00:00.112345Z", "annotations": annotations,
        })
    };
    let text = [
        event("RequestReceived", json!({}), 0),
        event("ResponseComplete", json!({}), 200),
        event("ResponseComplete", json!({"apiserver.latency.k8s.io/total": "561.927µs"}), 403),
    ];
    let lines: String = text.iter().map(|e| format!("{e}\n")).collect();
    let summary = bench.land("audit.log", lines).await;
    assert_eq!(summary.sources[0].format, "k8s-audit");
    assert_eq!((summary.read, summary.landed, summary.control_messages), (2, 2, 1));
    let list = json!({"kind": "EventList", "items": [text[1], {"kind": "Event"}]});
    let summary = bench.land("list.json", serde_json::to_string_pretty(&list).unwrap()).await;
    assert_eq!((summary.landed, summary.rejected), (1, 1));
    let rows = bench.rows("logs").await;
    let by = |code: u32| rows.iter().find(|r| r["status_code"] == json!(code)).unwrap();
    check(
        by(200),
        &[
            ("timestamp", json!("2025-01-15T09:00:00.112345Z")),
            // 112,345 µs - 100,000 µs.
            ("duration_ms", json!(12.345)),
            ("method", json!("list")),
            ("route", json!("/api/v1/pods")),
            ("user_id", json!("ada")),
            ("service", json!("kube-apiserver")),
            ("level", NULL),
            ("attributes/level", json!("Metadata")),
        ],
    );
    check(by(403), &[("duration_ms", json!(0.561927)), ("error_type", json!("Forbidden"))]);
}

#[tokio::test]
async fn access_logs_come_in_their_usual_layouts() {
    let bench = Bench::new().await;
    let text = concat!(
        r#"192.0.2.7 - ada [26/Jan/2019:19:45:25 +0330] "GET /image/20116?name=q.jpg HTTP/1.1" 200 30975 "https://e.example/" "Mozilla \"5\"" "-""#,
        "\n",
        r#"2001:db8::1 - - [26/Jan/2019:19:45:26 +0330] "\x16\x03\x01" 400 0 "-" "-""#,
        "\n",
        r#"192.0.2.8 - - [26/Jan/2019:19:45:27 +0330] "POST /pay HTTP/2.0" 499 - "-" "app""#,
        "\n",
        r#"shop.example:443 192.0.2.9 - bob smith [26/Jan/2019:19:45:28 +0330] "GET / HTTP/1.0" 304 12"#,
        "\n",
        r#"192.0.2.9 - - [26/Jan/2019:19:45:29 +0330] "GET /x HTTP/1.1" 502 150 "-" "curl" 324 0.105 [default-web-80] [] 10.0.0.1:80 150 0.104 502 c0ffee"#,
        "\n",
        r#"192.0.2.9 - - [31/Feb/2019:19:45:29 +0330] "GET /x HTTP/1.1" 200 1"#,
        "\n",
        r#"192.0.2.9 - - [26/Jan/2019:19:45:29 +0330] "GET /x HTTP/1.1" two 1"#,
        "\n",
        r#"192.0.2.9 - - [26/Jan/2019:19:45:29 +0330] "GET /x"#,
        "\n",
    );
    let summary = bench.land("access.log", text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("nginx", 5, 3));
    assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["bad_line"]);
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            // 19:45:25 at +03:30 is 16:15:25 UTC.
            ("timestamp", json!("2019-01-26T16:15:25Z")),
            ("method", json!("GET")),
            ("route", json!("/image/20116")),
            ("status_code", json!(200)),
            ("bytes_sent", json!(30975)),
            ("user_id", json!("ada")),
            ("attributes/http_user_agent", json!("Mozilla \\\"5\\\"")),
            ("attributes/remote_addr", json!("192.0.2.7")),
            ("duration_ms", NULL),
        ],
    );
    check(
        &rows[1],
        &[("method", NULL), ("attributes/request", json!("\\x16\\x03\\x01")), ("status_code", json!(400))],
    );
    check(&rows[2], &[("status_code", json!(499)), ("bytes_sent", NULL), ("error", NULL)]);
    check(&rows[3], &[("service", json!("shop.example:443")), ("user_id", json!("bob smith"))]);
    check(
        &rows[4],
        &[
            ("duration_ms", json!(105.0)),
            ("service", json!("default-web-80")),
            ("request_id", json!("c0ffee")),
            ("attributes/upstream_response_time", json!("0.104")),
        ],
    );
}

#[tokio::test]
async fn the_region_comes_from_the_record_then_the_path_then_the_caller() {
    let bench = Bench::new().await;
    std::fs::create_dir_all(bench.path("eu-north-1")).unwrap();
    let lines = "{\"timestamp\":\"2025-01-15T09:00:00Z\",\"region\":\"own\"}\n{\"timestamp\":\"2025-01-15T09:00:01Z\"}\n";
    let (inside, outside) = (bench.write("eu-north-1/a.log", lines), bench.write("b.log", lines));
    let options = Options { region: Some("lab".into()), ..Options::default() };
    let summary = bench.ingest(&[&inside, &outside], &options).await;
    assert_eq!(
        (
            summary.regions_from_record(),
            summary.regions_from_path,
            summary.regions_from_option,
            summary.unknown_region
        ),
        (2, 1, 1, 0)
    );
    let mut regions: Vec<_> =
        bench.rows("logs").await.iter().map(|r| r["region"].as_str().unwrap().to_owned()).collect();
    regions.sort();
    assert_eq!(regions, ["eu-north-1", "lab", "own", "own"]);
    let path = bench.write("c.log", lines);
    let summary = bench.ingest(&[&path], &Options::default()).await;
    assert_eq!((summary.regions_from_record(), summary.unknown_region), (1, 1));
}
