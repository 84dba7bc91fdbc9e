//! `tars certify`: the package of evidence that a window keeps what was promised.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::key::{private_key, read};
use super::output::{unless_stopped, write_whole};
use super::rows::{print, texts};
use super::workspace::{Window, instant, open_run, refresh};
use super::{Global, output};
use crate::artifact::{Artifact, write_folder};
use crate::certify::{self, ARCHIVE, Content, FOLDER, Files, Outcome, Request, Status, Verdict, described};
use crate::error::Error;
use crate::shell::Format;

/// Certify a window: report, figures, checks and evidence as one package that others can verify.
///
/// Writes the folder ga_certification_package and, beside it, the same as one archive. The exit code is 0
/// for CERTIFIED, 20 for NOT CERTIFIED and 21 for INCONCLUSIVE; the package is written in all three.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars certify --from 2025-01-15 --to 2025-01-16 --out certification
  tars key generate --out release.key
  tars certify --date 2025-01-15 --out certification --key release.key
  tars verify certification/ga_certification_package.tar.gz --key release.key.pub
  tars certify --list-placeholders --format markdown")]
pub(super) struct Certify {
    /// Folder for the package and its archive
    #[arg(long, default_value = "certification", value_name = "DIR")]
    out: PathBuf,
    /// Private key to sign with (PKCS#8 PEM); without it the package is not signed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Template of the report: Markdown with names between {{ and }} [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Print `no data` where there is none, instead of refusing; a criterion without data does not pass
    #[arg(long)]
    allow_missing: bool,
    /// As of when the package is [default: the end of the window]
    #[arg(long, value_name = "TIME")]
    generated_at: Option<String>,
    /// Print every placeholder with its source, unit and query, and leave
    #[arg(long)]
    list_placeholders: bool,
    /// table, csv, json, ndjson or markdown; for --list-placeholders
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    window: Window,
}

impl Certify {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        if self.list_placeholders {
            return list(self.format).await;
        }
        let sealed = unless_stopped(self.make(global)).await?;
        write_package(&self.out, &sealed.files)?;
        self.tell(&sealed.outcome);
        match sealed.outcome.status {
            Status::Certified => Ok(()),
            Status::NotCertified => Err(Error::NotCertified { reason: told(&sealed.outcome) }),
            Status::Inconclusive => Err(Error::Inconclusive { reason: told(&sealed.outcome) }),
        }
    }

    async fn make(&self, global: &Global) -> Result<Sealed, Error> {
        let start = Instant::now();
        // What is wrong with the key or the template is said before anything is computed.
        let key = self.key.as_deref().map(private_key).transpose()?;
        let template = self.template.as_deref().map(read).transpose()?;
        certify::Template::parse(template.as_deref().unwrap_or(certify::DEFAULT_TEMPLATE))?;
        let generated_at =
            self.generated_at.as_deref().map(|text| instant("generated-at", text)).transpose()?;
        let settings = global.settings()?;
        let judge = global.judge()?;
        let lake = global.open_lake().await?;
        let (params, baseline_choice) = self.window.params(&lake).await?;
        global.note(format_args!("window {}, compared with {baseline_choice}", params.window()?));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        let request = Request {
            settings: &settings,
            judge,
            baseline_choice,
            template: template.as_deref(),
            allow_missing: self.allow_missing,
            generated_at,
            is_last: true,
        };
        let content = Content::build(&run, &request).await?;
        for missing in &content.missing {
            global.note(format_args!("no data: {missing}"));
        }
        let files = content.seal(key.as_ref())?;
        global.tell_timings(&run);
        global.note(format_args!("done in {:.1} s", start.elapsed().as_secs_f64()));
        Ok(Sealed { outcome: content.outcome, files })
    }

    fn tell(&self, outcome: &Outcome) {
        #![allow(clippy::print_stdout)] // The result of the command.
        println!("{}", outcome.status);
        for c in &outcome.criteria {
            println!("{:<8} {}: {} (limit {})", c.verdict.as_str(), c.title, c.shown(&c.observed), c.limit());
        }
        let passed = outcome.checks.iter().filter(|c| c.verdict == Verdict::Pass).count();
        println!("{passed} of {} checks passed", outcome.checks.len());
        println!("{}", self.out.join(FOLDER).display());
        println!("{}", self.out.join(ARCHIVE).display());
    }
}

/// Writes folder and archive, so that each is there whole or not at all, and never an archive of another
/// package beside the folder.
pub(super) fn write_package(out: &Path, files: &Files) -> Result<(), Error> {
    let archive = certify::pack(files)?;
    let (folder, file) = (out.join(FOLDER), out.join(ARCHIVE));
    let fail = |path: &Path, source| Error::Write { path: path.to_owned(), source };
    std::fs::create_dir_all(out).map_err(|e| fail(out, e))?;
    match std::fs::remove_file(&file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fail(&file, e)),
        _ => {}
    }
    let documents: Vec<Artifact> =
        files.iter().map(|(name, bytes)| Artifact { name: name.clone(), bytes: bytes.clone() }).collect();
    write_folder(&folder, &documents).map_err(|e| fail(&folder, e))?;
    write_whole(&file, &archive)
}

struct Sealed {
    outcome: Outcome,
    files: Files,
}

fn told(outcome: &Outcome) -> String {
    format!("{}: {}", outcome.status, outcome.reason)
}

async fn list(format: Format) -> Result<(), Error> {
    let all = described();
    let of = |field: fn(&certify::Described) -> String| texts(all.iter().map(field));
    let columns = vec![
        ("name", of(|d| d.name.to_owned())),
        ("source", of(|d| d.source.to_string())),
        ("unit", of(|d| d.unit.to_owned())),
        ("meaning", of(|d| d.meaning.to_owned())),
        ("sql", of(|d| d.sql.clone())),
    ];
    print(format, columns).await?;
    output::note(format_args!("{} placeholders", all.len()));
    Ok(())
}
