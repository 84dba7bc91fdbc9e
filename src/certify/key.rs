//! Keys that sign packages, in the files that other tools read: PKCS#8 and SPKI, as PEM.
//!
//! Both kinds of signature are deterministic, so the same package signed again is the same bytes: Ed25519 by
//! its definition (RFC 8032), ECDSA over P-256 with SHA-256 by the nonces of RFC 6979.

use std::fmt::{self, Write};
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use ed25519_dalek::{Signature as EdSignature, Signer, SigningKey as EdSigningKey};
use ed25519_dalek::{Verifier, VerifyingKey as EdVerifyingKey};
use p256::ecdsa::{DerSignature, SigningKey as P256SigningKey, VerifyingKey as P256VerifyingKey};
use sha2::{Digest, Sha256};

use super::Error;

/// Bytes of a private key of either kind.
const SECRET_BYTES: usize = 32;

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256,
}

impl KeyType {
    /// Both.
    pub const ALL: [KeyType; 2] = [KeyType::Ed25519, KeyType::EcdsaP256];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyType::Ed25519 => "ed25519",
            KeyType::EcdsaP256 => "ecdsa-p256",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("expected ed25519 or ecdsa-p256, got `{text}`"))
    }
}

/// A private key. What formats it shows its kind and the name of its public half, nothing else.
pub struct PrivateKey(Secret);

enum Secret {
    Ed25519(EdSigningKey),
    EcdsaP256(P256SigningKey),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id())
    }
}

impl PrivateKey {
    /// A new key, from the random numbers of the operating system.
    pub fn generate(kind: KeyType) -> Result<Self, Error> {
        loop {
            let mut secret = [0u8; SECRET_BYTES];
            getrandom::fill(&mut secret).map_err(|e| Error::Random { reason: e.to_string() })?;
            // Nearly every 32 bytes are a key of P-256; those that are not are drawn again.
            if let Some(key) = Self::from_secret(kind, &secret) {
                return Ok(key);
            }
        }
    }

    fn from_secret(kind: KeyType, secret: &[u8; SECRET_BYTES]) -> Option<Self> {
        match kind {
            KeyType::Ed25519 => Some(PrivateKey(Secret::Ed25519(EdSigningKey::from_bytes(secret)))),
            KeyType::EcdsaP256 => {
                P256SigningKey::from_slice(secret).ok().map(|key| PrivateKey(Secret::EcdsaP256(key)))
            }
        }
    }

    /// Reads a key from PKCS#8 PEM. The error says nothing of what the text holds.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        EdSigningKey::from_pkcs8_pem(pem)
            .map(|key| PrivateKey(Secret::Ed25519(key)))
            .or_else(|_| P256SigningKey::from_pkcs8_pem(pem).map(|key| PrivateKey(Secret::EcdsaP256(key))))
            .map_err(|_| Error::Key { what: "private key", form: "PKCS#8 PEM (-----BEGIN PRIVATE KEY-----)" })
    }

    /// The key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<String, Error> {
        let pem = match &self.0 {
            // Version 1 of the format, without the public half: older OpenSSL does not read version 2.
            Secret::Ed25519(key) => {
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_pem(LineEnding::LF)
            }
            Secret::EcdsaP256(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        let pem = pem.map_err(|e| Error::Encode { reason: e.to_string() })?;
        Ok(pem.as_str().to_owned())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::Ed25519(key) => Public::Ed25519(key.verifying_key()),
            Secret::EcdsaP256(key) => Public::EcdsaP256(*key.verifying_key()),
        })
    }

    /// Signs a message: 64 bytes for Ed25519, ASN.1 DER for ECDSA.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_vec(),
            Secret::EcdsaP256(key) => {
                let signature: DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Public);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    Ed25519(EdVerifyingKey),
    EcdsaP256(P256VerifyingKey),
}

impl PublicKey {
    /// Reads a key from SPKI PEM.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        EdVerifyingKey::from_public_key_pem(pem)
            .map(Public::Ed25519)
            .or_else(|_| P256VerifyingKey::from_public_key_pem(pem).map(Public::EcdsaP256))
            .map(PublicKey)
            .map_err(|_| Error::Key { what: "public key", form: "SPKI PEM (-----BEGIN PUBLIC KEY-----)" })
    }

    /// The key as SPKI PEM.
    pub fn to_pem(&self) -> Result<String, Error> {
        match &self.0 {
            Public::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Public::EcdsaP256(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .map_err(|e| Error::Encode { reason: e.to_string() })
    }

    /// Its kind.
    pub fn kind(&self) -> KeyType {
        match &self.0 {
            Public::Ed25519(_) => KeyType::Ed25519,
            Public::EcdsaP256(_) => KeyType::EcdsaP256,
        }
    }

    /// Its name: the SHA-256 of its SPKI DER, in lower-case hex.
    pub fn id(&self) -> String {
        let der = match &self.0 {
            Public::Ed25519(key) => key.to_public_key_der(),
            Public::EcdsaP256(key) => key.to_public_key_der(),
        };
        // A key that was decoded encodes again; the sizes are fixed.
        der.map(|der| hex(&Sha256::digest(der.as_bytes()))).unwrap_or_default()
    }

    /// Whether the signature is this key's, over this message.
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            // Strict: keys of small order and other spellings of the same signature are refused.
            Public::Ed25519(key) => {
                EdSignature::from_slice(signature).is_ok_and(|s| key.verify_strict(message, &s).is_ok())
            }
            Public::EcdsaP256(key) => {
                DerSignature::from_bytes(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
        }
    }
}

/// Bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes every text");
    }
    text
}
