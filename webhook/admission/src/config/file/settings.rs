//! Defaults: values of annotations, by the annotations' names.
//!
//! PURE.

use std::{borrow::Cow, collections::BTreeMap};

use mayfly_spec::{spec::Interval, suggestion::Suggestion};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::ConfigError,
    settings::{Annotation, Settings, defaultable},
};

/// Values of annotations, by the annotations' names.
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
            defaultable().map(|name| (name.to_owned(), json!({"type": "string"}))).collect();
        json_schema!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

impl Defaults {
    /// The settings; `place` is the field that they are in.
    pub(super) fn into_settings(
        self,
        place: &str,
        floor: Interval,
    ) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        for (name, text) in &self.0 {
            let place = format!("{place}.{name}");
            let annotation = Annotation::find(name).filter(|name| name.has_default());
            let Some(annotation) = annotation else {
                return Err(ConfigError::NoDefault(place, Suggestion::new(name, defaultable())));
            };
            let set = settings.set(annotation, text);
            set.map_err(|error| ConfigError::Value(place, error))?;
        }
        match settings.refresh {
            Some(refresh) if refresh < floor => Err(ConfigError::Floor(format!("{place}.refresh"))),
            _ => Ok(settings),
        }
    }
}
