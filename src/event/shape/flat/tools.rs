//! Definitions of tools from their parts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::PartText;
use super::name::{OfTool, Part};
use crate::event::ToolDefinition;
use crate::event::shape::genai;

/// Definitions of tools that are being put together.
pub(crate) struct FlatTools<T>(BTreeMap<u16, Tool<T>>);

struct Tool<T> {
    definition: Option<T>,
    name: Option<T>,
    description: Option<T>,
    parameters: Option<T>,
}

impl<T> Default for FlatTools<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: PartText> FlatTools<T> {
    pub(crate) fn set(&mut self, number: u16, part: Part, text: T) {
        let Part::Tool(part) = part else { return };
        let new = || Tool { definition: None, name: None, description: None, parameters: None };
        let tool = self.0.entry(number).or_insert_with(new);
        let place = match part {
            OfTool::Definition => &mut tool.definition,
            OfTool::Name => &mut tool.name,
            OfTool::Description => &mut tool.description,
            OfTool::Parameters => &mut tool.parameters,
        };
        *place = Some(text);
    }

    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn merge(&mut self, newer: Self) {
        for (number, Tool { definition, name, description, parameters }) in newer.0 {
            let texts = [
                (OfTool::Definition, definition),
                (OfTool::Name, name),
                (OfTool::Description, description),
                (OfTool::Parameters, parameters),
            ];
            for (part, text) in texts {
                text.into_iter().for_each(|text| self.set(number, Part::Tool(part), text));
            }
        }
    }

    /// All of its texts.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let tools = self.0.values_mut();
        tools
            .flat_map(|tool| [&mut tool.definition, &mut tool.name, &mut tool.description, &mut tool.parameters])
            .flatten()
    }

    /// The definitions in the order of their numbers; nothing where one of them cannot be read.
    pub(crate) fn into_tools(self) -> Option<Vec<ToolDefinition>> {
        let mut tools = Vec::with_capacity(self.0.len());
        for tool in self.0.into_values() {
            match (tool.definition, tool.name) {
                (Some(definition), _) => {
                    let value: Value = serde_json::from_str(definition.text()?).ok()?;
                    tools.extend(genai::tools(value));
                }
                (None, Some(name)) => tools.push(ToolDefinition {
                    name: name.into_raw(),
                    description: tool.description.map(T::into_raw),
                    parameters: tool.parameters.map(T::into_raw),
                }),
                (None, None) => return None,
            }
        }
        Some(tools)
    }
}
