//! DSSE: an envelope that says what type of thing it holds, and who signed that.
//!
//! Source: <https://github.com/secure-systems-lab/dsse>, `protocol.md` (version 1) for what is signed and
//! `envelope.md` for the JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Error;
use super::key::{PrivateKey, PublicKey};

/// The media type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What is signed: the pre-authentication encoding of a payload and its type, so that neither can be
/// taken for something else. `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in decimal.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// A payload with its signature. We write one signature, and read no more than that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The payload in base64.
    payload: String,
    /// Its media type.
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs an in-toto statement.
    pub fn sign(statement: &[u8], key: &PrivateKey) -> Self {
        let signature = key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, statement));
        Envelope {
            payload: STANDARD.encode(statement),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature { keyid: key.public().id(), sig: STANDARD.encode(signature) }],
        }
    }

    /// The one spelling of an envelope: JSON on one line, and a line feed.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("an envelope holds texts only");
        text.push('\n');
        text
    }

    /// Reads an envelope. Only the spelling of [`Envelope::to_json`] is taken, so that no byte of a file is
    /// left that nothing depends on.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Envelope { reason };
        let envelope: Envelope = serde_json::from_slice(text)
            .map_err(|e| wrong(format!("expected a DSSE envelope in JSON, got text that is none: {e}")))?;
        if envelope.to_json().as_bytes() != text {
            return Err(wrong(
                "expected one line of JSON as `tars certify` writes it, got another spelling".into(),
            ));
        }
        Ok(envelope)
    }

    /// The name of the key that it says it was signed with.
    pub fn key_id(&self) -> &str {
        self.signatures.first().map_or("", |s| s.keyid.as_str())
    }

    /// The statement, if the key has signed it.
    pub fn open(&self, key: &PublicKey) -> Result<Vec<u8>, Error> {
        let wrong = |reason: String| Error::Envelope { reason };
        let [signature] = self.signatures.as_slice() else {
            return Err(wrong(format!("expected one signature, got {}", self.signatures.len())));
        };
        if self.payload_type != PAYLOAD_TYPE {
            return Err(wrong(format!("expected the type {PAYLOAD_TYPE}, got {:?}", self.payload_type)));
        }
        if signature.keyid != key.id() {
            return Err(wrong(format!(
                "expected a signature of the key {}, got one of {:?}",
                key.id(),
                signature.keyid
            )));
        }
        let decode = |what: &str, text: &str| {
            STANDARD.decode(text).map_err(|e| wrong(format!("expected {what} in base64: {e}")))
        };
        let payload = decode("the payload", &self.payload)?;
        let message = pre_authentication_encoding(&self.payload_type, &payload);
        if key.accepts(&message, &decode("the signature", &signature.sig)?) {
            Ok(payload)
        } else {
            Err(wrong(format!(
                "expected a signature that the key {} made over this statement, got another",
                key.id()
            )))
        }
    }
}
