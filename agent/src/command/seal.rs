//! `seal`: a value from stdin, sealed for one service account, as a `kms:` reference.
#![expect(clippy::disallowed_methods, reason = "a public key is a file")]

use std::{
    io::{Read, stdin},
    path::Path,
    process::ExitCode,
};

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use mayfly_spec::{
    Location, Reference,
    reference::{Arn, Sealed, SealedHeader, Wrapping},
    spec::{Aws, Identity, Workload},
};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use zeroize::Zeroizing;

use super::block_on;
use crate::{
    args::{Args, Environment, SealArgs},
    configuration,
    fault::{Class, Fault},
    output,
    root::Root,
    sealing::{self, DataKey},
    secret::Secret,
    source,
};

/// The most that fits into a pod's configuration with some room for the rest of it.
const LARGEST: usize = 64 * 1024;

pub(super) fn seal(
    wish: &SealArgs,
    args: &Args,
    environment: &Environment,
) -> Result<ExitCode, Fault> {
    let key = key(&wish.kms_key)?;
    let workload = workload(wish)?;
    let value = value()?;
    let print = |data_key: &DataKey, header| {
        let sealed = sealing::seal(&value, data_key, header, &workload).map_err(configured)?;
        let line = format!("{}\n", reference(sealed));
        Ok(output::result(line, ExitCode::SUCCESS))
    };
    if let Some(file) = &wish.public_key {
        let data_key = DataKey::random().map_err(configured)?;
        let header = wrap(&data_key, file, key)?;
        return print(&data_key, header);
    }
    let root = Root::new(args.root.clone());
    let aws = aws(args, environment, &root)?;
    block_on(async {
        let environment = environment.aws.clone();
        // In a box: the SDK's futures are too deep for the compiler otherwise.
        let made = Box::pin(source::data_key(aws, &root, environment, &key, &workload)).await;
        made.and_then(|(data_key, header)| print(&data_key, header))
    })
}

fn configured(words: impl std::fmt::Display) -> Fault {
    Fault::new(Class::Configuration, words)
}

fn key(text: &str) -> Result<Arn, Fault> {
    let wrong = || {
        let form = "arn:aws:kms:<region>:<account>:key/<id>";
        configured(format_args!("`--kms-key {text}`: write the key's own ARN, `{form}`"))
    };
    let arn = Arn::parse(text).map_err(|_| wrong())?;
    // Any data key will do to ask whether the ARN does.
    let header = SealedHeader::new(Wrapping::Symmetric, arn.clone(), vec![0]);
    header.map(|_| arn).map_err(|_| wrong())
}

fn workload(wish: &SealArgs) -> Result<Workload, Fault> {
    let named = |option: &str, name: &str| {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !name.is_empty() && name.len() <= 253 && name.bytes().all(is_plain) {
            return Ok(name.to_owned());
        }
        Err(configured(format_args!("`{option} {name}` is no name of Kubernetes")))
    };
    let namespace = named("--namespace", &wish.namespace)?;
    let service_account = named("--service-account", &wish.service_account)?;
    Ok(Workload { namespace, service_account })
}

fn value() -> Result<Secret, Fault> {
    let mut value = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let limit = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    let read = stdin().lock().take(limit).read_to_end(&mut value);
    read.map_err(|error| configured(format_args!("stdin cannot be read: {error}")))?;
    match value.len() {
        0 => Err(configured("there is no value on stdin")),
        1..=LARGEST => Ok(value.into()),
        _ => Err(configured(
            "the value is longer than 64 KiB, which a pod's configuration cannot hold",
        )),
    }
}

/// How AWS is reached: as the configuration says, if there is one.
fn aws(args: &Args, environment: &Environment, root: &Root) -> Result<Aws, Fault> {
    let aws = match (&args.config, &environment.config) {
        (None, None) => None,
        _ => configuration::load(args.config.as_deref(), environment, root)?.aws,
    };
    let aws = aws.unwrap_or_default();
    if environment.in_pod && aws.identity == Identity::Default {
        return Err(configured(
            "in a pod there is no default AWS identity; set `identity` in `aws`, or seal offline with `--public-key`",
        ));
    }
    Ok(aws)
}

/// The data key as only the private half, which never leaves KMS, can unwrap it.
fn wrap(data_key: &DataKey, file: &Path, key: Arn) -> Result<SealedHeader, Fault> {
    let wrong = |reason: &dyn std::fmt::Display| {
        configured(format_args!("the public key `{}`: {reason}", file.display()))
    };
    let pem = std::fs::read(file).map_err(|error| wrong(&error))?;
    let der = SubjectPublicKeyInfoDer::from_pem_slice(&pem)
        .map_err(|_| wrong(&"not PEM; it begins with `-----BEGIN PUBLIC KEY-----`"))?;
    let public =
        PublicEncryptingKey::from_der(&der).and_then(|key| Ok(OaepPublicEncryptingKey::new(key)?));
    let public = public.map_err(|_| wrong(&"not an RSA key of 2048 to 8192 bits"))?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    public
        .encrypt(&OAEP_SHA256_MGF1SHA256, data_key.expose(), &mut wrapped, None)
        .map_err(|_| wrong(&"RSAES_OAEP_SHA_256 failed"))?;
    SealedHeader::new(Wrapping::RsaOaepSha256, key, wrapped).map_err(|error| wrong(&error))
}

fn reference(sealed: Sealed) -> Reference {
    Reference { location: Location::Kms(sealed), key: None }
}
