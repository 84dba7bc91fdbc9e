//! Notifications: what was found, told to Slack, PagerDuty and Statuspage.
//!
//! `message` is what is told, `payload` the form that each service takes, `send` brings it there. A message has a key
//! that is the same whenever the same thing is told of the same window, so that a repeated run does not page twice:
//! PagerDuty drops repetitions by it, and whoever sends keeps the keys of what was sent. Secrets come from the
//! environment, and neither messages, nor errors, nor dry runs show them.

mod message;
mod payload;
mod send;

pub use message::Message;
pub use payload::{Payload, payload};
pub use send::{Options, send};

use crate::settings::Notification;

/// Why a message did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The environment lacks the secret.
    #[error("notification `{name}`: expected its secret in the environment variable {variable}, got {got}")]
    Secret {
        /// The receiver.
        name: String,
        /// The variable.
        variable: String,
        /// What is there, in words.
        got: &'static str,
    },
    /// The service did not take it.
    #[error("notification `{name}`: expected {channel} to take the message, got: {got}")]
    Refused {
        /// The receiver.
        name: String,
        /// Its kind.
        channel: &'static str,
        /// What came back, without secrets.
        got: String,
    },
    /// The models do not answer.
    #[error("notifications: {message}")]
    Model {
        /// What is wrong.
        message: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Secret { variable, .. } => Some(format!(
                "set {variable}, or take the [[notification]] out of tars.toml; --dry-run needs no secret"
            )),
            Error::Refused { .. } => Some(
                "`tars notify test --dry-run` prints what is sent; `tars nightly` with the same window sends what is left"
                    .into(),
            ),
            Error::Model { .. } => None,
        }
    }
}

/// The secret of a receiver.
pub fn secret(to: &Notification) -> Result<String, Error> {
    let fail = |got| Error::Secret { name: to.name.clone(), variable: to.secret_env.clone(), got };
    match std::env::var(&to.secret_env) {
        Ok(text) if text.trim().is_empty() => Err(fail("an empty text")),
        Ok(text) if text.trim().chars().any(|c| c.is_control() || c.is_whitespace()) => {
            Err(fail("a text with spaces or line breaks in it"))
        }
        Ok(text) => Ok(text.trim().to_owned()),
        Err(_) => Err(fail("nothing")),
    }
}

#[cfg(test)]
mod tests;
