//! Whether a container of our name is ours, and what is missing in it if it is.
//!
//! PURE. Ours is decided by content: name, command, security context, and that nothing foreign is in
//! it. What was stripped is put back, image and configuration are set to what they are today, so that
//! a pod which was first seen by a replica before an upgrade, and then by one after it, is not refused;
//! what others may add is tolerated; anything else is refused, because an author could have written it.

use serde_json::{Map, Value};

use super::{Step, tolerated};
use crate::{
    fault::Fault,
    names::{CONFIG_VARIABLE, CONTAINER},
    pod::{Position, place, text},
    settings::overlap,
};

/// The steps that make `present` equal to `wanted`, as far as it matters.
pub(super) fn repairs(
    present: &Value,
    wanted: &Value,
    position: Position,
) -> Result<Vec<Step>, Fault> {
    let mut comparison = Comparison { position, steps: Vec::new() };
    comparison.compare(present, wanted).map_err(|field| {
        let message = format!(
            "this container has Mayfly's name `{CONTAINER}`, but is not what Mayfly injects; remove it, or rename it"
        );
        Fault::new(format!("{}.{field}", place(position)), message)
    })?;
    Ok(comparison.steps)
}

struct Comparison {
    position: Position,
    steps: Vec<Step>,
}

/// The field that is not as we would have written it.
type Foreign = String;

impl Comparison {
    fn compare(&mut self, present: &Value, wanted: &Value) -> Result<(), Foreign> {
        let empty = Map::new();
        let (present, wanted) =
            (present.as_object().unwrap_or(&empty), wanted.as_object().unwrap_or(&empty));
        for (field, wanted) in wanted {
            self.member(field, present.get(field).filter(|value| !value.is_null()), wanted)?;
        }
        let foreign = present.iter().find(|(field, value)| {
            !wanted.contains_key(*field) && !tolerated::member(field) && !is_empty(value)
        });
        foreign.map_or(Ok(()), |(field, _)| Err(field.clone()))
    }

    fn member(
        &mut self,
        field: &str,
        present: Option<&Value>,
        wanted: &Value,
    ) -> Result<(), Foreign> {
        let essential = matches!(field, "name" | "image" | "command" | "securityContext");
        match (field, present) {
            (_, None) if essential => Err(field.to_owned()),
            // Another replica of ours, before or after an upgrade, has had the pod first.
            ("image", Some(present)) => {
                if present != wanted {
                    self.set(&[field], wanted);
                }
                Ok(())
            }
            ("env", _) => self.environment(present, wanted),
            ("volumeMounts", _) => self.mounts(present, wanted),
            ("resources", Some(present)) => {
                self.resources(present, wanted);
                Ok(())
            }
            ("securityContext", Some(present)) => self.security(present, wanted),
            // The admission plugin AlwaysPullImages only makes it stricter.
            ("imagePullPolicy", Some(present)) if present == "Always" => Ok(()),
            (_, None) => {
                self.set(&[field], wanted);
                Ok(())
            }
            (_, Some(present)) if present == wanted => Ok(()),
            _ => Err(field.to_owned()),
        }
    }

    fn set(&mut self, path: &[&str], value: &Value) {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        self.steps.push(Step::Set(self.position, path, value.clone()));
    }

    /// The user follows the pod, in which another webhook may have set one; all else is as it was.
    fn security(&mut self, present: &Value, wanted: &Value) -> Result<(), Foreign> {
        let name = |field: &str| format!("securityContext.{field}");
        for (field, wanted) in wanted.as_object().into_iter().flatten() {
            match present.get(field) {
                Some(present) if present == wanted => {}
                _ if field == "runAsUser" => self.set(&["securityContext", field], wanted),
                _ => return Err(name(field)),
            }
        }
        let foreign = present.as_object().into_iter().flatten().find(|(field, value)| {
            wanted.get(field).is_none() && !tolerated::security(field) && !is_empty(value)
        });
        foreign.map_or(Ok(()), |(field, _)| Err(name(field)))
    }

    fn environment(&mut self, present: Option<&Value>, wanted: &Value) -> Result<(), Foreign> {
        let (present, wanted) = (list(present), list(Some(wanted)));
        for (index, variable) in present.iter().enumerate() {
            let name = text(variable, "name");
            let ours = wanted.iter().find(|wanted| text(wanted, "name") == name);
            let repeated = present[..index].iter().any(|earlier| text(earlier, "name") == name);
            match ours {
                _ if repeated => return Err(format!("env[{index}]")),
                Some(wanted) if variable == wanted => {}
                Some(wanted) if name == CONFIG_VARIABLE && is_plain(variable) => {
                    let value = wanted.get("value").unwrap_or(&Value::Null);
                    self.set(&["env", &index.to_string(), "value"], value);
                }
                _ if tolerated::variable(name) => {}
                _ => return Err(format!("env[{index}]")),
            }
        }
        for variable in wanted {
            let name = text(variable, "name");
            let missing = !present.iter().any(|present| text(present, "name") == name);
            if missing && name == CONFIG_VARIABLE {
                return Err("env".to_owned());
            }
            if missing {
                self.steps.push(Step::Append(self.position, "env", variable.clone()));
            }
        }
        Ok(())
    }

    fn mounts(&mut self, present: Option<&Value>, wanted: &Value) -> Result<(), Foreign> {
        let (present, wanted) = (list(present), list(Some(wanted)));
        for (index, mount) in present.iter().enumerate() {
            let ours = wanted.iter().any(|wanted| is_same_mount(mount, wanted));
            let path = text(mount, "mountPath");
            let beside = !wanted.iter().any(|wanted| overlap(path, text(wanted, "mountPath")));
            let is_eks = tolerated::is_eks(text(mount, "name"));
            let welcome = tolerated::volume(text(mount, "name")) && (beside || is_eks);
            if !ours && !welcome {
                return Err(format!("volumeMounts[{index}]"));
            }
        }
        for mount in wanted {
            let name = text(mount, "name");
            let there = |other: &&Value| {
                is_same_mount(other, mount)
                    || tolerated::is_eks(name) && text(other, "name") == name
            };
            if !present.iter().any(|other| there(&other)) {
                self.steps.push(Step::Append(self.position, "volumeMounts", mount.clone()));
            }
        }
        Ok(())
    }

    /// Amounts may be changed by others, but not vanish.
    fn resources(&mut self, present: &Value, wanted: &Value) {
        for (side, amounts) in wanted.as_object().into_iter().flatten() {
            let Some(present) = present.get(side).filter(|amounts| amounts.is_object()) else {
                self.set(&["resources", side], amounts);
                continue;
            };
            for (name, amount) in amounts.as_object().into_iter().flatten() {
                if present.get(name).is_none() {
                    self.set(&["resources", side, name], amount);
                }
            }
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a variable has a value and nothing else.
fn is_plain(variable: &Value) -> bool {
    let mut members = variable.as_object().into_iter().flatten();
    members.all(|(name, value)| matches!(&**name, "name" | "value") || is_empty(value))
}

fn is_same_mount(left: &Value, right: &Value) -> bool {
    let members = |mount: &Value| -> Map<String, Value> {
        let members = mount.as_object().into_iter().flatten();
        let said = members.filter(|(_, value)| !is_empty(value));
        said.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    members(left) == members(right)
}

/// Whether a member says nothing that its absence would not say.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(_) => false,
    }
}
