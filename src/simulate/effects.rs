//! What disturbs one service in one region at one minute: all that faults may touch.

use super::failure::{FailureId, UNHANDLED};

/// Factors are 1 and additions 0 when nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effects {
    /// Factor on the clients that come.
    pub(super) traffic: f64,
    /// Routes, as bits, that `work` and `queries` apply to.
    pub(super) routes: u8,
    /// Factor on the routes' own work.
    pub(super) work: f64,
    /// Factor on the number of database queries.
    pub(super) queries: f64,
    /// Factor on each database query's time.
    pub(super) database: f64,
    /// Factor on the open database connections.
    pub(super) connections: f64,
    /// Share of cache look-ups that miss.
    pub(super) cache_miss: f64,
    /// Factor on the external API's time.
    pub(super) external: f64,
    /// Share of calls to the external API that run into the time limit.
    pub(super) external_timeouts: f64,
    /// Added to every round trip to another region, in microseconds.
    pub(super) network_us: f64,
    /// Share of calls between services that get lost and time out.
    pub(super) packet_loss: f64,
    /// Factor on waits and depths of queues.
    pub(super) queue: f64,
    /// Share of requests that fail on their own.
    pub(super) errors: f64,
    /// How they fail.
    pub(super) failure: FailureId,
    /// Percentage points of CPU.
    pub(super) cpu: f64,
    /// Share of the way from healthy memory to the limit.
    pub(super) memory: f64,
    /// Factor on disk operations.
    pub(super) disk: f64,
    /// Nodes of the region under pressure.
    pub(super) pressed_nodes: f64,
    /// Factor on replication lag.
    pub(super) replication: f64,
    /// Factor on rewards.
    pub(super) reward: f64,
    /// Added to failures of evaluations, as a share.
    pub(super) evaluation_failures: f64,
    /// Which version runs, as an index into the plan's versions.
    pub(super) version: u16,
    /// How often it was restarted so far, over the whole span.
    pub(super) restarts: u32,
}

impl Effects {
    /// Share of cache look-ups that miss on a healthy day.
    pub(super) const CACHE_MISS: f64 = 0.09;
    /// Share of requests that fail with a server error on a healthy day; far below the promised 0.1 %.
    pub(super) const ERRORS: f64 = 0.000_2;

    pub(super) fn none() -> Self {
        Effects {
            traffic: 1.0,
            routes: 0xff,
            work: 1.0,
            queries: 1.0,
            database: 1.0,
            connections: 1.0,
            cache_miss: Self::CACHE_MISS,
            external: 1.0,
            external_timeouts: 0.000_3,
            network_us: 0.0,
            packet_loss: 0.000_02,
            queue: 1.0,
            errors: Self::ERRORS,
            failure: UNHANDLED,
            cpu: 0.0,
            memory: 0.0,
            disk: 1.0,
            pressed_nodes: 0.0,
            replication: 1.0,
            reward: 1.0,
            evaluation_failures: 0.0,
            version: 0,
            restarts: 0,
        }
    }
}
