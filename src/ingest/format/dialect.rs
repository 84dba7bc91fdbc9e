//! Units that neither a key nor a text says, but the logger that wrote the line: told from the keys that only this
//! logger writes together, never from the size of a number.
//!
//! | logger  | told by                                             | unit                                   |
//! |---------|-----------------------------------------------------|----------------------------------------|
//! | pino    | `level`, `time`, `pid` and `msg` or `hostname`      | `time`, `responseTime`: ms             |
//! | zap     | numeric `ts` beside `level` and `msg`, `logger` or `caller` | `ts` and durations: s (EpochTimeEncoder, SecondsDurationEncoder) |
//! | Traefik | `DownstreamStatus` and `StartUTC` or `OriginDuration` | durations: ns                        |
//! | Envoy   | `response_flags` and `upstream_cluster`, `response_code` or `start_time` | `duration`: ms     |
//! | Drone   | `remote`, `request` and `user-agent` (logrus)       | `duration`: ns (Go's time.Duration)    |
//! | nginx   | `remote_addr` and `status` or `body_bytes_sent`     | `request_time`: s                      |

use super::names::{NameId, Names};
use super::units::Unit;
use crate::ingest::row::Row;

/// The unit of a number under a name, by the logger that wrote the row.
pub(crate) fn unit(row: &Row<'_>, names: &Names, name: NameId) -> Option<Unit> {
    let path = names.path(name);
    let has = |key: &str| row.has_key(names, key);
    let any = |keys: &[&str]| keys.iter().any(|k| has(k));
    match path {
        "time" | "responseTime" if has("level") && has("time") && has("pid") && any(&["msg", "hostname"]) => {
            Some(Unit::Milliseconds)
        }
        "request_time" if has("remote_addr") && any(&["status", "body_bytes_sent"]) => Some(Unit::Seconds),
        "Duration" if has("DownstreamStatus") && any(&["StartUTC", "OriginDuration"]) => {
            Some(Unit::Nanoseconds)
        }
        "duration" if has("response_flags") && any(&["upstream_cluster", "response_code", "start_time"]) => {
            Some(Unit::Milliseconds)
        }
        "duration" if has("remote") && has("request") && has("user-agent") => Some(Unit::Nanoseconds),
        // `ts` as a number is what makes it zap; Go kit, which writes text, has the other keys too.
        "ts" | "duration" | "latency" | "elapsed" | "took"
            if row.lacks_unit(names, "ts") && has("level") && any(&["msg", "logger", "caller"]) =>
        {
            Some(Unit::Seconds)
        }
        _ => None,
    }
}
