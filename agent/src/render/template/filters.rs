//! What changes a value on its way into a file, beside minijinja's own filters: encodings, formats and quoting.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minijinja::{Environment, Error, State, Value, value::ValueKind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{
    refusal::refuse,
    value::{compact, json, text, written},
};
use crate::{
    digest::digits_of,
    render::{pem, properties, toml, values, yaml},
    secret::Json,
};

/// What RFC 3986 leaves as it is wherever it stands; everything else could part something.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Filtered = Result<String, Error>;

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'_>) {
    for name in ["base64_encode", "b64encode"] {
        environment.add_filter(name, base64_encode);
    }
    for name in ["base64_decode", "b64decode"] {
        environment.add_filter(name, base64_decode);
    }
    environment.add_filter("json", json_text);
    environment.add_filter("yaml", yaml_text);
    environment.add_filter("toml", toml_text);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("shell", shell);
    environment.add_filter("sql", sql);
    environment.add_filter("properties", properties_text);
    environment.add_filter("sha256", |value: &Value| {
        Ok::<_, Error>(digits_of(&Sha256::digest(text(value)?)))
    });
    environment.add_filter("sha512", |value: &Value| {
        Ok::<_, Error>(digits_of(&Sha512::digest(text(value)?)))
    });
    environment.add_filter("pem_certificate", pem_certificate);
    environment.add_filter("pem_chain", pem_chain);
    environment.add_filter("pem_key", pem_key);
}

fn base64_encode(value: &Value) -> Filtered {
    Ok(STANDARD.encode(text(value)?))
}

fn base64_decode(value: &Value) -> Filtered {
    let decoded = values::base64(text(value)?.as_bytes());
    let decoded = decoded.ok_or_else(|| refuse("it is no base64"))?;
    std::str::from_utf8(&decoded).map(str::to_owned).map_err(|_| {
        refuse(
            "it decodes to bytes that are no text, which a template cannot hold; give them a file of their own, with `decode: base64`",
        )
    })
}

fn json_text(state: &State<'_, '_>, value: &Value) -> Filtered {
    compact(state, value)
}

/// Lines without the last one's end, so that `indent` and what follows fit.
fn yaml_text(state: &State<'_, '_>, value: &Value) -> Filtered {
    let mut text = Zeroizing::new(Vec::new());
    match json(state, value)? {
        Json::Object(ref members) => yaml::write(members, &mut text),
        ref list @ Json::Array(_) => yaml::write_list(list, &mut text),
        ref scalar => yaml::write_value(scalar, &mut text),
    }
    written(text.strip_suffix(b"\n").unwrap_or(&text))
}

fn toml_text(state: &State<'_, '_>, value: &Value) -> Filtered {
    let mut text = Zeroizing::new(Vec::new());
    match json(state, value)? {
        Json::Object(ref members) => {
            toml::write(members, &mut text).map_err(|cause| refuse(cause.to_string()))?;
        }
        ref other => toml::write_value(other, &mut text).map_err(refuse)?,
    }
    written(text.strip_suffix(b"\n").unwrap_or(&text))
}

fn urlencode(value: &Value) -> Filtered {
    Ok(utf8_percent_encode(&text(value)?, RESERVED).to_string())
}

/// One word of a POSIX shell.
fn shell(value: &Value) -> Filtered {
    Ok(format!("'{}'", without_nul(value)?.replace('\'', r"'\''")))
}

/// A literal of SQL. Servers disagree about `\`, so whoever has one says whose it is.
fn sql(value: &Value, server: Option<&str>) -> Filtered {
    let text = without_nul(value)?;
    let text = match server {
        None if text.contains('\\') => {
            return Err(refuse(
                "servers disagree about the `\\` in it; write `sql(\"standard\")`, where it is itself, or `sql(\"mysql\")`, where it escapes",
            ));
        }
        None | Some("standard") => text,
        Some("mysql") => text.replace('\\', r"\\"),
        Some(_) => return Err(refuse("`sql` knows `standard` and `mysql`")),
    };
    Ok(format!("'{}'", text.replace('\'', "''")))
}

fn without_nul(value: &Value) -> Filtered {
    let text = text(value)?;
    if text.contains('\0') {
        Err(refuse("there is a NUL in it, which cannot be quoted"))
    } else {
        Ok(text)
    }
}

/// A value of Java's properties.
fn properties_text(value: &Value) -> Filtered {
    let mut text = Zeroizing::new(Vec::new());
    properties::write_value(&super::value::text(value)?, &mut text);
    written(&text)
}

/// The first certificate.
fn pem_certificate(value: &Value) -> Filtered {
    let first = certificates(value)?.into_iter().next();
    first.ok_or_else(|| refuse("there is no certificate in it"))
}

/// The certificates after the first; there may be none.
fn pem_chain(value: &Value) -> Filtered {
    Ok(certificates(value)?.into_iter().skip(1).collect())
}

/// The private key.
fn pem_key(value: &Value) -> Filtered {
    let key = select(value, |label| label.ends_with("PRIVATE KEY"))?.into_iter().next();
    key.ok_or_else(|| refuse("there is no private key in it"))
}

fn certificates(value: &Value) -> Result<Vec<String>, Error> {
    select(value, |label| label == "CERTIFICATE")
}

/// The PEM blocks of some labels, of a text or of a list of texts, as Vault gives a chain.
fn select(value: &Value, is_such: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
    let text = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let parts = value.try_iter()?.map(|part| Ok(text(&part)? + "\n"));
            parts.collect::<Result<String, Error>>()?
        }
        _ => text(value)?,
    };
    let blocks = pem::blocks(&text).map_err(refuse)?;
    Ok(blocks.into_iter().filter(|(label, _)| is_such(label)).map(|(_, block)| block).collect())
}
