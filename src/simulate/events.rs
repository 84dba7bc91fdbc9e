//! The small tables: changes, alerts, and the labels.

use super::alert::Alert;
use super::json::{Clock, field, integer_field, number_field};
use super::options::MINUTE;
use super::requests::{Buffer, Shared};
use super::world::{REGIONS, SERVICES};

fn head(buffer: &mut Buffer, clock: &mut Clock, key: &str, at: i64, region: usize, service: usize) {
    let out = &mut buffer.bytes;
    out.extend_from_slice(format!("{{\"{key}\":\"").as_bytes());
    clock.instant(out, at);
    out.push(b'"');
    field(out, "region", REGIONS[region].name);
    field(out, "service", SERVICES[service].name);
    buffer.rows += 1;
}

/// Deployments, settings and whatever else was changed on purpose.
pub(super) fn changes(shared: &Shared) -> Buffer {
    let (mut buffer, mut clock) = (Buffer::default(), Clock::new());
    for (number, change) in shared.plan.changes.iter().enumerate() {
        let at = shared.checked.start + change.after;
        head(&mut buffer, &mut clock, "timestamp", at, change.region, change.service);
        let out = &mut buffer.bytes;
        field(out, "change_id", &format!("chg-{:06}", number + 1));
        field(out, "kind", change.kind.as_str());
        field(out, "key", change.key);
        field(out, "old_value", &change.old);
        field(out, "new_value", &change.new);
        if let Some(version) = &change.version {
            field(out, "version", version);
        }
        field(out, "author", change.author);
        out.extend_from_slice(if change.success { b",\"success\":true" } else { b",\"success\":false" });
        field(out, "detail", &change.detail);
        out.extend_from_slice(b"}\n");
    }
    buffer
}

/// Every alert twice: when it fires and when it is resolved.
pub(super) fn alerts(shared: &Shared) -> Buffer {
    let (mut buffer, mut clock) = (Buffer::default(), Clock::new());
    let mut turns: Vec<(i64, usize, bool, &Alert)> = Vec::new();
    for (number, alert) in shared.plan.alerts.iter().enumerate() {
        turns.push((alert.fires, number, true, alert));
        if alert.resolves < shared.checked.length {
            turns.push((alert.resolves, number, false, alert));
        }
    }
    turns.sort_by_key(|(at, number, ..)| (*at, *number));
    for (at, number, fires, alert) in turns {
        head(&mut buffer, &mut clock, "timestamp", shared.checked.start + at, alert.region, alert.service);
        // Resolved means that it is back below what the rule compares with.
        let value = if fires { alert.value } else { alert.threshold * 0.6 };
        let (service, region) = (SERVICES[alert.service].name, REGIONS[alert.region].name);
        let out = &mut buffer.bytes;
        field(out, "alert", alert.name);
        field(out, "severity", alert.severity.as_str());
        field(out, "status", if fires { "firing" } else { "resolved" });
        number_field(out, "value", value);
        number_field(out, "threshold", alert.threshold);
        field(out, "fingerprint", &format!("alert-{:06}", number + 1));
        field(out, "detail", &format!("{} of {service} in {region}", alert.name));
        out.extend_from_slice(b"}\n");
    }
    buffer
}

/// One label per region and service that a fault or a harmless event hits.
pub(super) fn incidents(shared: &Shared) -> Buffer {
    let (mut buffer, mut clock) = (Buffer::default(), Clock::new());
    for (number, fault) in shared.plan.faults.iter().enumerate() {
        let at = |minute: usize| shared.checked.start + minute as i64 * MINUTE;
        for service in (0..SERVICES.len()).filter(|s| fault.hits(fault.region, *s)) {
            head(&mut buffer, &mut clock, "from", at(fault.from), fault.region, service);
            let out = &mut buffer.bytes;
            out.extend_from_slice(b",\"to\":\"");
            clock.instant(out, at(fault.to));
            out.push(b'"');
            field(out, "verdict", fault.kind.verdict().as_str());
            field(out, "detail", &fault.detail());
            field(out, "cause", fault.kind.name());
            field(out, "incident_id", &format!("inc-{:06}", number + 1));
            integer_field(out, "strength_percent", (fault.strength * 100.0) as u64);
            out.extend_from_slice(b"}\n");
        }
    }
    buffer
}
