//! A tree as the readers of every shape take it.

use super::Tree;
use crate::event::RawText;
use crate::event::shape::node::{Json, Look, Node};

impl Json for Tree<'_> {}

impl Look for Tree<'_> {
    fn get(&self, key: &str) -> Option<&Self> {
        self.member_named(key)
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array { elements, .. } => Some(elements),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object { .. })
    }

    fn write(&self, without: &[&str]) -> RawText {
        Tree::write(self, without)
    }
}

impl Node for Tree<'_> {
    type Look = Self;

    fn look(&self) -> &Self {
        self
    }

    fn member(&mut self, key: &str) -> Option<Self> {
        self.take(key).filter(|value| !value.is_null())
    }

    fn elements(self) -> impl Iterator<Item = Self> {
        match self {
            Self::Array { elements, .. } => elements,
            _ => Vec::new(),
        }
        .into_iter()
    }

    fn text(self) -> RawText {
        self.into_raw()
    }

    fn discard(self) {}
}
