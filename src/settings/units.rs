//! What a metric may measure, and how the units that sources state convert to one.
//!
//! A unit is never guessed from the size of a value: a sample whose stated unit is not listed for the
//! dimension of its role is left out. Names follow UCUM (OpenTelemetry), the words of Prometheus
//! exporters, and those of CloudWatch's `StandardUnit`.

/// A unit of some dimension and what turns a value in it into the dimension's own unit.
type UnitFactor = (&'static str, f64);

/// What kind of quantity a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Percent,
    Share,
    Milliseconds,
    Bytes,
    BytesPerSecond,
    OperationsPerSecond,
    Cores,
    Count,
}

const KI: f64 = 1024.0;
const MI: f64 = KI * KI;
const GI: f64 = MI * KI;

const PERCENT: &[UnitFactor] =
    &[("percent", 1.0), ("%", 1.0), ("Percent", 1.0), ("1", 100.0), ("ratio", 100.0)];

const SHARE: &[UnitFactor] = &[("1", 1.0), ("ratio", 1.0), ("percent", 0.01), ("%", 0.01), ("Percent", 0.01)];

const MILLISECONDS: &[UnitFactor] = &[
    ("ms", 1.0),
    ("milliseconds", 1.0),
    ("Milliseconds", 1.0),
    ("s", 1e3),
    ("seconds", 1e3),
    ("Seconds", 1e3),
    ("us", 1e-3),
    ("microseconds", 1e-3),
    ("Microseconds", 1e-3),
    ("ns", 1e-6),
    ("nanoseconds", 1e-6),
    ("min", 6e4),
];

const BYTES: &[UnitFactor] = &[
    ("bytes", 1.0),
    ("By", 1.0),
    ("B", 1.0),
    ("Bytes", 1.0),
    ("KiB", KI),
    ("KiBy", KI),
    ("MiB", MI),
    ("MiBy", MI),
    ("GiB", GI),
    ("GiBy", GI),
    ("kB", 1e3),
    ("kBy", 1e3),
    ("Kilobytes", 1e3),
    ("MB", 1e6),
    ("MBy", 1e6),
    ("Megabytes", 1e6),
    ("GB", 1e9),
    ("GBy", 1e9),
    ("Gigabytes", 1e9),
];

// Sources that scrape at a fixed interval report a rate as plain bytes; both are taken as they are.
const BYTES_PER_SECOND: &[UnitFactor] = &[
    ("bytes/s", 1.0),
    ("By/s", 1.0),
    ("B/s", 1.0),
    ("Bytes/Second", 1.0),
    ("bytes", 1.0),
    ("By", 1.0),
    ("Bytes", 1.0),
    ("KiB/s", KI),
    ("KiBy/s", KI),
    ("MiB/s", MI),
    ("MiBy/s", MI),
    ("kB/s", 1e3),
    ("kBy/s", 1e3),
    ("Kilobytes/Second", 1e3),
    ("MB/s", 1e6),
    ("MBy/s", 1e6),
    ("Megabytes/Second", 1e6),
];

const OPERATIONS_PER_SECOND: &[UnitFactor] = &[
    ("1/s", 1.0),
    ("ops/s", 1.0),
    ("iops", 1.0),
    ("IOPS", 1.0),
    ("Count/Second", 1.0),
    ("requests/s", 1.0),
    ("req/s", 1.0),
    ("rps", 1.0),
    ("1", 1.0),
    ("ops", 1.0),
    ("count", 1.0),
    ("Count", 1.0),
];

const CORES: &[UnitFactor] = &[
    ("cores", 1.0),
    ("core", 1.0),
    ("cpu", 1.0),
    ("vcpu", 1.0),
    ("1", 1.0),
    ("millicores", 1e-3),
    ("mcpu", 1e-3),
    ("m", 1e-3),
];

const COUNT: &[UnitFactor] = &[("1", 1.0), ("count", 1.0), ("Count", 1.0), ("None", 1.0)];

impl Dimension {
    /// Every unit that converts, the dimension's own first.
    pub(super) fn units(self) -> &'static [UnitFactor] {
        match self {
            Dimension::Percent => PERCENT,
            Dimension::Share => SHARE,
            Dimension::Milliseconds => MILLISECONDS,
            Dimension::Bytes => BYTES,
            Dimension::BytesPerSecond => BYTES_PER_SECOND,
            Dimension::OperationsPerSecond => OPERATIONS_PER_SECOND,
            Dimension::Cores => CORES,
            Dimension::Count => COUNT,
        }
    }

    /// The unit that values are converted to.
    pub(super) fn unit(self) -> &'static str {
        self.units()[0].0
    }

    /// What turns a value in `unit` into the dimension's own unit.
    pub(super) fn factor(self, unit: &str) -> Option<f64> {
        self.units().iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
    }
}

/// The roles that models ask for, with what they measure. A role is a meaning (`cpu_utilization`) that
/// each exporter spells its own way.
pub(super) const ROLES: &[(&str, Dimension)] = &[
    ("cpu_utilization", Dimension::Percent),
    ("memory_utilization", Dimension::Percent),
    ("node_cpu_utilization", Dimension::Percent),
    ("node_memory_utilization", Dimension::Percent),
    ("memory_usage", Dimension::Bytes),
    ("disk_io", Dimension::OperationsPerSecond),
    ("disk_throughput", Dimension::BytesPerSecond),
    ("network_io", Dimension::BytesPerSecond),
    ("queue_depth", Dimension::Count),
    ("queue_wait_ms", Dimension::Milliseconds),
    ("request_rate", Dimension::OperationsPerSecond),
    ("cache_hit_rate", Dimension::Share),
    ("database_latency_ms", Dimension::Milliseconds),
    ("external_api_latency_ms", Dimension::Milliseconds),
    ("server_latency_p95_ms", Dimension::Milliseconds),
    ("server_latency_p99_ms", Dimension::Milliseconds),
    ("client_latency_p95_ms", Dimension::Milliseconds),
    ("dashboard_load_ms", Dimension::Milliseconds),
    ("panel_load_ms", Dimension::Milliseconds),
    ("replication_lag_ms", Dimension::Milliseconds),
    ("replicated_rows", Dimension::Count),
    ("replicas", Dimension::Count),
    ("cpu_limit", Dimension::Cores),
    ("node_count", Dimension::Count),
    ("node_pressure_count", Dimension::Count),
    ("cluster_cpu_cores", Dimension::Cores),
    ("cluster_memory", Dimension::Bytes),
    ("cluster_cpu_utilization", Dimension::Percent),
    ("cluster_memory_utilization", Dimension::Percent),
    ("memory_limit", Dimension::Bytes),
];

/// The dimension of a role.
pub(super) fn role(name: &str) -> Option<Dimension> {
    ROLES.iter().find(|(role, _)| *role == name).map(|(_, dimension)| *dimension)
}

/// What turns a field in `unit` into the unit of the tables: durations into ms, sizes into bytes.
pub(super) fn field_factor(unit: &str) -> Option<f64> {
    Dimension::Milliseconds.factor(unit).or_else(|| Dimension::Bytes.factor(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_converts_to_the_unit_of_its_dimension() {
        assert_eq!(Dimension::Percent.factor("1"), Some(100.0));
        assert_eq!(Dimension::Milliseconds.factor("s"), Some(1000.0));
        // python3 -c "print(2**30)"
        assert_eq!(Dimension::Bytes.factor("GiB"), Some(1_073_741_824.0));
        assert_eq!(Dimension::Bytes.factor("s"), None);
        assert_eq!(field_factor("us"), Some(0.001));
        assert_eq!(field_factor("furlong"), None);
    }

    #[test]
    fn every_dimension_names_each_unit_once_and_its_own_with_factor_one() {
        for (role, dimension) in ROLES {
            let units = dimension.units();
            assert_eq!(units[0].1, 1.0, "{role}");
            for (i, (unit, _)) in units.iter().enumerate() {
                assert!(units[..i].iter().all(|(other, _)| other != unit), "{role}: {unit}");
            }
        }
    }
}
