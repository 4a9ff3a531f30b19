//! Which secrets are asked for in one call: pure arithmetic over their locations.
//!
//! A batch never crosses a region or a role, and never names one parameter twice, because the
//! answer does not say which of the two it answers.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    Location,
    reference::{Parameter, SecretsManagerSecret},
};

use super::access::Access;

/// The most parameters that `GetParameters` takes.
const MOST_PARAMETERS: usize = 10;
/// The most secrets that `BatchGetSecretValue` takes.
const MOST_SECRETS: usize = 20;
/// Fewer are asked for one by one: a batch needs a permission of its own, and all batches of an
/// account share a hundredth of the single reads' quota.
const WORTH_A_BATCH: usize = 5;

/// Parts `locations` into what is asked for together; what cannot be is alone.
pub(in crate::source) fn plan(locations: Vec<Location>) -> Vec<Vec<Location>> {
    let mut batches = Vec::new();
    let mut secrets: BTreeMap<Access, Vec<Location>> = BTreeMap::new();
    let mut parameters: BTreeMap<Access, Vec<Location>> = BTreeMap::new();
    for location in locations {
        match &location {
            Location::AwsSm(secret) if secret.version.is_none() => {
                secrets.entry(Access::of_secret(secret)).or_default().push(location);
            }
            Location::AwsSsm(parameter) if !location.is_tree() => {
                parameters.entry(Access::of_parameter(parameter)).or_default().push(location);
            }
            _ => batches.push(vec![location]),
        }
    }
    batches.extend(secrets.values().flat_map(|secrets| of_secrets(secrets)));
    batches.extend(parameters.into_values().flat_map(of_parameters));
    batches
}

/// Which lane a location is read in: a service, a region and a role.
pub(in crate::source) fn lane(location: &Location) -> Option<String> {
    let access = match location {
        Location::AwsSm(secret) => Access::of_secret(secret),
        Location::AwsSsm(parameter) => Access::of_parameter(parameter),
        Location::Kms(sealed) => {
            let region = Some(sealed.header().key().region().to_owned());
            Access { region, role: None }
        }
        _ => return None,
    };
    let role = access.role.map(|role| role.arn);
    let names = [Some(location.source().to_string()), access.region, role];
    Some(names.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn of_secrets(secrets: &[Location]) -> Vec<Vec<Location>> {
    let most = if secrets.len() < WORTH_A_BATCH { 1 } else { MOST_SECRETS };
    secrets.chunks(most).map(<[Location]>::to_vec).collect()
}

fn of_parameters(parameters: Vec<Location>) -> Vec<Vec<Location>> {
    let mut batches: Vec<(BTreeSet<String>, Vec<Location>)> = Vec::new();
    for location in parameters {
        let name = bare_name(&location);
        let room = |(names, batch): &&mut (BTreeSet<String>, Vec<Location>)| {
            batch.len() < MOST_PARAMETERS && !names.contains(&name)
        };
        match batches.iter_mut().find(room) {
            Some((names, batch)) => {
                names.insert(name);
                batch.push(location);
            }
            None => batches.push((BTreeSet::from([name]), vec![location])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn bare_name(location: &Location) -> String {
    match location {
        Location::AwsSsm(Parameter { name, .. }) => bare(name).to_owned(),
        Location::AwsSm(SecretsManagerSecret { id, .. }) => id.clone(),
        other => other.to_string(),
    }
}

/// A parameter's name without what its ARN, or a leading `/`, adds.
pub(super) fn bare(name: &str) -> &str {
    let resource = if name.starts_with("arn:") { name.splitn(6, ':').nth(5) } else { None };
    let path = resource.map_or(name, |resource| resource.trim_start_matches("parameter"));
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use mayfly_spec::Reference;

    use super::*;

    fn sizes(references: impl IntoIterator<Item = String>) -> Vec<usize> {
        let location =
            |text: String| text.parse::<Reference>().unwrap_or_else(|_| panic!("{text}")).location;
        let mut sizes: Vec<usize> =
            plan(references.into_iter().map(location).collect()).iter().map(Vec::len).collect();
        sizes.sort_unstable();
        sizes
    }

    fn many(count: usize, form: &str) -> Vec<String> {
        (0..count).map(|number| form.replace('N', &number.to_string())).collect()
    }

    #[test]
    fn parameters_are_asked_for_by_tens() {
        assert_eq!(sizes(many(23, "aws-ssm:/a/N")), [3, 10, 10]);
        assert_eq!(sizes(many(1, "aws-ssm:/a/N")), [1]);
    }

    #[test]
    fn secrets_are_asked_for_by_twenties_if_there_are_enough() {
        assert_eq!(sizes(many(25, "aws-sm:N")), [5, 20]);
        assert_eq!(sizes(many(4, "aws-sm:N")), [1; 4]);
        assert_eq!(sizes(many(6, "aws-sm:N?stage=AWSPREVIOUS")), [1; 6]);
    }

    #[test]
    fn regions_roles_and_trees_are_not_mixed() {
        let role = "?role=arn:aws:iam::123456789012:role/r";
        for (other, expected) in [
            ("aws-ssm:/b/N?region=eu-west-1".to_owned(), vec![2, 2]),
            (format!("aws-ssm:/b/N{role}"), vec![2, 2]),
            ("aws-ssm:/b/N/".to_owned(), vec![1, 1, 2]),
            ("arn:aws:ssm:eu-west-1:123456789012:parameter/b/N".to_owned(), vec![2, 2]),
            ("aws-ssm:/b/N".to_owned(), vec![4]),
        ] {
            let all = [many(2, "aws-ssm:/a/N"), many(2, &other)].concat();
            assert_eq!(sizes(all), expected, "{other}");
        }
    }

    #[test]
    fn one_parameter_is_never_twice_in_a_batch() {
        let versions = ["aws-ssm:/a", "aws-ssm:/a?version=1", "aws-ssm:/a?label=x", "aws-ssm:/b"];
        assert_eq!(sizes(versions.map(str::to_owned)), [1, 1, 2]);
        let arn = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/a/b";
        assert_eq!((bare(arn), bare("/a/b"), bare("a")), ("a/b", "a/b", "a"));
    }
}
