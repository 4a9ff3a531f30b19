//! KMS: keys that make data keys and unwrap them, bound to an encryption context.

use std::collections::BTreeMap;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{ACCOUNT, Aws, AwsError, error::AMZ_JSON, session::AccessKey};
use crate::secret_server::{
    Request,
    identifier::{alphanumeric, uuid},
    reply::Reply,
};

type Answer = Result<Value, AwsError>;
type Context = BTreeMap<String, String>;

/// One key.
#[derive(Debug, Default)]
pub struct KmsKey {
    /// Whether it can be used.
    pub disabled: bool,
    /// What a policy's condition asks every request's encryption context to have.
    pub required: Context,
    rotations: usize,
    /// What each ciphertext stands for: there is no need to hide it here.
    wrapped: BTreeMap<Vec<u8>, Wrapped>,
    private: Option<PrivateDecryptingKey>,
}

#[derive(Debug)]
struct Wrapped {
    plaintext: Vec<u8>,
    context: Context,
}

impl KmsKey {
    /// New key material; what the old one wrapped can still be unwrapped.
    pub fn rotate(&mut self) {
        self.rotations += 1;
    }

    /// The public half of an RSA key, as PEM.
    pub fn public_pem(&self) -> Option<String> {
        let public = self.private.as_ref()?.public_key();
        let der: PublicKeyX509Der<'_> = public.as_der().ok()?;
        let text = BASE64_STANDARD.encode(der.as_ref());
        Some(format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"))
    }

    fn wrap(&mut self, plaintext: Vec<u8>, context: Context) -> Vec<u8> {
        let ciphertext = format!("{}:{}", self.rotations, alphanumeric(60)).into_bytes();
        self.wrapped.insert(ciphertext.clone(), Wrapped { plaintext, context });
        ciphertext
    }

    fn unwrap(&self, ciphertext: &[u8], context: &Context, algorithm: &str) -> Option<Vec<u8>> {
        if let Some(private) = &self.private {
            let private = OaepPrivateDecryptingKey::new(private.clone()).ok()?;
            let mut plaintext = vec![0; private.min_output_size()];
            let asked = (algorithm == "RSAES_OAEP_SHA_256").then_some(&OAEP_SHA256_MGF1SHA256)?;
            let plaintext = private.decrypt(asked, ciphertext, &mut plaintext, None).ok()?;
            return Some(plaintext.to_vec());
        }
        let wrapped = self.wrapped.get(ciphertext)?;
        let is_same = wrapped.context == *context && algorithm == "SYMMETRIC_DEFAULT";
        is_same.then(|| wrapped.plaintext.clone())
    }
}

impl Aws {
    /// Makes a symmetric key in the server's own region, and gives its ARN.
    pub fn kms_key(&mut self) -> String {
        self.add_kms_key(KmsKey::default())
    }

    /// Makes a pair of RSA keys, and gives its ARN.
    pub fn kms_key_pair(&mut self) -> String {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok();
        self.add_kms_key(KmsKey { private, ..KmsKey::default() })
    }

    /// A key by its ARN.
    pub fn kms_key_mut(&mut self, arn: &str) -> Option<&mut KmsKey> {
        self.kms_keys.get_mut(arn)
    }

    fn add_kms_key(&mut self, key: KmsKey) -> String {
        let arn = format!("arn:aws:kms:{}:{ACCOUNT}:key/{}", self.region, uuid());
        self.kms_keys.insert(arn.clone(), key);
        arn
    }

    /// Answers a request to KMS.
    pub(in crate::secret_server) fn kms(&mut self, request: &Request) -> Reply {
        let input = request.json();
        let who = self.signer(request, "kms").cloned();
        let answer = who.and_then(|who| match request.target() {
            "GenerateDataKey" => self.generate_data_key(&who, &input),
            "Decrypt" => self.decrypt(&who, &input),
            _ => Err(AwsError::new(400, "UnknownOperationException", "")),
        });
        match answer {
            Ok(body) => Reply::json(200, AMZ_JSON, &body),
            Err(error) => error.json(),
        }
    }

    fn generate_data_key(&mut self, who: &AccessKey, input: &Value) -> Answer {
        let context = context(input);
        let (arn, key) = self.usable(who, "kms:GenerateDataKey", input, &context)?;
        if key.private.is_some() || input["KeySpec"] != "AES_256" {
            return Err(AwsError::new(400, "InvalidKeyUsageException", ""));
        }
        let plaintext = alphanumeric(32).into_bytes();
        let text = BASE64_STANDARD.encode(&plaintext);
        let ciphertext = BASE64_STANDARD.encode(key.wrap(plaintext, context));
        Ok(json!({"KeyId": arn, "Plaintext": text, "CiphertextBlob": ciphertext}))
    }

    fn decrypt(&mut self, who: &AccessKey, input: &Value) -> Answer {
        let context = context(input);
        let (arn, key) = self.usable(who, "kms:Decrypt", input, &context)?;
        if key.private.is_some() && !context.is_empty() {
            return Err(AwsError::validation("EncryptionContext is not supported with RSA keys"));
        }
        let algorithm = input["EncryptionAlgorithm"].as_str().unwrap_or("SYMMETRIC_DEFAULT");
        let ciphertext =
            BASE64_STANDARD.decode(input["CiphertextBlob"].as_str().unwrap_or("")).ok();
        let plaintext = ciphertext.and_then(|bytes| key.unwrap(&bytes, &context, algorithm));
        let plaintext =
            plaintext.ok_or_else(|| AwsError::new(400, "InvalidCiphertextException", ""))?;
        let plaintext = BASE64_STANDARD.encode(plaintext);
        Ok(json!({"KeyId": arn, "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}))
    }

    /// The key, if it is there, may be used with this context, and can be used at all.
    fn usable(
        &mut self,
        who: &AccessKey,
        action: &str,
        input: &Value,
        context: &Context,
    ) -> Result<(String, &mut KmsKey), AwsError> {
        let arn = input["KeyId"].as_str().unwrap_or_default().to_owned();
        let denied = self.denied.contains(&arn);
        let key = self.kms_keys.get_mut(&arn);
        let allowed = key.as_ref().is_none_or(|key| {
            key.required.iter().all(|(name, value)| context.get(name) == Some(value))
        });
        if denied || !allowed {
            return Err(AwsError::denied(&who.principal, action, &arn));
        }
        let key = key.ok_or_else(|| {
            AwsError::new(400, "NotFoundException", format!("Key '{arn}' does not exist"))
        })?;
        if key.disabled {
            let text = format!("{arn} is disabled.");
            return Err(AwsError::new(400, "DisabledException", text));
        }
        Ok((arn, key))
    }
}

fn context(input: &Value) -> Context {
    let pairs = input["EncryptionContext"].as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    pairs.collect()
}
