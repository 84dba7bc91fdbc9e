//! What AWS writes, by samples of our own.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::options::{Format, Options};
use super::{Bench, check};

const NULL: Value = Value::Null;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn packed(text: &str) -> String {
    STANDARD.encode(gzip(text.as_bytes()))
}

fn subscription(message: &str, region: Option<&str>) -> String {
    let mut event = json!({"id": "1", "timestamp": 1_736_931_600_123_i64, "message": message});
    if let Some(region) = region {
        event["extractedFields"] = json!({"@aws.region": region});
    }
    json!({
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/aws/lambda/checkout", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": [event],
    })
    .to_string()
}

#[tokio::test]
async fn exports_keep_messages_over_several_lines_whole_and_pass_over_blank_ones() {
    let bench = Bench::new().await;
    let text = "2025-01-15T09:00:01.500Z REPORT RequestId: r-1\tDuration: 89.34 ms\tBilled Duration: 100 ms\t\
                Memory Size: 128 MB\tMax Memory Used: 111 MB\tInit Duration: 250.5 ms\t\n\
                XRAY TraceId: 1-638f7ef8-1e68129e21ae504b7de0da3b\tSegmentId: 1c2d\tSampled: true\t\n\n\
                2025-01-15T09:00:00.000Z panic: oh no\n\tat one\n\n\tat two\n\
                2025-01-15T09:00:02.000Z {\"level\":\"warn\",\"msg\":\"from json\",\"region\":\"eu-west-1\"}\n\
                2025-01-15T09:00:03.000Z\n";
    std::fs::create_dir_all(bench.path("export/us-west-2/task")).unwrap();
    let path = bench.write("export/us-west-2/task/000000.gz", gzip(text.as_bytes()));
    let summary = bench.ingest(&[&path], &Options { region: Some("lab".into()), ..Options::default() }).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("cloudwatch-export", 4, 0));
    assert_eq!(
        (summary.regions_from_record(), summary.regions_from_path, summary.regions_from_option),
        (1, 3, 0)
    );
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[("message", json!("panic: oh no\n\tat one\n\n\tat two")), ("region", json!("us-west-2"))],
    );
    check(
        &rows[1],
        &[
            ("timestamp", json!("2025-01-15T09:00:01.500Z")),
            ("event", json!("lambda.report")),
            ("request_id", json!("r-1")),
            ("duration_ms", json!(89.34)),
            ("trace_id", json!("638f7ef81e68129e21ae504b7de0da3b")),
            ("attributes/lambda.billed_duration_ms", json!("100")),
            ("attributes/lambda.init_duration_ms", json!("250.5")),
            ("attributes/lambda.memory_size_mb", json!("128")),
            ("attributes/lambda.max_memory_used_mb", json!("111")),
            ("attributes/lambda.xray_sampled", json!("true")),
            ("status_code", NULL),
        ],
    );
    check(
        &rows[2],
        &[("message", json!("from json")), ("level", json!("WARN")), ("region", json!("eu-west-1"))],
    );
    check(&rows[3], &[("message", json!(""))]);
}

#[tokio::test]
async fn lines_of_lambda_are_taken_apart_wherever_they_come_from() {
    let bench = Bench::new().await;
    let lines = [
        "START RequestId: r-1 Version: $LATEST\n",
        "END RequestId: r-1\n",
        "2025-01-15T09:00:00.250Z\tr-1\tERROR\tboom\tand more\n",
        "[WARNING]\t2025-01-15T09:00:00.250Z\tr-2\tslow\n",
        "REPORT RequestId: r-3\tDuration: 2 s\tRestore Duration: 1.5 ms\tSomething New: 7\t",
    ];
    let page = json!({"events": lines.iter().enumerate().map(|(i, line)| {
        json!({"timestamp": 1_736_931_600_000_i64 + i as i64, "message": line, "ingestionTime": 1})
    }).collect::<Vec<_>>(), "nextToken": "t"});
    bench.land("page.json", page.to_string()).await;
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[("event", json!("lambda.start")), ("version", json!("$LATEST")), ("request_id", json!("r-1"))],
    );
    check(&rows[1], &[("event", json!("lambda.end")), ("request_id", json!("r-1"))]);
    check(
        &rows[2],
        &[("level", json!("ERROR")), ("message", json!("boom\tand more")), ("request_id", json!("r-1"))],
    );
    check(&rows[3], &[("level", json!("WARN")), ("message", json!("slow")), ("request_id", json!("r-2"))]);
    check(
        &rows[4],
        &[
            ("duration_ms", json!(2000.0)),
            ("attributes/lambda.restore_duration_ms", json!("1.5")),
            ("attributes/lambda.something_new", json!("7")),
        ],
    );
}

#[tokio::test]
async fn envelopes_of_streams_are_unpacked_with_documents_in_a_row() {
    let bench = Bench::new().await;
    let control = json!({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health"}]}).to_string();
    let both = format!("{}{}", subscription("one", Some("us-west-2")), subscription("two", None));
    let firehose = json!({"deliveryStreamArn": "arn:aws:firehose:eu-west-1:1:deliverystream/x", "records": [
        {"recordId": "a", "approximateArrivalTimestamp": 1_736_931_600_000_i64, "data": packed(&both)},
        {"recordId": "b", "approximateArrivalTimestamp": 1_736_931_600_000_i64, "data": packed(&control)},
        {"recordId": "c", "approximateArrivalTimestamp": 1_736_931_600_000_i64, "data": STANDARD.encode("Hello World")},
        {"recordId": "d", "data": STANDARD.encode(r#"{"timestamp":"2025-01-15T09:00:05Z","message":"own"}"#)},
        {"recordId": "e"},
    ]});
    let kinesis = json!({"Records": [{"eventSourceARN": "arn:aws:kinesis:us-east-1:1:stream/s",
        "kinesis": {"approximateArrivalTimestamp": 1_736_931_607.25, "data": STANDARD.encode("from kinesis")}}]});
    // Documents of Firehose in S3, one behind the other on one line.
    let text = format!("{firehose}{kinesis}{}{control}", subscription("bare", None));
    let summary = bench.land("x.json", text).await;
    assert_eq!(summary.sources[0].format, "cloudwatch");
    assert_eq!((summary.landed, summary.rejected, summary.control_messages), (6, 1, 2));
    assert_eq!(summary.reasons.keys().copied().collect::<Vec<_>>(), ["bad_envelope"]);
    let rows = bench.rows("logs").await;
    let find = |message: &str| rows.iter().find(|r| r["message"] == message).unwrap();
    check(find("one"), &[("region", json!("us-west-2")), ("service", json!("checkout"))]);
    check(find("two"), &[("region", json!("unknown")), ("timestamp", json!("2025-01-15T09:00:00.123Z"))]);
    check(
        find("Hello World"),
        &[("timestamp", json!("2025-01-15T09:00:00Z")), ("region", json!("eu-west-1"))],
    );
    check(
        find("from kinesis"),
        &[("timestamp", json!("2025-01-15T09:00:07.250Z")), ("region", json!("us-east-1"))],
    );
    check(find("own"), &[("timestamp", json!("2025-01-15T09:00:05Z"))]);
}

#[tokio::test]
async fn a_bomb_in_an_envelope_is_refused() {
    let bench = Bench::new().await;
    let bomb = json!({"awslogs": {"data": STANDARD.encode(gzip(&vec![b' '; 80 << 20]))}});
    let summary = bench.land("bomb.json", bomb.to_string()).await;
    assert_eq!((summary.landed, summary.rejected), (0, 1));
    let rejects = bench.rows("rejects").await;
    assert!(
        rejects[0]["reason"].as_str().unwrap().contains("see `max_unpacked` in the settings"),
        "{rejects:?}"
    );
}

#[tokio::test]
async fn the_console_saves_three_kinds_of_csv() {
    let bench = Bench::new().await;
    let events =
        "timestamp,message\n1736931600123,\"a \"\"quoted\"\" line,\nand its next\"\n1736931600124,plain\n";
    let summary = bench.land("log-events-viewer-result.csv", events).await;
    assert_eq!((summary.sources[0].format, summary.landed), ("cloudwatch-csv", 2));
    let live = "Event Time,Message,Log group,Log stream\n2025-01-15T14:30:01.958+05:30,hello,123456789012:/aws/lambda/api,s-1\n";
    assert_eq!(bench.land("live.csv", live).await.landed, 1);
    let insights = "@timestamp,@message,@log,requestId\n2025-01-15 09:00:02.036,\"{\"\"level\"\":\"\"error\"\",\"\"msg\"\":\"\"x\"\"}\",1:/g/web,r-9\n2025-01-15 09:00:03,too,many,fields,here\n";
    let summary = bench.land("insights.csv", insights).await;
    assert_eq!((summary.landed, summary.rejected), (1, 1));
    assert_eq!(summary.reasons["bad_line"], 1);
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:00.123Z")),
            ("message", json!("a \"quoted\" line,\nand its next")),
        ],
    );
    // 14:30:01.958 at +05:30 is 09:00:01.958 UTC.
    check(
        &rows[2],
        &[
            ("timestamp", json!("2025-01-15T09:00:01.958Z")),
            ("service", json!("api")),
            ("attributes/Log stream", json!("s-1")),
        ],
    );
    check(
        &rows[3],
        &[
            ("level", json!("ERROR")),
            ("message", json!("x")),
            ("request_id", json!("r-9")),
            ("service", json!("web")),
        ],
    );
}

#[tokio::test]
async fn insights_results_in_json_are_rows_of_fields() {
    let bench = Bench::new().await;
    let row = |i: i64| {
        json!([
            {"field": "@timestamp", "value": format!("2025-01-15 09:00:0{i}.500")},
            {"field": "@message", "value": "REPORT RequestId: r\tDuration: 5 ms"},
            {"field": "@log", "value": "1:/aws/lambda/score"},
            {"field": "@ptr", "value": "p"},
        ])
    };
    let bare = json!([row(0), row(1)]);
    let summary = bench.land("bare.json", bare.to_string()).await;
    assert_eq!((summary.sources[0].format, summary.landed), ("cloudwatch-insights", 2));
    let api =
        json!({"results": [row(2), row(3), []], "statistics": {"recordsMatched": 2.0}, "status": "Complete"});
    let summary = bench.land("api.json", serde_json::to_string_pretty(&api).unwrap()).await;
    assert_eq!((summary.landed, summary.rejected), (2, 0));
    let wrong = bench.land("wrong.json", "[[{\"field\":\"a\",\"value\":\"b\"}],[7]]").await;
    assert_eq!((wrong.landed, wrong.rejected), (0, 2));
    let rows = bench.rows("logs").await;
    check(
        &rows[3],
        &[
            ("timestamp", json!("2025-01-15T09:00:03.500Z")),
            ("duration_ms", json!(5.0)),
            ("service", json!("score")),
            ("attributes/@ptr", json!("p")),
        ],
    );
}

#[tokio::test]
async fn load_balancer_lines_sum_their_times() {
    let bench = Bench::new().await;
    let line = |times: &str, status: &str| {
        format!(
            "https 2025-01-15T09:00:16.176563Z app/my-lb/50dc6c495c0c9188 192.0.2.1:40860 10.0.0.1:80 {times} {status} 200 34 366 \
             \"GET https://shop.example:443/cart/7?x=1 HTTP/2.0\" \"curl/7.46.0 \\\"x\\\"\" ECDHE-RSA TLSv1.2 \
             arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/73e2d6bc24d8a067 \
             \"Root=1-58337262-36d228ad5d99923122bbe354\" \"-\" \"-\" 0 2025-01-15T09:00:16.100000Z \"forward\" \"-\" \"-\" \
             \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1234 extra\n"
        )
    };
    let text = format!("{}{}half a line\n", line("0.086 0.048 0.037", "200"), line("-1 -1 -1", "503"));
    let path = bench.write("elb.log", text);
    let summary = bench.ingest(&[&path], &Options { region: Some("lab".into()), ..Options::default() }).await;
    // An ARN in a line is the line's own word.
    assert_eq!((summary.regions_from_record(), summary.regions_from_option), (2, 0));
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("alb", 2, 1));
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:16.176563Z")),
            // 86 + 48 + 37.
            ("duration_ms", json!(171.0)),
            ("status_code", json!(200)),
            ("bytes_sent", json!(366)),
            ("method", json!("GET")),
            ("route", json!("/cart/7")),
            ("region", json!("eu-central-1")),
            ("service", json!("my-lb")),
            ("trace_id", json!("5833726236d228ad5d99923122bbe354")),
            ("attributes/target_status_code", json!("200")),
            ("attributes/field_31", json!("extra")),
        ],
    );
    check(
        &rows[1],
        &[
            ("duration_ms", NULL),
            ("status_code", json!(503)),
            ("attributes/target_processing_time", json!("-1")),
        ],
    );
}

#[tokio::test]
async fn cloudfront_follows_its_fields_lines() {
    let bench = Bench::new().await;
    let text = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes cs-method cs-uri-stem sc-status cs(User-Agent) x-edge-result-type x-edge-request-id x-host-header time-taken\n\
                2025-01-15\t09:00:01\tFRA1\t1222\tGET\t/a%20b\t200\tMozilla/5.0%20(X)\tMiss\tid-1\tcdn.example\t0.199\n\
                2025-01-15\t09:00:02\tFRA1\t0\tGET\t/c\t000\t-\tError\tid-2\tcdn.example\t0.001\n\
                2025-01-15\t09:00:03\ttoo few\n\
                #Fields: time date sc-status\n09:00:04\t2025-01-15\t404\n";
    let summary = bench.land("E123.2025-01-15-09.abc", text).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("cloudfront", 3, 1));
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("duration_ms", json!(199.0)),
            ("status_code", json!(200)),
            ("bytes_sent", json!(1222)),
            ("route", json!("/a b")),
            ("service", json!("cdn.example")),
            ("request_id", json!("id-1")),
            ("attributes/cs(User-Agent)", json!("Mozilla/5.0 (X)")),
        ],
    );
    check(
        &rows[1],
        &[("status_code", NULL), ("attributes/sc-status", json!("000")), ("error_type", json!("Error"))],
    );
    check(&rows[2], &[("timestamp", json!("2025-01-15T09:00:04Z")), ("status_code", json!(404))]);
}

#[tokio::test]
async fn flow_logs_come_with_a_header_or_in_the_default_order() {
    let bench = Bench::new().await;
    let line =
        "2 123456789012 eni-1 10.0.0.1 10.0.0.2 443 60220 6 48 21869 1736931601 1736931661 ACCEPT OK\n";
    let gap = "2 123456789012 eni-1 - - - - - - - 1736931661 1736931721 - NODATA\n";
    let custom = "region start end action instance-id\nap-south-1 1736931700 1736931760 REJECT i-7\nap-south-1 1736931700\n";
    let summary = bench.land("flow.log", format!("{line}{gap}{custom}")).await;
    assert_eq!((summary.sources[0].format, summary.landed, summary.rejected), ("vpc-flow", 3, 1));
    let rows = bench.rows("logs").await;
    check(
        &rows[0],
        &[
            // date -u -d @1736931601
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("event", json!("vpc.flow")),
            ("duration_ms", NULL),
            ("attributes/bytes", json!("21869")),
            ("attributes/action", json!("ACCEPT")),
        ],
    );
    check(&rows[1], &[("attributes/srcaddr", NULL), ("attributes/log-status", json!("NODATA"))]);
    check(
        &rows[2],
        &[("region", json!("ap-south-1")), ("host", json!("i-7")), ("attributes/action", json!("REJECT"))],
    );
}

#[tokio::test]
async fn cloudtrail_files_give_their_records() {
    let bench = Bench::new().await;
    let record = |name: &str, error: bool| {
        let mut record = json!({
            "eventVersion": "1.08", "eventTime": "2025-01-15T09:00:01Z", "eventSource": "s3.amazonaws.com",
            "eventName": name, "awsRegion": "us-east-1", "requestID": "q-1",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ben", "accountId": "1"},
            "requestParameters": {"bucketName": "b", "timestamp": "1999-01-01T00:00:00Z"}, "responseElements": null,
        });
        if error {
            record["errorCode"] = json!("AccessDenied");
        }
        record
    };
    let file =
        json!({"Records": [record("GetObject", false), record("PutObject", true), {"eventName": "x"}]});
    for (name, text) in
        [("one.json", file.to_string()), ("two.json", serde_json::to_string_pretty(&file).unwrap())]
    {
        let summary = bench.land(name, text).await;
        assert_eq!(
            (summary.sources[0].format, summary.landed, summary.rejected),
            ("cloudtrail", 2, 1),
            "{name}"
        );
    }
    let rows = bench.rows("logs").await;
    let put = rows.iter().find(|r| r["event"] == "PutObject").unwrap();
    check(
        put,
        &[
            ("timestamp", json!("2025-01-15T09:00:01Z")),
            ("region", json!("us-east-1")),
            ("service", json!("s3.amazonaws.com")),
            ("user_id", json!("arn:aws:iam::1:user/ben")),
            ("error_type", json!("AccessDenied")),
            ("error", json!("AccessDenied")),
            ("request_id", json!("q-1")),
            ("attributes/requestParameters.bucketName", json!("b")),
            ("attributes/requestParameters.timestamp", json!("1999-01-01T00:00:00Z")),
        ],
    );
    let options = Options { format: Some(Format::Cloudtrail), ..Options::default() };
    let path = bench.write("bad.json", "[[1],{}]");
    assert_eq!(bench.ingest(&[&path], &options).await.rejected, 2);
}
