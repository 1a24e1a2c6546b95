//! The parameters of a model's request, where a dialect has them in one text of JSON.

use super::rules::Rules;
use super::value::to_json;
use crate::event::shape::json::take_apart;
use crate::event::{RawAttrs, RawValue, Value};
use crate::otlp::AnyView;
use crate::privacy::OTHER;
use crate::privacy::c1::digest;
use crate::record::parameters::of_body;
use crate::semconv::{Class, KeyId};

/// OpenInference's name for them.
const INVOCATION_PARAMETERS: &str = "llm.invocation_parameters";

pub(super) fn is_named(key: &str) -> bool {
    key == INVOCATION_PARAMETERS
}

/// What they are in names of the conventions, as far as the span itself says nothing under them: numbers
/// and labels leave at any level. Other members are told by the digest of the whole alone.
pub(super) fn told(rules: &Rules<'_>, value: &AnyView<'_>) -> Vec<(KeyId, Value)> {
    let body = match value {
        AnyView::Text(text) => serde_json::from_str(text).ok(),
        value => to_json(value).ok(),
    };
    let Some(body) = body else { return Vec::new() };
    let mut raw = RawAttrs::default();
    of_body(&body, &mut raw);
    take_apart(body);
    let new = raw.iter().filter(|(id, _)| !rules.attributes().has(*id));
    new.filter_map(|(id, value)| Some((id, veiled(rules, id, value)?))).collect()
}

fn veiled(rules: &Rules<'_>, id: KeyId, value: RawValue<'_>) -> Option<Value> {
    Some(match value {
        RawValue::Int(number) => Value::Int(number),
        RawValue::Double(number) => Value::Double(number),
        RawValue::Bool(flag) => Value::Bool(flag),
        RawValue::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            Value::Text(match id.name().class {
                // What somebody wrote, such as where a model stops.
                Class::Digest => {
                    let hasher = rules.hasher().filter(|_| rules.tells_of_content())?;
                    digest::other(hasher, text).to_string().into()
                }
                Class::Label => rules.label(text).as_ref().into(),
                _ if rules.stays(text) => text.into(),
                _ => OTHER,
            })
        }
        // There are no lists among them.
        RawValue::Element(_) => return None,
    })
}
