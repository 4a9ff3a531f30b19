//! What an auth method's refusals mean, and who must change what.
//!
//! PURE. The words are those of Vault 1.15 and OpenBao 2.

/// An auth method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Kubernetes,
    Jwt,
    Aws,
    AppRole,
    Cert,
}

type Advice = &'static [(&'static str, &'static str)];

const KUBERNETES: Advice = &[
    ("invalid role name", "make the role at the auth method, or correct the role's name"),
    (
        "service account name not authorized",
        "add the pod's service account to the role's `bound_service_account_names`",
    ),
    (
        "namespace not authorized",
        "add the pod's namespace to the role's `bound_service_account_namespaces`",
    ),
    (
        "(aud) claim",
        "the role's `audience` is not the token's: change the role, or set the audience (`mayfly.dev/vault-audience`)",
    ),
    (
        "permission denied",
        "check that the auth method is mounted there, and that Vault may have the API server review tokens: the method's configuration names its address and authority, and the reviewer's account needs `system:auth-delegator`",
    ),
];

const JWT: Advice = &[
    (
        "could not load configuration",
        "the auth method is not configured yet: give it the keys of the token's issuer",
    ),
    ("could not be found", "make the role at the auth method, or correct the role's name"),
    (
        "(aud) claim",
        "the role's `bound_audiences` lack the token's: change the role, or set the audience (`mayfly.dev/vault-audience`)",
    ),
    ("(sub) claim", "the role's `bound_subject` is not the token's: change the role"),
    (
        "claim \"",
        "a claim of the token is not what the role's `bound_claims` ask for: change the role",
    ),
    ("(iss) claim", "the auth method's `bound_issuer` is not the issuer of the token"),
    (
        "signature",
        "the auth method does not know the key that signed the token: give it the issuer's keys (`jwks_url`, `oidc_discovery_url` or `jwt_validation_pubkeys`)",
    ),
    ("expired", "the token has ended: see to it that its file is renewed"),
];

const AWS: Advice = &[
    ("entry for role", "make the role at the auth method, or correct the role's name"),
    ("does not belong to the role", "add the AWS identity to the role's `bound_iam_principal_arn`"),
    (
        "Server-ID",
        "the auth method's `iam_server_id_header_value` is not the `server-id` here: make them the same",
    ),
    (
        "valid region",
        "Vault asks STS in another region: set `region` to that of its `sts_endpoint`, or leave it out for the global one",
    ),
    (
        "error making request",
        "Vault does not reach STS: see to its way there, and to the auth method's `sts_endpoint`",
    ),
    (
        "Signature expired",
        "the clock of this machine, or of AWS as Vault reaches it, is wrong: set it right",
    ),
    (
        "SignatureDoesNotMatch",
        "STS does not take the signature: check that nothing between Vault and STS changes requests, and `region` against Vault's `sts_endpoint`",
    ),
    (
        "ExpiredToken",
        "STS no longer takes the AWS credentials; new ones are had for the next login",
    ),
];

const APP_ROLE: Advice = &[
    (
        "role or secret",
        "the role id is not known, or the secret id has ended, is used up or revoked: check the role id, and write a new secret id to the file",
    ),
    ("invalid role ID", "there is no role of this id: correct the id, or make the role"),
    ("secret id", "the secret id has ended, is used up or revoked: write a new one to the file"),
    ("source address", "this machine's address is not in the role's `secret_id_bound_cidrs`"),
];

const CERT: Advice = &[
    (
        "no client certificate",
        "no role takes the certificate: add its authority to a role, and look at the listener in Vault's configuration, which must not have `tls_disable_client_certs`; a proxy that ends TLS before Vault takes the certificate away",
    ),
    (
        "constraint",
        "no role takes the certificate: its names are not in the role's `allowed_common_names` and the like",
    ),
];

impl Method {
    /// What to change after Vault has said `said`.
    pub(super) fn advice(self, said: &str) -> &'static str {
        let (known, otherwise): (Advice, _) = match self {
            Self::Kubernetes => (
                KUBERNETES,
                "check that the auth method is mounted there, that it has this role, and that the role is bound to the pod's service account, namespace and audience",
            ),
            Self::Jwt => (
                JWT,
                "check that the auth method is mounted there, that it has this role, that it knows the keys of the token's issuer, and that the role's bounds fit the token's audience, subject and claims",
            ),
            Self::Aws => (
                AWS,
                "check that the auth method is mounted there, that it has this role of type `iam`, that the role's `bound_iam_principal_arn` names the AWS identity, and that Vault reaches STS",
            ),
            Self::AppRole => (
                APP_ROLE,
                "check that the auth method is mounted there, and the role id and the secret id",
            ),
            Self::Cert => (
                CERT,
                "check that the auth method is mounted there, and that a role of it takes the certificate",
            ),
        };
        let fits = |(words, _): &&(&str, &str)| said.contains(words);
        known.iter().find(fits).map_or(otherwise, |(_, advice)| advice)
    }

    /// Whether somebody else whom Vault must ask could not be reached, so that trying again helps.
    pub(super) fn is_outage(self, said: &str) -> bool {
        self == Self::Aws
            && said.contains("error making upstream request")
            && !said.contains("received error code 4")
    }
}
