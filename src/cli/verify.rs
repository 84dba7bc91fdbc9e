//! `tars verify`: whether a certification package is what was sealed, and what the data still says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Global;
use super::key::{public_key, read};
use super::output::unless_stopped;
use super::workspace::{instant, open_run};
use crate::certify::{
    self, Content, DEFAULT_TEMPLATE, Envelope, Files, Finding, METADATA, Metadata, PUBLIC_KEY, PublicKey,
    Request, SIGNATURE, Signature, digest,
};
use crate::domain::TimeRange;
use crate::engine::{Params, Value};
use crate::error::Error;
use crate::lake::AsOf;

/// Verify a certification package: hashes and signature, without lake or network.
///
/// With --rerun every document is made again from the table versions that the package pins, and any
/// difference is reported, file by file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars verify certification/ga_certification_package
  tars verify ga_certification_package.tar.gz --key release.key.pub
  tars verify ga_certification_package.tar.gz --rerun --lake s3://telemetry/lake")]
pub(super) struct Verify {
    /// The package: its folder or its archive
    package: PathBuf,
    /// Public key (SPKI PEM) that must have signed it
    #[arg(long, value_name = "PUB")]
    key: Option<PathBuf>,
    /// Make the package again from the lake, and compare
    #[arg(long)]
    rerun: bool,
    /// The template that the package was made with, for --rerun [default: the built-in one]
    #[arg(long, value_name = "FILE", requires = "rerun")]
    template: Option<PathBuf>,
}

impl Verify {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        let key = self.key.as_deref().map(public_key).transpose()?;
        let (files, mut findings) = certify::open(&self.package)?;
        let checked = certify::check(&files, key.as_ref());
        findings.extend(checked.findings);
        if findings.is_empty() {
            println!("{} files are what was sealed", files.len());
            println!("{}", told(&checked.signature));
        }
        // Documents that were changed say nothing about what to make again.
        if findings.is_empty() && self.rerun {
            findings = unless_stopped(self.again(global, &files)).await?;
            if findings.is_empty() {
                println!("made again from the lake: every file is the same");
            }
        }
        if findings.is_empty() {
            return Ok(());
        }
        let listed: String = findings.iter().map(|finding| format!("\n  {finding}")).collect();
        let findings = format!("`{}` is not what it should be:{listed}", self.package.display());
        Err(Error::Unverified { findings })
    }

    /// Makes the package again; what is different.
    async fn again(&self, global: &Global, files: &Files) -> Result<Vec<Finding>, Error> {
        let metadata = Metadata::from_json(files.get(METADATA).map_or(&[][..], Vec::as_slice))?;
        let settings = global.settings()?;
        let judge = global.judge()?;
        let template = self.template.as_deref().map(read).transpose()?;
        let template_sha256 = digest(template.as_deref().unwrap_or(DEFAULT_TEMPLATE).as_bytes());
        for (what, option, pinned, given) in [
            ("settings", "--config", &metadata.settings_sha256, &settings.digest()),
            ("a model", "--model", &metadata.judge, &judge),
            ("a template", "--template", &metadata.template_sha256, &template_sha256),
        ] {
            if pinned != given {
                return Err(Error::Usage {
                    message: format!(
                        "{option}: expected {what} of hash {pinned}, as the package pins, got {given}"
                    ),
                    hint: Some(format!("give {option} as when the package was made")),
                });
            }
        }
        let versions: BTreeMap<_, _> = metadata.tables.iter().map(|t| (t.table.clone(), t.version)).collect();
        let lake = global.open_lake().await?.as_of(&[AsOf::Only(versions)]).await?;
        let range = |name: &str, window: &certify::Window| -> Result<TimeRange, Error> {
            Ok(TimeRange::new(instant(name, &window.from)?, instant(name, &window.to)?)?)
        };
        let (window, baseline) = (range("window", &metadata.window)?, range("baseline", &metadata.baseline)?);
        let mut params = Params::new(window, baseline);
        params.set("interval_seconds", Value::Integer(metadata.interval_seconds))?;
        let run = open_run(global, &lake, &settings, params).await?;
        let request = Request {
            settings: &settings,
            judge,
            baseline_choice: metadata.baseline_choice.clone(),
            template: template.as_deref(),
            allow_missing: metadata.allow_missing,
            generated_at: Some(instant("generated_at", &metadata.generated_at)?),
            is_last: true,
        };
        let content = Content::build(&run, &request).await?;
        let public = files.get(PUBLIC_KEY).map(|pem| String::from_utf8_lossy(pem).into_owned());
        let again = content.with_manifest(public.clone());
        let mut unsigned = files.clone();
        let envelope = unsigned.remove(SIGNATURE);
        let mut findings = certify::differences(&unsigned, &again);
        if let (Some(envelope), Some(public)) = (envelope, public) {
            let stated = Envelope::from_json(&envelope)?.open(&PublicKey::from_pem(&public)?)?;
            if stated != content.statement(&again) {
                findings.push(Finding::Broken {
                    name: SIGNATURE.to_owned(),
                    reason: "expected the statement that follows from the lake, got another".to_owned(),
                });
            }
        }
        Ok(findings)
    }
}

fn told(signature: &Signature) -> String {
    match signature {
        Signature::None => "not signed".to_owned(),
        Signature::Invalid => "the signature does not hold".to_owned(),
        Signature::Enclosed(id) => {
            format!(
                "signed by the enclosed key {id}; whose that is, only --key with a key that you trust tells"
            )
        }
        Signature::Trusted(id) => format!("signed by {id}, the key that was given"),
    }
}
