//! A whole tree of parameters as one secret: each parameter a key, its path below the tree's the
//! name.

use std::time::SystemTime;

use aws_sdk_ssm::{
    Client, operation::get_parameters_by_path::GetParametersByPathOutput, types::Parameter as Found,
};
use mayfly_spec::reference::Parameter;

use super::{Answer, ParameterStore, told};
use crate::{
    digest,
    fault::{Class, Fault},
    secret::{Json, Member, SecretData},
    source::{
        Fetched, Version,
        aws::{
            access::Access,
            caller::{Asked, Caller},
            failure::Failure,
        },
    },
};

/// What reading a tree needs.
const ACTION: &str = "ssm:GetParametersByPath";
/// The most pages that are read: AWS has at most ten parameters on one.
const MOST_PAGES: usize = 100;

impl ParameterStore {
    /// Reads every page. One that is empty may have another behind it.
    pub(super) async fn fetch_tree(&self, caller: &Caller, tree: &Parameter) -> Answer {
        let (mut found, mut page) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let (output, asked) = caller
                .call(&Access::of_parameter(tree), async |place| {
                    ask(&self.clients.at(place), &tree.name, page.clone()).await
                })
                .await
                .map_err(|error| told(&error, &tree.name, ACTION))?;
            found.extend(output.parameters.unwrap_or_default());
            page = output.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                return fetched(found, &tree.name, &asked);
            }
        }
        let words = format!(
            "there are more than {} parameters below `{}`; name a smaller tree",
            MOST_PAGES * 10,
            tree.name
        );
        Err(Fault::new(Class::Configuration, words))
    }
}

async fn ask(
    client: &Client,
    path: &str,
    page: Option<String>,
) -> Result<GetParametersByPathOutput, Failure> {
    let call = client.get_parameters_by_path().path(path).recursive(true).with_decryption(true);
    Ok(call.set_next_token(page).send().await?)
}

fn fetched(found: Vec<Found>, tree: &str, Asked { region, .. }: &Asked) -> Answer {
    if found.is_empty() {
        let words =
            format!("there is no parameter below `{tree}` in {region}; check its path and account");
        return Err(Fault::new(Class::Missing, words));
    }
    let version = version(&found);
    let mut members: Vec<Member> =
        found.into_iter().filter_map(|found| member(found, tree)).collect();
    members.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Fetched { data: SecretData::object(&members), version })
}

fn member(found: Found, tree: &str) -> Option<Member> {
    let name = found.name?;
    let name = name.strip_prefix(tree).unwrap_or(&name).to_owned();
    Some(Member { name, value: Json::String(found.value?) })
}

/// A digest of every parameter's version, as new as the newest of them.
fn version(found: &[Found]) -> Version {
    let mut versions: Vec<String> = found
        .iter()
        .map(|found| format!("{}:{}", found.name().unwrap_or_default(), found.version()))
        .collect();
    versions.sort_unstable();
    let id = format!("tree-{}", digest::hex(versions.join("\n").as_bytes(), 12));
    let newest = found.iter().filter_map(|found| found.last_modified_date).max();
    Version::named(Some(id), newest.and_then(|date| SystemTime::try_from(date).ok()))
}
