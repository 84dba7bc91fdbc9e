//! What new versions did when they were new, against the rest of the same services.

use super::registry::Quantity::{Count, Milliseconds, Share};
use super::registry::{Group, Source, scalar};

pub(super) const GROUPS: &[Group] = &[Group {
    source: Source::Canary,
    from: "canary_health",
    scalars: &[
        scalar("CANARY_SERVICES", "max(services)", Count, "Services with a canary"),
        scalar("CANARY_REQUESTS", "max(canary_requests)", Count, "Requests that a canary served"),
        scalar("CANARY_ERRORS", "max(canary_errors)", Count, "Requests of a canary that failed"),
        scalar(
            "CANARY_SUCCESS_RATE",
            "max(canary_success_rate)",
            Share,
            "Requests of a canary that succeeded",
        ),
        scalar(
            "CANARY_ERROR_RATE",
            "max(canary_error_rate)",
            Share,
            "Requests of a canary that failed, as a share",
        ),
        scalar("CANARY_P95_LATENCY_MS", "max(canary_p95_ms)", Milliseconds, "p95 latency of canaries"),
        scalar("CANARY_P99_LATENCY_MS", "max(canary_p99_ms)", Milliseconds, "p99 latency of canaries"),
        scalar(
            "CANARY_CONTROL_ERROR_RATE",
            "max(control_error_rate)",
            Share,
            "Error rate of the rest of the same services",
        ),
        scalar(
            "CANARY_CONTROL_P95_LATENCY_MS",
            "max(control_p95_ms)",
            Milliseconds,
            "p95 latency of the rest of the same services",
        ),
        scalar(
            "CANARY_ERROR_RATE_DELTA",
            "max(canary_error_rate) - max(control_error_rate)",
            Share,
            "Error rate of canaries less that of the rest",
        ),
    ],
}];
