//! Defaults: values of annotations, by the annotations' names.
//!
//! PURE.

use std::{borrow::Cow, collections::BTreeMap};

use mayfly_spec::{spec::Interval, suggestion::Suggestion};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{self, ConfigError},
    settings::{Annotation, defaultable},
};

/// Values of annotations, by the annotations' names. Those that name something may hold `{namespace}` and
/// `{serviceaccount}`, which are the pod's own names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Defaults(BTreeMap<String, String>);

/// Each annotation that can have a default is a property of its own, so that an editor completes it.
impl JsonSchema for Defaults {
    fn schema_name() -> Cow<'static, str> {
        "Defaults".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let properties: Map<String, Value> =
            defaultable().map(|name| (name.to_owned(), property(name))).collect();
        json_schema!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

fn property(name: &str) -> Value {
    if Annotation::find(name).is_some_and(Annotation::takes_names) {
        json!({
            "type": "string",
            "description": "`{namespace}` and `{serviceaccount}` in it are the pod's own names.",
        })
    } else {
        json!({"type": "string"})
    }
}

impl Defaults {
    /// The defaults; `place` is the field that they are in.
    pub(super) fn into_defaults(
        self,
        place: &str,
        floor: Interval,
    ) -> Result<config::Defaults, ConfigError> {
        let mut defaults = config::Defaults::default();
        for (name, text) in &self.0 {
            let place = format!("{place}.{name}");
            let annotation = Annotation::find(name).filter(|name| name.has_default());
            let Some(annotation) = annotation else {
                return Err(ConfigError::NoDefault(place, Suggestion::new(name, defaultable())));
            };
            let put = defaults.put(annotation, text);
            put.map_err(|error| ConfigError::Default(place, error))?;
        }
        match defaults.fixed.refresh {
            Some(refresh) if refresh < floor => Err(ConfigError::Floor(format!("{place}.refresh"))),
            _ => Ok(defaults),
        }
    }
}
