//! Loggers that write JSON: which unit and which level a number is follows from who wrote the line.

use serde_json::{Value, json};

use super::super::options::Options;
use super::{Bench, check};

const NULL: Value = Value::Null;

/// Lands one line in a lake of its own.
async fn row(line: Value, expected: &[(&str, Value)]) {
    let lake = Bench::new().await;
    let summary = lake.land("app.log", format!("{line}\n")).await;
    assert_eq!((summary.landed, summary.rejected), (1, 0), "{line}: {:?}", summary.reasons);
    check(&lake.row("logs").await, expected);
}

#[tokio::test]
async fn numbers_get_the_unit_of_the_logger_that_wrote_them() {
    // pino: milliseconds, numeric levels, with pino-http's fields.
    row(
        json!({"level": 50, "time": 1_745_532_517_537_i64, "pid": 17, "hostname": "h", "msg": "failed",
               "req": {"method": "GET", "url": "/a?b"}, "res": {"statusCode": 500}, "responseTime": 12}),
        &[
            // date -u -d @1745532517
            ("timestamp", json!("2025-04-24T22:08:37.537Z")),
            ("level", json!("ERROR")),
            ("duration_ms", json!(12.0)),
            ("method", json!("GET")),
            ("route", json!("/a")),
            ("status_code", json!(500)),
        ],
    )
    .await;
    // bunyan: the same levels, ISO time.
    row(
        json!({"name": "app", "hostname": "h", "pid": 1, "level": 40, "msg": "m", "time": "2025-01-15T09:00:00.5Z", "v": 0}),
        &[("timestamp", json!("2025-01-15T09:00:00.500Z")), ("level", json!("WARN")), ("host", json!("h"))],
    )
    .await;
    // zap in production, and Caddy on it: seconds, both for the instant and for durations.
    row(
        json!({"level": "info", "ts": 1_693_840_791.756_5, "logger": "http.log.access", "msg": "handled request",
               "request": {"method": "GET", "uri": "/x?y"}, "duration": 0.000_002_701, "status": 200}),
        &[
            ("timestamp", json!("2023-09-04T15:19:51.756500Z")),
            ("duration_ms", json!(0.002_701)),
            ("route", json!("/x")),
            ("status_code", json!(200)),
        ],
    )
    .await;
    // Traefik: nanoseconds.
    row(
        json!({"ClientHost": "c", "DownstreamStatus": 200, "DownstreamContentSize": 77, "Duration": 357_313,
               "OriginDuration": 300_000, "RequestMethod": "GET", "RequestPath": "/p", "ServiceName": "s@docker",
               "StartUTC": "2025-01-15T09:00:00.25Z", "level": "info", "msg": "", "time": "2025-01-15T09:00:01Z"}),
        &[
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("duration_ms", json!(0.357_313)),
            ("bytes_sent", json!(77)),
            ("service", json!("s@docker")),
        ],
    )
    .await;
    // Envoy: milliseconds.
    row(
        json!({"start_time": "2025-01-15T09:00:00.100Z", "method": "GET", "path": "/e", "response_code": 503,
               "response_flags": "UF", "duration": 4, "upstream_cluster": "c", "x-request-id": "q"}),
        &[("duration_ms", json!(4.0)), ("status_code", json!(503)), ("request_id", json!("q"))],
    )
    .await;
    // Drone's logrus: Go's time.Duration, nanoseconds.
    row(
        json!({"duration": 20_950_259, "level": "debug", "method": "GET", "msg": "request completed", "referer": "",
               "remote": "10.0.0.1:1", "request": "/metrics", "status": 200, "time": "2025-01-15T09:00:00Z", "user-agent": "x"}),
        &[("duration_ms", json!(20.950_259)), ("level", json!("DEBUG"))],
    )
    .await;
    // nginx's own variables as JSON: seconds, as a text or a number.
    row(
        json!({"time_local": "26/Jan/2019:19:45:25 +0330", "remote_addr": "a", "status": "200", "request_time": "0.250",
               "body_bytes_sent": "5", "request_method": "GET", "request_uri": "/n?x"}),
        &[
            ("timestamp", json!("2019-01-26T16:15:25Z")),
            ("duration_ms", json!(250.0)),
            ("bytes_sent", json!(5)),
            ("route", json!("/n")),
        ],
    )
    .await;
    // ECS, dotted and nested in one line: event.duration is nanoseconds.
    row(
        json!({"@timestamp": "2025-01-15T09:00:00Z", "log.level": "debug", "message": "m", "ecs.version": "1.6.0",
               "event": {"duration": 1_500_000}, "service": {"name": "web"}, "http.response.status_code": 201}),
        &[
            ("level", json!("DEBUG")),
            ("duration_ms", json!(1.5)),
            ("service", json!("web")),
            ("status_code", json!(201)),
        ],
    )
    .await;
    // journald: microseconds as a text, syslog numbers.
    row(
        json!({"__REALTIME_TIMESTAMP": "1736931600123456", "PRIORITY": "3", "MESSAGE": "m", "_HOSTNAME": "h",
               "SYSLOG_IDENTIFIER": "sshd"}),
        &[
            ("timestamp", json!("2025-01-15T09:00:00.123456Z")),
            ("level", json!("ERROR")),
            ("message", json!("m")),
            ("host", json!("h")),
            ("service", json!("sshd")),
        ],
    )
    .await;
    // python-json-logger, and API Gateway with the names of its documentation.
    row(
        json!({"asctime": "2025-01-15 09:00:00,908", "levelname": "CRITICAL", "name": "x", "message": "m"}),
        &[("timestamp", json!("2025-01-15T09:00:00.908Z")), ("level", json!("FATAL"))],
    )
    .await;
    row(
        json!({"requestId": "g", "requestTime": "15/Jan/2025:09:00:08 +0000", "httpMethod": "GET", "status": "200"}),
        &[("timestamp", json!("2025-01-15T09:00:08Z")), ("request_id", json!("g"))],
    )
    .await;
}

#[tokio::test]
async fn a_number_whose_unit_nobody_says_is_a_note_and_no_guess() {
    let bench = Bench::new().await;
    // zerolog can be set to any unit; a logrus line is not Drone's; `ts` as a text is not zap's.
    let lines = [
        json!({"level": "info", "timestamp": "2025-01-15T09:00:00Z", "duration": 20_950_259, "message": "m"}),
        json!({"level": "info", "time": "2025-01-15T09:00:01Z", "elapsed": "1500", "msg": "m"}),
        json!({"level": "info", "ts": "2025-01-15T09:00:02Z", "duration": 0.5, "caller": "a.go:1", "msg": "m"}),
        json!({"level": "info", "time": 1_736_931_603, "message": "m"}),
    ];
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    let summary = bench.land("app.log", text).await;
    assert_eq!((summary.landed, summary.rejected, summary.unitless_values), (3, 1, 3));
    assert_eq!(summary.reasons["time_unit"], 1);
    let rows = bench.rows("logs").await;
    check(&rows[0], &[("duration_ms", NULL), ("attributes/duration", json!("20950259"))]);
    check(&rows[1], &[("duration_ms", NULL), ("attributes/elapsed", json!("1500"))]);
    check(&rows[2], &[("duration_ms", NULL), ("attributes/duration", json!("0.5"))]);
}

#[tokio::test]
async fn pairs_mean_what_the_same_keys_mean_in_json() {
    let bench = Bench::new().await;
    let text = "ts=2025-01-15T09:00:00.606619951Z caller=http.go:194 level=debug traceID=54680f2e6c3a09c4 msg=\"POST /push \\\"x\\\"\" duration=33.5ms\n\
                time=\"2025-01-15T09:00:01Z\" level=warning msg=slow status=200 elapsed=12 retried\n\
                time=\"2025-01-15T09:00:02Z level=warning\n";
    let summary = bench.land("app.log", text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("logfmt", 2, 1));
    assert_eq!((summary.unitless_values, summary.reasons["bad_line"]), (1, 1));
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00.606619Z")),
            ("level", json!("DEBUG")),
            ("message", json!("POST /push \"x\"")),
            ("trace_id", json!("54680f2e6c3a09c4")),
            ("duration_ms", json!(33.5)),
            ("attributes/caller", json!("http.go:194")),
        ],
    );
    check(
        &rows[1],
        &[
            ("level", json!("WARN")),
            ("status_code", json!(200)),
            ("duration_ms", NULL),
            ("attributes/elapsed", json!("12")),
            ("attributes/retried", json!("true")),
        ],
    );
}

#[tokio::test]
async fn units_of_a_logger_hold_inside_a_message_too() {
    let bench = Bench::new().await;
    let zap =
        json!({"level": "error", "ts": 1_693_840_791.5, "caller": "a.go:1", "msg": "m", "latency": 0.25});
    let event = json!({"timestamp": 1_693_840_792_000_i64, "message": zap.to_string(), "ingestionTime": 1});
    bench.land("page.json", json!({"events": [event]}).to_string()).await;
    check(
        &bench.row("logs").await,
        &[
            ("timestamp", json!("2023-09-04T15:19:52Z")),
            ("duration_ms", json!(250.0)),
            ("level", json!("ERROR")),
            ("attributes/ts", json!("1693840791.5")),
        ],
    );
    // A mapping says more than any logger.
    let path = bench.write("b.log", format!("{zap}\n"));
    let mapping = super::super::options::FieldMapping {
        table: None,
        from: "latency".into(),
        to: "duration_ms".into(),
        unit: Some("ms".into()),
    };
    bench.ingest(&[&path], &Options { mappings: vec![mapping], ..Options::default() }).await;
    check(&bench.rows("logs").await[0], &[("duration_ms", json!(0.25))]);
}
