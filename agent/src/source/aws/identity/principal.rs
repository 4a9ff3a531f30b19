//! Who somebody is to AWS, as STS tells it. PURE.

/// An identity, as CloudTrail shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account's number.
    pub account: String,
    /// The role's name, without its path; `user/<name>` for a user.
    pub role: String,
    /// The session's name.
    pub session: Option<String>,
}

impl Principal {
    /// From what `GetCallerIdentity` answers.
    pub(super) fn new(account: Option<&str>, arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let account = account.map_or_else(|| part(4).to_owned(), str::to_owned);
        let who = part(5);
        let session = who.strip_prefix("assumed-role/").and_then(|who| who.split_once('/'));
        match session {
            Some((role, name)) => {
                Self { account, role: role.to_owned(), session: Some(name.to_owned()) }
            }
            None => Self { account, role: who.to_owned(), session: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_by_its_role_and_name_and_anybody_else_by_their_own() {
        let of = |arn: &str| {
            let Principal { account, role, session } = Principal::new(None, arn);
            (account, role, session)
        };
        let owned = |text: &str| text.to_owned();
        assert_eq!(
            of("arn:aws-cn:sts::123456789012:assumed-role/web/default.web-0"),
            (owned("123456789012"), owned("web"), Some(owned("default.web-0")))
        );
        assert_eq!(
            of("arn:aws:iam::123456789012:user/people/developer"),
            (owned("123456789012"), owned("user/people/developer"), None)
        );
        assert_eq!(of(""), (String::new(), String::new(), None));
    }
}
