//! `tars notify`: whether messages arrive.

use super::Global;
use super::workspace::now;
use crate::domain::{MICROS_PER_SECOND, Severity, TimeRange, format_timestamp};
use crate::error::Error;
use crate::nightly::{Journal, Record, Status};
use crate::notify::{self, Message, Options, payload};
use crate::settings::Notification;

/// Try out the notifications of the settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars notify test --dry-run             print what would be sent, without any secret
  SLACK_WEBHOOK=https://hooks... tars notify test --to ops")]
pub(super) struct Notify {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send a test message, whatever the least severity of the receivers
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct Test {
    /// Only this [[notification]] of the settings
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// Send nothing: print the requests
    #[arg(long)]
    dry_run: bool,
}

impl Notify {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let What::Test(test) = self.what;
        let mut receivers = global.settings()?.notifications;
        let known: Vec<String> = receivers.iter().map(|to| to.name.clone()).collect();
        receivers.retain(|to| test.to.as_ref().is_none_or(|name| *name == to.name));
        if receivers.is_empty() {
            let got = test.to.map_or("none".to_owned(), |name| format!("`{name}`"));
            let hint = match known.is_empty() {
                true => "add a [[notification]] to tars.toml: docs/nightly.md".to_owned(),
                false => format!("one of: {}", known.join(", ")),
            };
            let message = format!("expected a [[notification]] of the settings, got {got}");
            return Err(Error::Usage { message, hint: Some(hint) });
        }
        let at = now(None)?;
        let window = TimeRange::new(at, at + MICROS_PER_SECOND)?;
        // Every test is a message of its own, so that none is dropped as a repetition.
        let code = format!("test-{}", at / MICROS_PER_SECOND);
        let text = format!("Sent by `tars notify test` at {}. Nothing has happened.", format_timestamp(at));
        let message = Message::new(&code, Severity::Info, "Test message".into(), text, window);
        for to in &receivers {
            match test.dry_run {
                true => print_request(to, &message),
                false => {
                    notify::send(to, &message, &Options::default()).await?;
                    global.note(format_args!("{}: sent", to.name));
                }
            }
        }
        Ok(())
    }
}

/// Sends each receiver the messages that are severe enough and that it has not got yet; gives how many went out. Without a
/// journal the requests are printed instead.
pub(super) async fn deliver(
    global: &Global,
    receivers: &[Notification],
    messages: &[Message],
    journal: Option<(&Journal, &str)>,
) -> Result<usize, Error> {
    let (mut sent, mut failed) = (0, None);
    for to in receivers {
        let step = format!("notify:{}", to.name);
        let known = match journal {
            Some((journal, _)) => journal.sent(&step).await?,
            None => Vec::new(),
        };
        for message in messages.iter().filter(|m| m.severity >= to.severity) {
            let Some((journal, inputs)) = journal else {
                print_request(to, message);
                continue;
            };
            if known.contains(&message.key) {
                continue;
            }
            let started_at = now(None)?;
            match notify::send(to, message, &Options::default()).await {
                Ok(()) => sent += 1,
                Err(error) => {
                    global.note(format_args!("  {error}"));
                    failed = failed.or(Some(error));
                    // Who refuses one message is not asked to take the next.
                    break;
                }
            }
            let seconds = (now(None)? - started_at).max(0) as f64 / MICROS_PER_SECOND as f64;
            let record = Record {
                started_at,
                step: step.clone(),
                status: Status::Sent,
                seconds,
                rows: None,
                inputs: inputs.to_owned(),
                outputs: None,
                detail: Some(message.key.clone()),
            };
            journal.add(&record).await?;
        }
    }
    match failed {
        None => Ok(sent),
        Some(error) => Err(error.into()),
    }
}

/// The request without its secret, on stdout.
fn print_request(to: &Notification, message: &Message) {
    #![allow(clippy::print_stdout)] // The result of a dry run.
    let request = payload(to, message, None);
    println!("{}: POST {}", to.name, request.url);
    println!("{}", serde_json::to_string_pretty(&request.body).unwrap_or_default());
}
