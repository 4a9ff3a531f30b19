//! Where a pod's agent would log in to Vault, and in which namespace it would read.
//!
//! PURE.

use mayfly_spec::reference::Location;

use super::{Ask, Extent, Kind, Origin};
use crate::{
    request::Request,
    settings::{Annotation, Settings, VaultAddress},
};

impl Ask {
    /// The author's choice, else Mayfly's own; nothing where the operator's default chose.
    pub(super) fn add_vault(&mut self, request: &Request) {
        type Text<'a> = Option<&'a str>;
        let settings = &request.settings;
        let address: Text<'_> = settings.vault_address.as_ref().map(VaultAddress::as_str);
        let texts: [(Kind, Annotation, Text<'_>); 4] = [
            (Kind::VaultAddress, Annotation::VaultAddress, address),
            (Kind::VaultRole, Annotation::VaultRole, settings.vault_role.as_deref()),
            (Kind::VaultAuthPath, Annotation::VaultAuthPath, settings.vault_auth_path.as_deref()),
            (Kind::VaultNamespace, Annotation::VaultNamespace, Some(vault_namespace(settings))),
        ];
        for (kind, annotation, text) in texts {
            let origin = Origin::of(request, annotation);
            // What is missing altogether has a fault of its own.
            if let (Some(place), Some(text)) = (origin.place(annotation), text) {
                self.wish(kind, place, text);
            }
        }
        if settings.vault_auth_path.is_none() {
            self.add_usual_mount(request);
        }
    }

    /// Whoever chose the auth method has chosen its usual mount.
    fn add_usual_mount(&mut self, request: &Request) {
        let method = Annotation::VaultAuthMethod;
        let origin = Origin::of(request, method);
        let annotation = if origin == Origin::Nobody { Annotation::VaultAuthPath } else { method };
        if let Some(place) = origin.place(annotation) {
            self.wish(Kind::VaultAuthPath, place, request.vault_method().mount());
        }
    }

    /// A namespace that the reference names by itself is a namespace that is asked for.
    pub(super) fn add_namespace_of(
        &mut self,
        place: &str,
        location: &Location,
        settings: &Settings,
    ) -> Extent {
        let namespace = effective_vault_namespace(location, settings);
        if namespace != vault_namespace(settings) {
            self.wish(Kind::VaultNamespace, place, namespace);
        }
        Extent::In(namespace.to_owned())
    }
}

/// The namespace in which `location` is read, the empty text for the root: the pod's. The one place that has to know
/// of a reference that names another.
fn effective_vault_namespace<'a>(location: &'a Location, settings: &'a Settings) -> &'a str {
    location.vault_namespace().unwrap_or_else(|| vault_namespace(settings))
}

/// The namespace that the agent logs in to.
fn vault_namespace(settings: &Settings) -> &str {
    settings.vault_namespace.as_deref().unwrap_or_default().trim_matches('/')
}
