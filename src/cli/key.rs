//! `tars key`: keys that sign packages.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::certify::{KeyType, PrivateKey, PublicKey};
use crate::error::Error;

/// Make keys that sign certification packages.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars key generate --out release.key                      also writes release.key.pub
  tars key generate --type ecdsa-p256 --out release.key
  tars key id release.key.pub")]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a new private key, which only you can read, and its public half beside it
    Generate {
        /// ed25519 or ecdsa-p256
        #[arg(long = "type", default_value_t = KeyType::Ed25519, value_name = "TYPE")]
        kind: KeyType,
        /// File of the private key (PKCS#8 PEM); the public key (SPKI PEM) goes to FILE.pub
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the name of a public key, as signatures carry it: the SHA-256 of its SPKI DER
    Id {
        /// The public key (SPKI PEM)
        file: PathBuf,
    },
}

impl Key {
    pub(super) fn run(self) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        match self.action {
            Action::Generate { kind, out } => {
                let key = PrivateKey::generate(kind)?;
                let mut public_name = out.as_os_str().to_owned();
                public_name.push(".pub");
                let public = PathBuf::from(public_name);
                for path in [&out, &public] {
                    // Before anything is written, so that no half of a pair is left alone.
                    if path.exists() {
                        return Err(Error::Usage {
                            message: format!(
                                "--out: expected a new file, got `{}`, which exists",
                                path.display()
                            ),
                            hint: Some("choose another name; a key that is overwritten is lost".into()),
                        });
                    }
                }
                create(&out, &key.to_pem()?, PRIVATE)?;
                create(&public, &key.public().to_pem()?, PUBLIC)?;
                println!("{}\n{}\n{}", out.display(), public.display(), key.public().id());
            }
            Action::Id { file } => println!("{}", public_key(&file)?.id()),
        }
        Ok(())
    }
}

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;
/// Everybody reads.
const PUBLIC: u32 = 0o644;

/// Writes a file that is not there yet, with these rights from its first byte on.
fn create(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Reads a private key.
pub(super) fn private_key(path: &Path) -> Result<PrivateKey, Error> {
    Ok(PrivateKey::from_pem(&read(path)?)?)
}

/// Reads a public key.
pub(super) fn public_key(path: &Path) -> Result<PublicKey, Error> {
    Ok(PublicKey::from_pem(&read(path)?)?)
}

pub(super) fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}
