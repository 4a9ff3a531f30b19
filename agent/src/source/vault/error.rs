//! What is alike for every call that gives nothing: whose words it is, and what to change.
//!
//! What a refusal means for a login, a KV store or an engine is said in their rooms.

use super::verdict::{ApiError, Foreign, Form, Refusal};
use crate::{
    fault::{Class, Fault, quoted},
    source::contract::SourceError,
};

/// Vault's words for what it will get over by itself.
const PASSING: [&str; 4] = ["brief period", "resume service", "try again", "temporarily"];

/// Whether Vault says that it will pass.
pub(super) fn is_passing(refusal: &Refusal) -> bool {
    refusal.says(&PASSING)
}

/// The fault of a call for `what`.
pub(super) fn common(error: &ApiError, what: &str) -> SourceError {
    match error {
        ApiError::Transport(reason) => Fault::new(
            Class::Unreachable,
            format_args!("Vault cannot be reached: {reason}{}", of_connection(reason)),
        ),
        ApiError::Garbage => Fault::new(
            Class::Unreachable,
            format_args!("Vault's answer for {what} is not of the form that it has"),
        ),
        ApiError::Foreign(foreign) => of_stranger(foreign, what).not_before(foreign.retry_after),
        ApiError::Status(refusal) if refusal.status == 400 && is_passing(refusal) => {
            let words = format!("Vault does not take the request for {what} yet{}", said(refusal));
            Fault::new(Class::Unreachable, words).that_passes()
        }
        ApiError::Status(refusal) => of_vault(refusal, what).not_before(refusal.retry_after),
    }
}

fn of_vault(refusal: &Refusal, what: &str) -> SourceError {
    let said = said(refusal);
    let (class, words) = match refusal.status {
        400 => (Class::Configuration, format!("Vault does not take the request for {what}{said}")),
        403 => (Class::Refused, format!("Vault refuses {what}{said}")),
        404 => (Class::Missing, format!("Vault has nothing for {what}{said}")),
        412 => (Class::Unreachable, format!("this Vault node has not caught up yet with {what}")),
        429 => (
            Class::Throttled,
            format!("Vault asks for fewer calls: the rate limit for {what} is used up{said}"),
        ),
        472 | 473 => (
            Class::Unreachable,
            format!("this Vault node is a standby and does not answer for {what}"),
        ),
        503 if refusal.says(&["sealed"]) => {
            (Class::Unreachable, "Vault is sealed; unseal it".to_owned())
        }
        status => (
            Class::Unreachable,
            format!("Vault answered with HTTP status {status} for {what}{said}"),
        ),
    };
    Fault::new(class, words)
}

/// Nobody but Vault can say that something is missing or forbidden.
fn of_stranger(Foreign { address, status, form, .. }: &Foreign, what: &str) -> SourceError {
    const ADVICE: &str =
        "look at what stands between here and Vault (proxy, balancer, portal), and at the address";
    let (class, words) = match (status, form) {
        (300..=399, _) => (
            Class::Unreachable,
            format!(
                "{address} redirects {what} elsewhere, which is not followed; name the address that answers itself"
            ),
        ),
        (_, Form::Pem) => (
            Class::Configuration,
            format!(
                "the answer for {what} is a certificate or a list as it is, without data; of a PKI engine say `vault:<mount>/cert/ca#certificate`, or `cert/ca_chain`, or `cert/crl`"
            ),
        ),
        (429, Form::Words(words)) => (
            Class::Throttled,
            format!("{address}, but not Vault, asks for fewer calls (it says: \"{words}\")"),
        ),
        (status, Form::Words(words)) => (
            Class::Unreachable,
            format!(
                "{address} answers for {what} with HTTP status {status}, but not in Vault's words (it says: \"{words}\"); {ADVICE}"
            ),
        ),
        (status, Form::Unknown) => (
            Class::Unreachable,
            format!(
                "{address} answers for {what} with HTTP status {status}, but not as Vault does; {ADVICE}"
            ),
        ),
    };
    Fault::new(class, words)
}

/// What to change where TLS is not agreed on.
fn of_connection(reason: &str) -> &'static str {
    const AUTHORITY: &str = "; name the authority that its certificate is from (`ca`)";
    const NAME: &str = "; ask for it by a name of its certificate (`address`, or `server-name`)";
    const ENDED: &str =
        "; its certificate has ended: renew it, or set the clock of this machine right";
    let known = [
        ("UnknownIssuer", AUTHORITY),
        ("BadSignature", AUTHORITY),
        ("NotValidForName", NAME),
        ("not valid for name", NAME),
        (
            "CaUsedAsEndEntity",
            "; it shows the certificate of an authority (`CA:TRUE`) as its own: give it a server certificate that the authority has signed",
        ),
        ("certificate expired", ENDED),
        ("Expired", ENDED),
        (
            "not valid yet",
            "; its certificate is not valid yet: set the clock of this machine, or of whoever issued it, right",
        ),
        ("CertificateRequired", "; it wants to know its clients: name a `client-certificate`"),
        ("UnknownCA", "; it does not know the authority of the `client-certificate`"),
    ];
    known.iter().find(|(words, _)| reason.contains(words)).map_or("", |(_, advice)| advice)
}

/// Vault's own words, in brackets.
pub(super) fn said(refusal: &Refusal) -> String {
    match refusal.errors.join("; ") {
        words if words.is_empty() => String::new(),
        words => format!(" (it says: {})", quoted(&words)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::source::vault::verdict::Body;

    fn refusal(status: u16, said: &str) -> ApiError {
        let (errors, body) = (vec![said.to_owned()], Body::default());
        let retry_after = Some(Duration::from_secs(9));
        ApiError::Status(Refusal { status, errors, retry_after, body })
    }

    fn stranger(status: u16, form: Form) -> ApiError {
        let address = "https://vault:8200".to_owned();
        ApiError::Foreign(Foreign { address, status, form, retry_after: None })
    }

    #[test]
    fn what_vault_says_will_pass_passes() {
        let upgrading = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.";
        let fault = common(&refusal(400, upgrading), "`secret/app`");
        assert!(fault.passing && fault.is_transient(), "{fault:?}");
        assert!(fault.message.contains("Upgrading from non-versioned"), "{fault}");
        let fault = common(&refusal(400, "no such field"), "`secret/app`");
        assert_eq!((fault.class, fault.passing), (Class::Configuration, false));
    }

    #[test]
    fn a_wait_that_vault_asks_for_is_passed_on() {
        for status in [429, 503] {
            let fault = common(&refusal(status, "slow down"), "`secret/app`");
            assert_eq!(fault.retry_after, Some(Duration::from_secs(9)), "{fault:?}");
        }
    }

    #[test]
    fn a_strangers_answer_is_unreachable_whatever_its_status() {
        for status in [200, 400, 401, 403, 404, 500] {
            let words = Form::Words("Sign in".to_owned());
            let fault = common(&stranger(status, words), "`secret/app`");
            assert_eq!(fault.class, Class::Unreachable, "{status}");
            let status = status.to_string();
            for words in ["https://vault:8200", &status, "\"Sign in\""] {
                assert!(fault.message.contains(words), "`{fault}` lacks `{words}`");
            }
        }
        assert_eq!(common(&stranger(200, Form::Unknown), "x").class, Class::Unreachable);
        assert_eq!(common(&stranger(307, Form::Unknown), "x").class, Class::Unreachable);
        let pem = common(&stranger(200, Form::Pem), "`pki/ca/pem`");
        assert!(pem.message.contains("/cert/ca#certificate"), "{pem}");
        assert_eq!(pem.class, Class::Configuration);
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_remedy() {
        for (reason, remedy) in [
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "`CA:TRUE`"),
            ("invalid peer certificate: certificate expired: verification time 2", "renew it"),
            ("invalid peer certificate: UnknownIssuer", "(`ca`)"),
        ] {
            let fault = common(&ApiError::Transport(reason.to_owned()), "x");
            assert!(fault.message.contains(remedy) && fault.message.contains(reason), "{fault}");
        }
    }
}
