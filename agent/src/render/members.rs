//! The members of a secret that an entry takes, by the names that it gives them.

use mayfly_spec::{
    FileEntry,
    file::{Choice, Content},
};

use super::{Cause, values};
use crate::secret::{Json, Member};

/// What [`chosen`] is, each value as the entry wants it.
pub(super) fn taken(
    entry: &FileEntry,
    json: Json,
    form: &'static str,
) -> Result<Vec<Member>, Cause> {
    let mut members = chosen(entry, json, form)?;
    for member in &mut members {
        let what = &member.name;
        values::refine(&mut member.value, &entry.shape, what)?;
    }
    Ok(members)
}

/// The members that the entry's `keys` name, in that order; all if it names none.
pub(super) fn chosen(
    entry: &FileEntry,
    json: Json,
    form: &'static str,
) -> Result<Vec<Member>, Cause> {
    let mut members = json.into_members().map_err(|cause| Cause::NoObject(form, cause))?;
    let choices = entry.shape.keys.choices();
    if choices.is_empty() {
        return Ok(members);
    }
    let may_lack = entry.optional && entry.content == Content::Directory;
    if !may_lack {
        refuse_missing(choices, &members)?;
    }
    Ok(choices.iter().filter_map(|choice| take(choice, &mut members)).collect())
}

fn refuse_missing(choices: &[Choice], members: &[Member]) -> Result<(), Cause> {
    let has = |key: &str| members.iter().any(|member| member.name == key);
    let names = || members.iter().map(|member| member.name.as_str());
    choices
        .iter()
        .find(|choice| !has(&choice.key))
        .map_or(Ok(()), |choice| Err(crate::secret::no_key(&choice.key, names()).into()))
}

fn take(choice: &Choice, members: &mut Vec<Member>) -> Option<Member> {
    let at = members.iter().position(|member| member.name == choice.key)?;
    let mut member = members.swap_remove(at);
    member.name.clone_from(&choice.name);
    Some(member)
}
