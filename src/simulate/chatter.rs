//! Log lines that are no requests: WebSocket events, services talking to themselves, killed instances.

use super::effects::Effects;
use super::json::{self, field, integer_field, number_field};
use super::options::MINUTE;
use super::plan::hosts;
use super::random::Spread;
use super::requests::{Buffer, Player, USERS};
use super::traffic::Scene;
use super::world::{SERVICES, SocketEvent, WEBSOCKET_GATEWAY};

/// Median time to open a WebSocket.
const HANDSHAKE_MS: f64 = 45.0;
/// Median time that one stays open.
const CONNECTED_MS: f64 = 1_800_000.0;
/// Time between two heartbeats, and between two messages.
const HEARTBEAT_MS: f64 = 30_000.0;
const MESSAGE_MS: f64 = 2_000.0;

impl Player<'_> {
    /// The head of a line that is no request: it has neither a status nor a `duration_ms`.
    fn head(&mut self, logs: &mut Buffer, place: (usize, usize, u8), at: i64, level: &str, version: u16) {
        let out = &mut logs.bytes;
        out.extend_from_slice(b"{\"timestamp\":\"");
        self.clock.instant(out, at);
        out.push(b'"');
        out.extend_from_slice(self.shared.texts.place(place.0 as u8, place.1 as u8, place.2));
        field(out, "level", level);
        out.extend_from_slice(self.shared.texts.version(version));
    }

    /// Something that happens to a WebSocket.
    pub(super) fn socket(
        &mut self,
        logs: &mut Buffer,
        e: &Effects,
        region: usize,
        event: SocketEvent,
        at: i64,
    ) -> u64 {
        let bits = self.random.bits();
        let host = (bits >> 60) as usize % hosts(region);
        let fails = event == SocketEvent::Reconnect
            && self.random.happens(0.000_3 + 2.0 * e.packet_loss.min(0.05) + e.errors);
        let (level, name, message) = match event {
            SocketEvent::Connect => ("INFO", "ws.connect", "websocket opened"),
            SocketEvent::Disconnect => ("INFO", "ws.disconnect", "websocket closed"),
            SocketEvent::Reconnect if fails => ("ERROR", "ws.reconnect", "websocket could not be reopened"),
            SocketEvent::Reconnect => ("INFO", "ws.reconnect", "websocket reopened"),
            SocketEvent::HeartbeatMiss => ("WARN", "ws.heartbeat_miss", "no heartbeat in time"),
            SocketEvent::MessageLoss => ("WARN", "ws.message_loss", "messages were not delivered"),
        };
        self.head(logs, (region, WEBSOCKET_GATEWAY, host as u8), at, level, e.version);
        let slower = 1.0 + (e.network_us / 150_000.0).min(3.0) + (e.queue - 1.0) * 0.1;
        let factor = self.shared.normal.factor(Spread::Wide, bits);
        let out = &mut logs.bytes;
        field(out, "event", name);
        field(out, "message", message);
        field(out, "user_id", &format!("u-{}", (bits >> 20) as usize % USERS + 1));
        out.extend_from_slice(b",\"connection_id\":\"");
        json::hex(out, self.random.bits());
        out.push(b'"');
        match event {
            SocketEvent::Connect => number_field(out, "handshake_ms", HANDSHAKE_MS * factor * slower),
            SocketEvent::Disconnect => {
                let connected = CONNECTED_MS * factor;
                field(out, "close_code", if bits & 15 == 0 { "1006" } else { "1000" });
                number_field(out, "connected_ms", connected);
                integer_field(out, "heartbeats", (connected / HEARTBEAT_MS) as u64);
                integer_field(out, "messages_sent", 1 + (connected / MESSAGE_MS) as u64);
            }
            SocketEvent::Reconnect => {
                let reconnect = (1_500.0 * factor * slower).min(29_500.0);
                number_field(out, "reconnect_ms", reconnect);
                number_field(out, "downtime_ms", reconnect + 500.0);
                integer_field(out, "attempts", if fails { 5 } else { 1 + (reconnect / 4_000.0) as u64 });
                field(out, "outcome", if fails { "failure" } else { "success" });
                if fails {
                    field(out, "error", "no answer to the websocket handshake");
                    field(out, "error_type", "WebSocketReconnectFailed");
                }
            }
            SocketEvent::HeartbeatMiss => integer_field(out, "missed", 1 + (factor * 0.7) as u64),
            SocketEvent::MessageLoss => integer_field(out, "lost_messages", 1 + (factor * 3.0) as u64),
        }
        out.extend_from_slice(b"}\n");
        1
    }

    /// A service talking to itself.
    pub(super) fn background(
        &mut self,
        logs: &mut Buffer,
        e: &Effects,
        region: usize,
        service: usize,
        at: i64,
    ) -> u64 {
        let bits = self.random.bits();
        let host = (bits >> 60) as usize % hosts(region);
        let factor = self.shared.normal.factor(Spread::Wide, bits);
        let (level, event, message, key, value) = match (bits >> 32) % 100 {
            0..34 => ("DEBUG", "cache.refresh", "cache refreshed", "entries", 800.0 * factor),
            34..60 => {
                ("DEBUG", "pool.stats", "connection pool checked", "in_use", 12.0 * factor * e.connections)
            }
            60..84 => {
                // Collecting takes longer the less memory is free.
                let pause = 14.0 * factor * (1.0 + 12.0 * e.memory * e.memory);
                let level = if pause > 150.0 { "WARN" } else { "INFO" };
                (level, "gc.pause", "garbage collected", "pause_ms", pause)
            }
            84..96 => ("INFO", "checkpoint.written", "checkpoint written", "size_kib", 4_200.0 * factor),
            _ => ("WARN", "query.slow", "query took long", "statement_ms", 180.0 * factor * e.database),
        };
        self.head(logs, (region, service, host as u8), at, level, e.version);
        let out = &mut logs.bytes;
        field(out, "event", event);
        field(out, "message", message);
        number_field(out, key, value);
        out.extend_from_slice(b"}\n");
        1
    }

    /// An instance killed because it used more memory than it may.
    pub(super) fn kill(
        &mut self,
        logs: &mut Buffer,
        scene: &Scene,
        region: usize,
        service: usize,
        from: i64,
    ) {
        let at = from + self.random.below(MINUTE as usize / 60) as i64;
        let version = scene.effects(region, service).version;
        self.head(logs, (region, service, 0), at, "FATAL", version);
        let out = &mut logs.bytes;
        field(out, "event", "oom_killed");
        field(out, "message", "container exceeded its memory limit and was killed");
        field(out, "error", "memory limit exceeded");
        field(out, "error_type", "OOMKilled");
        number_field(out, "memory_limit_mib", SERVICES[service].memory_limit_mib);
        out.extend_from_slice(b"}\n");
    }
}
