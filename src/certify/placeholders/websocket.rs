//! Health of WebSockets, over all regions.

use super::registry::Quantity::{Count, Milliseconds, Share};
use super::registry::{Group, Source, scalar};

pub(super) const GROUPS: &[Group] = &[Group {
    source: Source::WebSocket,
    from: "ws_health where region = 'all'",
    scalars: &[
        scalar(
            "WS_SUCCESS_RATE",
            "max(success_rate)",
            Share,
            "Attempts to connect or reconnect that succeeded",
        ),
        scalar("WS_UPTIME", "max(uptime)", Share, "Connected time of connected time and downtime"),
        scalar("WS_AVG_LATENCY", "max(latency_avg_ms)", Milliseconds, "Mean latency of messages"),
        scalar("WS_P95_LATENCY", "max(latency_p95_ms)", Milliseconds, "p95 of the latency of messages"),
        scalar(
            "WS_MAX_DOWNTIME",
            "case when max(events) > 0 then coalesce(max(downtime_max_ms), 0) end",
            Milliseconds,
            "Longest time without a connection; 0 when none was lost",
        ),
        scalar("WS_RECONNECTS", "max(reconnects)", Count, "Attempts to reconnect"),
        scalar(
            "WS_AVG_RECONNECT_TIME",
            "case when max(reconnects) = 0 then 0 else max(reconnect_avg_ms) end",
            Milliseconds,
            "Mean time to reconnect; 0 when nobody had to",
        ),
        scalar(
            "WS_MAX_RECONNECT_TIME",
            "case when max(reconnects) = 0 then 0 else max(reconnect_max_ms) end",
            Milliseconds,
            "Longest time to reconnect; 0 when nobody had to",
        ),
        scalar("WS_HEARTBEATS_MISSED", "max(heartbeats_missed)", Count, "Heartbeats that did not come"),
        scalar("WS_MESSAGES_SENT", "max(messages_sent)", Count, "Messages sent"),
        scalar("WS_MESSAGES_LOST", "max(messages_lost)", Count, "Messages that did not arrive"),
        scalar("WS_MESSAGE_LOSS", "max(message_loss_rate)", Share, "Messages lost of messages sent"),
    ],
}];
