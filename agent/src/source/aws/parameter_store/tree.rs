//! A whole tree of parameters as one secret: each parameter a key, its path below the tree's the
//! name.

use std::time::SystemTime;

use aws_sdk_ssm::{Client, types::Parameter as Found};
use mayfly_spec::reference::Parameter;

use crate::{
    digest,
    fault::{Class, Fault},
    secret::{Json, Member, SecretData},
    source::{
        aws::{
            access::Access,
            caller::{Caller, Clients},
            error,
            failure::{Asked, Failure},
        },
        contract::{Fetched, SourceError},
        version::Version,
    },
};

/// What reading a tree needs.
const ACTION: &str = "ssm:GetParametersByPath";
/// The most pages that are read: AWS has at most ten parameters on one.
const MOST_PAGES: usize = 100;

/// Reads every page, all in one region.
pub(super) async fn fetch(
    clients: &Clients<Client>,
    caller: &Caller,
    tree: &Parameter,
) -> Result<Fetched, SourceError> {
    let answer = caller
        .call(&Access::of_parameter(tree), async |place| ask(&clients.at(place), &tree.name).await)
        .await;
    match answer.map_err(|error| error::parameter(&error, &tree.name, ACTION))? {
        (Some(found), asked) => fetched(found, &tree.name, &asked),
        (None, _) => Err(too_many(&tree.name)),
    }
}

/// Every page; one that is empty may have another behind it. Nothing, if there are too many.
async fn ask(client: &Client, path: &str) -> Result<Option<Vec<Found>>, Failure> {
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let call = client.get_parameters_by_path().path(path).recursive(true).with_decryption(true);
        let page = call.set_next_token(next).send().await?;
        // An empty tree has an empty page; one without any is no word about it.
        found.extend(page.parameters.ok_or_else(Failure::hollow)?);
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn too_many(tree: &str) -> SourceError {
    let most = MOST_PAGES * 10;
    let words =
        format!("there are more than {most} parameters below `{tree}`; name a smaller tree");
    Fault::new(Class::Configuration, words)
}

fn fetched(found: Vec<Found>, tree: &str, asked: &Asked) -> Result<Fetched, SourceError> {
    if found.is_empty() {
        let region = &asked.region;
        let words =
            format!("there is no parameter below `{tree}` in {region}; check its path and account");
        return Err(Fault::new(Class::Missing, words));
    }
    let version = version(&found).of_stand_in(asked.stands_in);
    let mut members: Vec<Member> =
        found.into_iter().filter_map(|found| member(found, tree)).collect();
    members.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Fetched::new(SecretData::object(&members), version))
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
