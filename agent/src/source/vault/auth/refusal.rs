//! What is said of a login that gave no token.

use super::method::Method;
use crate::{
    fault::{Class, Fault},
    source::{
        contract::SourceError,
        vault::{
            error::{self, said},
            token::NoToken,
            verdict::ApiError,
        },
    },
};

/// A login: how, where and by whom.
pub(super) struct LoginTo<'a> {
    pub(super) method: Method,
    pub(super) mount: &'a str,
    pub(super) who: &'a str,
    pub(super) address: &'a str,
}

/// A login that failed.
pub(super) fn login(error: &ApiError, to: &LoginTo<'_>) -> SourceError {
    let LoginTo { method, mount, who, address } = to;
    let refusal = match error {
        ApiError::Status(refusal) if matches!(refusal.status, 400 | 403 | 404) => refusal,
        other => return error::common(other, &format!("the login at `auth/{mount}`")),
    };
    if error::is_passing(refusal) {
        return error::common(error, &format!("the login at `auth/{mount}`"));
    }
    let words = refusal.errors.join("; ");
    let class = if method.is_outage(&words) { Class::Unreachable } else { Class::Refused };
    let (said, advice) = (said(refusal), method.advice(&words));
    let words = format!("{address} refuses the login at `auth/{mount}` as {who}{said}; {advice}");
    Fault::new(class, words)
}

/// A login that Vault took, and still gave no token for.
pub(super) fn no_token(why: NoToken, to: &LoginTo<'_>) -> SourceError {
    let LoginTo { mount, who, address, .. } = to;
    let words = match why {
        NoToken::Garbage => {
            return error::common(&ApiError::Garbage, &format!("the login at `auth/{mount}`"));
        }
        NoToken::SecondFactor => {
            "wants a second factor (MFA), which an agent has not; leave this auth method, or the role's group or entity, out of the login enforcement (`identity/mfa/login-enforcement`)"
        }
        NoToken::Wrapped => {
            "answers with a wrapping token instead of a token: somebody has to agree first (a control group), or the role wraps what it gives; an agent cannot wait for that, so leave this login out of it"
        }
    };
    Fault::new(
        Class::Refused,
        format_args!("{address} took the login at `auth/{mount}` as {who}, but {words}"),
    )
}
