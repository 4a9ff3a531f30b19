//! The Kubernetes auth method: the pod's service account, shown by a projected token.

use mayfly_spec::spec::KubernetesAuth;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;

use super::{Login, token_file};
use crate::{
    fault::Fault,
    source::{
        SourceError,
        vault::{
            api::{Api, ApiError},
            error,
        },
    },
};

pub(super) async fn login(auth: &KubernetesAuth, api: &Api) -> Result<Login, SourceError> {
    let service_account = token_file::read(&auth.token_file)?;
    let jwt = service_account.expose_text().unwrap_or_default();
    let request = LoginWithKubernetesRequest {
        mount: auth.mount.clone(),
        role: auth.role.clone(),
        jwt: jwt.to_owned(),
    };
    let refused = |error: ApiError| {
        let fault = error::login(&error, auth, api.address());
        // A server may quote what it was sent.
        Fault::new(fault.class, fault.message.replace(jwt, "…"))
    };
    let body = api.call(request, None).await.map_err(refused)?;
    Login::parse(&body).map_err(refused)
}
