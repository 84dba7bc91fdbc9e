//! `ws_health_metrics.json`: how WebSockets did, over all and by region.

use arrow::json::writer::{JsonArray, WriterBuilder};
use datafusion::error::DataFusionError;
use serde_json::{Map, Value, json};

use super::{Artifact, Error, json_text};
use crate::domain::format_timestamp;
use crate::engine;
use crate::pipeline::Run;

/// The file.
pub const DOCUMENT: &str = "ws_health_metrics.json";

/// The query that gives every figure of the document.
pub const SQL: &str = "select region, events, attempts, failures, round(success_rate, 6) as success_rate, \
    round(uptime, 6) as uptime, disconnects, abnormal_closes, reconnects, failed_reconnects, \
    round(latency_avg_ms, 3) as avg_latency_ms, round(latency_p95_ms, 3) as p95_latency_ms, \
    round(reconnect_avg_ms, 3) as avg_reconnect_ms, round(reconnect_p50_ms, 3) as p50_reconnect_ms, \
    round(reconnect_p95_ms, 3) as p95_reconnect_ms, round(reconnect_max_ms, 3) as max_reconnect_ms, \
    round(downtime_max_ms, 3) as max_downtime_ms, round(downtime_ms, 3) as total_downtime_ms, \
    round(connected_ms, 3) as connected_ms, heartbeats_missed, heartbeats_sent, \
    round(heartbeat_miss_rate, 6) as heartbeat_miss_rate, messages_lost, messages_sent, \
    round(message_loss_rate, 6) as message_loss_rate from ws_health order by region";

/// Figures that may have no data, and what it takes to have them.
const FIGURES: [(&str, &str); 13] = [
    ("success_rate", "no event tells of an attempt to connect (ws.connect, ws.reconnect)"),
    ("uptime", "no event tells how long a connection was open (connected_ms of ws.disconnect)"),
    ("avg_latency_ms", "no event tells of a latency (handshake_ms of ws.connect)"),
    ("p95_latency_ms", "no event tells of a latency (handshake_ms of ws.connect)"),
    ("avg_reconnect_ms", "no reconnection that succeeded tells how long it took (reconnect_ms)"),
    ("p50_reconnect_ms", "no reconnection that succeeded tells how long it took (reconnect_ms)"),
    ("p95_reconnect_ms", "no reconnection that succeeded tells how long it took (reconnect_ms)"),
    ("max_reconnect_ms", "no reconnection that succeeded tells how long it took (reconnect_ms)"),
    ("max_downtime_ms", "no event tells of a downtime (downtime_ms)"),
    ("total_downtime_ms", "there is no ws.* event"),
    ("connected_ms", "no event tells how long a connection was open (connected_ms of ws.disconnect)"),
    ("heartbeat_miss_rate", "no event counts the heartbeats that were due (heartbeats of ws.disconnect)"),
    ("message_loss_rate", "no event counts the messages that were sent (messages_sent of ws.disconnect)"),
];

/// The document of a run's window. What was not measured is null, with the reason in `missing`.
pub async fn health(run: &Run) -> Result<Artifact, Error> {
    let (mut overall, mut by_region) = (Map::new(), Vec::new());
    for mut row in objects(run).await? {
        if row.get("region").is_some_and(|region| region == "all") {
            row.remove("region");
            overall = row;
        } else {
            by_region.push(Value::Object(row));
        }
    }
    let unmeasured = FIGURES.iter().filter(|(name, _)| overall.get(*name).is_none_or(Value::is_null));
    let mut missing: Map<_, _> =
        unmeasured.map(|(name, reason)| ((*name).to_owned(), Value::from(*reason))).collect();
    if by_region.is_empty() {
        missing.insert("events".into(), "the window holds no log line whose event begins with `ws.`".into());
    }
    let window = run.params().window()?;
    let document = json!({
        "start_time": format_timestamp(window.from()),
        "end_time": format_timestamp(window.to()),
        "overall": overall,
        "regions": by_region,
        "missing": missing,
        "sql": SQL,
    });
    Ok(Artifact::text(DOCUMENT, json_text(&document)))
}

/// The rows of the query as JSON objects, with null where there is no value.
async fn objects(run: &Run) -> Result<Vec<Map<String, Value>>, Error> {
    let fail = |source| Error::Query { document: DOCUMENT, source };
    let broken = |e: DataFusionError| fail(engine::Error::from(e).into());
    let batches = run.rows(SQL).await.map_err(fail)?;
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    let written = batches.iter().try_for_each(|batch| writer.write(batch)).and_then(|()| writer.finish());
    written.map_err(|e| broken(e.into()))?;
    let text = writer.into_inner();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&text).map_err(|e| broken(DataFusionError::External(e.into())))
}
