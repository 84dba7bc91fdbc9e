//! Certification: a package of evidence that a stranger can check.
//!
//! [`Content::build`] makes every document from one run; [`Content::seal`] adds the manifest and, with a key,
//! the signature. What covers what: `MANIFEST.sha256` holds the hash of every file but itself and the
//! signature; the signature covers the manifest and, by name, every file that the manifest lists; the archive
//! lies beside the folder and holds all of it. Nothing here reads a clock: the same table versions, settings
//! and key give the same bytes.

mod archive;
mod attest;
mod criteria;
mod dsse;
mod email;
mod error;
mod html;
mod key;
mod manifest;
mod metadata;
mod package;
mod placeholders;
mod template;
#[cfg(test)]
mod tests;
mod verify;

pub use archive::{ARCHIVE, FOLDER, pack, unpack};
pub use attest::PREDICATE_TYPE;
pub use criteria::{Criterion, Level, Outcome, Status, Verdict};
pub use dsse::{Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
pub use error::Error;
pub use key::{KeyType, PrivateKey, PublicKey};
pub use manifest::{Files, MANIFEST, digest};
pub use metadata::{METADATA, Metadata, Pinned, Tool, Window};
pub use package::{Content, Request};
pub use placeholders::{Described, Filled, Source, Values, described};
pub use template::{DEFAULT_TEMPLATE, Template};
pub use verify::{Checked, Finding, Signature, check, differences, open};

/// The public half of the key that signed the package.
pub const PUBLIC_KEY: &str = "signing_key.pub.pem";
/// The signature: an in-toto statement in a DSSE envelope.
pub const SIGNATURE: &str = "certification.intoto.json";
