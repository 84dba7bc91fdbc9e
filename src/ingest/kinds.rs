//! The formats by name.

use std::fmt;
use std::str::FromStr;

use super::error::{Error, Result};

/// How the bytes of a source are to be understood; `docs/formats.md` says what each one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per row: canonical column names, common aliases, field mappings.
    Ndjson,
    /// `key=value` pairs, as logrus and Go kit write them.
    Logfmt,
    /// CloudWatch Logs: API pages, single events, subscription envelopes, Firehose and Kinesis records.
    Cloudwatch,
    /// CloudWatch Logs as exported to S3: `2025-01-15T09:00:00.123Z message`.
    CloudwatchExport,
    /// CloudWatch Logs as its console saves them in CSV: log events, Live Tail, Insights.
    CloudwatchCsv,
    /// CloudWatch Logs Insights results in JSON: `[[{"field":…,"value":…}]]`.
    CloudwatchInsights,
    /// Google Cloud Logging: API pages, arrays, sink files.
    Gcp,
    /// OTLP/JSON logs, traces and metrics.
    Otlp,
    /// Docker's json-file driver, partial lines joined.
    Docker,
    /// Kubernetes container logs (CRI), partial lines joined.
    Cri,
    /// Kubernetes audit events.
    K8sAudit,
    /// nginx and Apache access logs: common, combined, with a virtual host, ingress-nginx.
    Nginx,
    /// Access logs of AWS Application Load Balancers.
    Alb,
    /// Standard access logs of CloudFront.
    Cloudfront,
    /// VPC flow logs in their space-separated text form.
    VpcFlow,
    /// CloudTrail record files.
    Cloudtrail,
    /// Traces as Jaeger's API and UI give them.
    Jaeger,
    /// Zipkin v2 spans.
    Zipkin,
    /// Replies of the Prometheus HTTP API to queries.
    Prometheus,
    /// Delimited text with a header row.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 20] = [
        Format::Ndjson,
        Format::Logfmt,
        Format::Cloudwatch,
        Format::CloudwatchExport,
        Format::CloudwatchCsv,
        Format::CloudwatchInsights,
        Format::Gcp,
        Format::Otlp,
        Format::Docker,
        Format::Cri,
        Format::K8sAudit,
        Format::Nginx,
        Format::Alb,
        Format::Cloudfront,
        Format::VpcFlow,
        Format::Cloudtrail,
        Format::Jaeger,
        Format::Zipkin,
        Format::Prometheus,
        Format::Csv,
    ];

    /// Its name on the command line and in `rejects`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Logfmt => "logfmt",
            Format::Cloudwatch => "cloudwatch",
            Format::CloudwatchExport => "cloudwatch-export",
            Format::CloudwatchCsv => "cloudwatch-csv",
            Format::CloudwatchInsights => "cloudwatch-insights",
            Format::Gcp => "gcp",
            Format::Otlp => "otlp",
            Format::Docker => "docker",
            Format::Cri => "cri",
            Format::K8sAudit => "k8s-audit",
            Format::Nginx => "nginx",
            Format::Alb => "alb",
            Format::Cloudfront => "cloudfront",
            Format::VpcFlow => "vpc-flow",
            Format::Cloudtrail => "cloudtrail",
            Format::Jaeger => "jaeger",
            Format::Zipkin => "zipkin",
            Format::Prometheus => "prometheus",
            Format::Csv => "csv",
        }
    }

    /// Every name, for messages.
    pub fn names() -> String {
        Format::ALL.map(Format::as_str).join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text.trim();
        // Two servers write one format.
        if name.eq_ignore_ascii_case("apache") {
            return Ok(Format::Nginx);
        }
        Format::ALL
            .into_iter()
            .find(|f| f.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::UnknownFormat { got: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_answers_to_its_name_and_no_other() {
        for format in Format::ALL {
            assert_eq!(format.to_string().to_uppercase().parse::<Format>().unwrap(), format);
        }
        assert_eq!("apache".parse::<Format>().unwrap(), Format::Nginx);
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert!(error.starts_with("unknown format `xml`; expected one of: ndjson, logfmt,"), "{error}");
    }

    #[test]
    fn the_documentation_has_a_section_for_every_format() {
        let docs = include_str!("../../docs/formats.md");
        let listed: Vec<&str> = docs
            .lines()
            .filter_map(|l| l.strip_prefix("| `"))
            .filter_map(|l| l.split_once("` |").map(|(name, _)| name))
            .collect();
        assert_eq!(listed, Format::ALL.map(Format::as_str));
        for format in Format::ALL {
            assert!(docs.contains(&format!("\n### {format}\n")), "no section `### {format}`");
        }
    }
}
