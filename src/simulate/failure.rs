//! The ways in which a request fails, as log lines and spans tell them.

/// One way to fail.
pub(super) struct Failure {
    pub(super) error_type: &'static str,
    pub(super) error: &'static str,
    pub(super) status: u16,
    /// Set when the code itself broke; infrastructure errors come without a stack.
    pub(super) stack: Option<&'static str>,
}

/// An index into [`FAILURES`]; 0 is success.
pub(super) type FailureId = u8;

pub(super) const NONE: FailureId = 0;
pub(super) const INVALID: FailureId = 1;
pub(super) const UNAUTHORIZED: FailureId = 2;
pub(super) const MISSING: FailureId = 3;
pub(super) const CONFLICT: FailureId = 4;
pub(super) const RATE_LIMITED: FailureId = 5;
pub(super) const UNHANDLED: FailureId = 6;
pub(super) const CONFIGURATION: FailureId = 7;
pub(super) const QUERY_TIMEOUT: FailureId = 8;
pub(super) const POOL_EXHAUSTED: FailureId = 9;
pub(super) const UPSTREAM_TIMEOUT: FailureId = 10;
pub(super) const BAD_GATEWAY: FailureId = 11;
pub(super) const RESTARTING: FailureId = 12;
pub(super) const OVERLOADED: FailureId = 13;
pub(super) const CACHE_DOWN: FailureId = 14;
pub(super) const REGRESSED: FailureId = 15;

const fn failure(status: u16, error_type: &'static str, error: &'static str) -> Failure {
    Failure { error_type, error, status, stack: None }
}

const fn broken(error_type: &'static str, error: &'static str, stack: &'static str) -> Failure {
    Failure { error_type, error, status: 500, stack: Some(stack) }
}

pub(super) static FAILURES: [Failure; 16] = [
    failure(200, "", ""),
    failure(400, "ValidationError", "request body does not match the schema"),
    failure(401, "Unauthorized", "token expired"),
    failure(404, "NotFound", "no such resource"),
    failure(409, "Conflict", "resource was changed by another writer"),
    failure(429, "RateLimitExceeded", "client exceeded its request budget"),
    broken(
        "NullPointerException",
        "attempt to read a field of a missing object",
        "NullPointerException: attempt to read a field of a missing object\n  at Handler.decode (handler.rs:212)\n  at Router.dispatch (router.rs:88)\n  at Server.serve (server.rs:41)",
    ),
    broken(
        "ConfigurationError",
        "setting `pool.mode` has no handler for value `strict`",
        "ConfigurationError: setting `pool.mode` has no handler for value `strict`\n  at Settings.resolve (settings.rs:147)\n  at Pool.acquire (pool.rs:63)\n  at Handler.run (handler.rs:120)\n  at Server.serve (server.rs:41)",
    ),
    failure(504, "QueryTimeout", "canceling statement due to statement timeout"),
    failure(503, "ConnectionPoolExhausted", "no database connection became free in time"),
    failure(504, "UpstreamTimeout", "upstream did not answer in time"),
    failure(502, "BadGateway", "upstream answered with a server error"),
    failure(503, "ServiceRestarting", "connection refused while the instance restarts"),
    failure(503, "Overloaded", "worker queue is full"),
    failure(503, "CacheUnavailable", "redis: connection refused"),
    broken(
        "IndexOutOfBounds",
        "index 64 is out of range for a batch of 64",
        "IndexOutOfBounds: index 64 is out of range for a batch of 64\n  at Batch.merge (batch.rs:301)\n  at Handler.run (handler.rs:133)\n  at Server.serve (server.rs:41)",
    ),
];
