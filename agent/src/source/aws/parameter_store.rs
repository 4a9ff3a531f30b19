//! The Parameter Store: ten parameters a call, and whole trees page by page.

mod tree;

use std::time::SystemTime;

use aws_sdk_ssm::{
    Client,
    operation::get_parameters::GetParametersOutput,
    types::{Parameter as Found, ParameterType},
};
use futures_util::{StreamExt, stream};
use mayfly_spec::reference::{Arn, Parameter, ParameterVersion};

use super::{
    access::{Access, in_region},
    batch::bare,
    caller::{Caller, Clients},
    error,
    failure::{Asked, CallError, Failure},
};
use crate::{
    fault::{Class, Fault},
    secret::{Secret, SecretData},
    source::{
        contract::{Fetched, SourceError},
        version::Version,
    },
};

/// So many parameters of a batch that was refused are asked for at once.
const CONCURRENT: usize = 4;
/// What reading a parameter needs, alone or among others.
const ACTION: &str = "ssm:GetParameters";

/// The Parameter Store, in as many regions as the references name.
#[derive(Debug)]
pub(super) struct ParameterStore {
    clients: Clients<Client>,
}

type Answer = Result<Fetched, SourceError>;

impl ParameterStore {
    pub(super) fn new() -> Self {
        Self { clients: Clients::new(Client::new) }
    }

    /// Reads the parameters, which are all of one region and one role: one tree, or at most ten
    /// different parameters.
    pub(super) async fn fetch(&self, caller: &Caller, parameters: &[&Parameter]) -> Vec<Answer> {
        match parameters {
            [tree] if tree.name.ends_with('/') => {
                vec![tree::fetch(&self.clients, caller, tree).await]
            }
            _ => match self.fetch_all(caller, parameters).await {
                Ok(answers) => answers,
                Err(CallError::Service(failure, _))
                    if parameters.len() > 1 && is_of_one(&failure) =>
                {
                    let alone =
                        parameters.iter().map(|parameter| self.fetch_one(caller, parameter));
                    stream::iter(alone).buffered(CONCURRENT).collect().await
                }
                Err(error) => {
                    let fault = |parameter: &&Parameter| {
                        Err(error::parameter(&error, &parameter.name, ACTION))
                    };
                    parameters.iter().map(fault).collect()
                }
            },
        }
    }

    async fn fetch_one(&self, caller: &Caller, parameter: &Parameter) -> Answer {
        match self.fetch_all(caller, &[parameter]).await {
            Ok(mut answers) => answers.pop().unwrap_or_else(|| Err(nothing())),
            Err(error) => Err(error::parameter(&error, &parameter.name, ACTION)),
        }
    }

    async fn fetch_all(
        &self,
        caller: &Caller,
        parameters: &[&Parameter],
    ) -> Result<Vec<Answer>, CallError> {
        let Some(first) = parameters.first() else { return Ok(Vec::new()) };
        let (mut output, asked) = caller
            .call(&Access::of_parameter(first), async |place| {
                let name = |parameter: &&Parameter| selected(parameter, &place.region);
                let names = parameters.iter().map(name).collect();
                ask(&self.clients.at(place), names).await
            })
            .await?;
        Ok(parameters.iter().map(|parameter| take(&mut output, parameter, &asked)).collect())
    }
}

/// The parameter's name as AWS takes it, with its version or label behind a colon.
fn selected(parameter: &Parameter, region: &str) -> String {
    let name = public(&parameter.name).unwrap_or_else(|| in_region(&parameter.name, region));
    match &parameter.version {
        Some(ParameterVersion::Number(number)) => format!("{name}:{number}"),
        Some(ParameterVersion::Label(label)) => format!("{name}:{label}"),
        None => name,
    }
}

/// The name of a parameter that AWS publishes for everybody: those belong to no account, and are asked
/// for by name.
fn public(arn: &str) -> Option<String> {
    let arn = Arn::parse(arn).ok().filter(|arn| arn.account().is_empty())?;
    arn.resource().strip_prefix("parameter").map(str::to_owned)
}

async fn ask(client: &Client, names: Vec<String>) -> Result<GetParametersOutput, Failure> {
    let call = client.get_parameters().set_names(Some(names)).with_decryption(true);
    Ok(call.send().await?)
}

/// Whether a batch failed because of one of its parameters, which AWS does not always name.
fn is_of_one(failure: &Failure) -> bool {
    let about_one = ["InvalidKeyId", "ParameterNotFound", "ParameterVersionNotFound"];
    let code = failure.code.as_str();
    failure.is_denied() || code == "ValidationException" || about_one.contains(&code)
}

/// What the answer says about one parameter. What is not there is among `InvalidParameters`; of what
/// is not there either, nothing is known.
fn take(output: &mut GetParametersOutput, parameter: &Parameter, asked: &Asked) -> Answer {
    let found = output.parameters.get_or_insert_default();
    let is_it = |found: &Found| {
        found.name().map(bare) == Some(bare(&parameter.name)) && is_version(found, parameter)
    };
    match found.iter().position(is_it) {
        Some(at) => fetched(found.swap_remove(at), &parameter.name, asked),
        None if output.invalid_parameters().contains(&selected(parameter, &asked.region)) => {
            Err(error::no_parameter(&parameter.name, &version(parameter), asked))
        }
        None => Err(nothing()),
    }
}

/// Whether an answer is of the version that was asked for.
fn is_version(found: &Found, parameter: &Parameter) -> bool {
    match &parameter.version {
        Some(ParameterVersion::Number(number)) => u64::try_from(found.version()) == Ok(*number),
        _ => true,
    }
}

fn version(parameter: &Parameter) -> String {
    match &parameter.version {
        Some(ParameterVersion::Number(number)) => format!(" with the version {number}"),
        Some(ParameterVersion::Label(label)) => format!(" with the label `{label}`"),
        None => String::new(),
    }
}

fn fetched(found: Found, name: &str, asked: &Asked) -> Answer {
    let changed = found.last_modified_date.and_then(|date| SystemTime::try_from(date).ok());
    let number = u64::try_from(found.version).unwrap_or_default();
    let is_list = found.r#type == Some(ParameterType::StringList);
    let Some(value) = found.value.map(Secret::from) else {
        let words = format!("the parameter `{name}` in {} has no value", asked.region);
        return Err(Fault::new(Class::Missing, words));
    };
    let data = if is_list { SecretData::list(value) } else { value.into() };
    // Each region counts for itself.
    let version = if asked.stands_in {
        Version::named(Some(format!("{number} of {}", asked.region)), changed).of_stand_in(true)
    } else {
        Version::numbered(number, changed)
    };
    Ok(Fetched::new(data, version))
}

fn nothing() -> SourceError {
    Failure::hollow().fault("the Parameter Store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(reference: &str) -> Parameter {
        let reference: mayfly_spec::Reference = reference.parse().expect(reference);
        match reference.location {
            mayfly_spec::Location::AwsSsm(parameter) => parameter,
            other => panic!("{other:?}"),
        }
    }

    fn asked() -> Asked {
        Asked { region: "r".to_owned(), identity: "i".to_owned(), stands_in: false }
    }

    fn answer(names: &[(&str, i64)]) -> GetParametersOutput {
        let found = |(name, version): &(&str, i64)| {
            let value = format!("{name}:{version}");
            Found::builder().name(*name).version(*version).value(value).build()
        };
        GetParametersOutput::builder()
            .set_parameters(Some(names.iter().map(found).collect()))
            .invalid_parameters("/d:9")
            .build()
    }

    #[test]
    fn each_parameter_gets_its_own_answer_in_whatever_order_they_come() {
        let asked = asked();
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/c";
        let mut output = answer(&[("/b", 7), ("/a", 3), (arn, 1), ("plain", 2)]);
        let mut value = |reference: &str| {
            let answer = take(&mut output, &parameter(reference), &asked);
            answer.map(|fetched| fetched.data.whole().expose_text().map(str::to_owned))
        };
        assert_eq!(value("aws-ssm:/a?version=3"), Ok(Some("/a:3".to_owned())));
        assert_eq!(value("aws-ssm:/b?label=x"), Ok(Some("/b:7".to_owned())));
        assert_eq!(value(arn), Ok(Some(format!("{arn}:1"))));
        assert_eq!(value("aws-ssm:plain"), Ok(Some("plain:2".to_owned())));
        let missing = value("aws-ssm:/d?version=9").expect_err("nothing");
        assert!(missing.message.contains("no parameter `/d` with the version 9 in r"), "{missing}");
        assert_eq!(missing.class, Class::Missing);
    }

    #[test]
    fn of_what_the_answer_does_not_name_nothing_is_known() {
        let unknown = take(&mut answer(&[("/b", 7)]), &parameter("aws-ssm:/a"), &asked());
        assert_eq!(unknown.expect_err("nothing").class, Class::Unreachable);
    }

    #[test]
    fn what_aws_publishes_is_asked_for_by_name() {
        let public = "arn:aws:ssm:eu-west-1::parameter/aws/service/x";
        let own = "arn:aws:ssm:eu-west-1:123456789012:parameter/aws/service/x";
        assert_eq!(selected(&parameter(public), "eu-west-1"), "/aws/service/x");
        assert_eq!(selected(&parameter(own), "eu-west-1"), own);
    }

    #[test]
    fn another_version_than_the_one_that_was_asked_for_is_no_answer() {
        let asked = asked();
        take(&mut answer(&[("/a", 4)]), &parameter("aws-ssm:/a?version=3"), &asked)
            .expect_err("another version");
    }
}
