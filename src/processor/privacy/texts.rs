//! Texts that a call of any other kind than a model's or a tool's was given or returned: what was embedded, what was looked
//! for, the documents that were found.

use std::collections::BTreeMap;

use super::read;
use crate::event::shape::Look;
use crate::event::shape::tree::Tree;
use crate::event::{CallKind, RawText, ResultContent};
use crate::otlp::AnyView;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Given,
    Returned,
}

/// The list and the number that a name of OpenInference stands for.
pub(super) fn numbered(key: &str) -> Option<(Of, u16)> {
    let of = |prefix, suffix| key.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok();
    let given = || of("embedding.embeddings.", ".embedding.text").map(|number| (Of::Given, number));
    let returned = || of("retrieval.documents.", ".document.content").map(|number| (Of::Returned, number));
    given().or_else(returned)
}

/// Whether calls of this kind are told by such texts.
pub(super) const fn has_texts(kind: Option<CallKind>) -> bool {
    matches!(kind, Some(CallKind::Embeddings | CallKind::Retrieval | CallKind::Memory))
}

/// Those that stand in an attribute each.
#[derive(Default)]
pub(super) struct Texts<'a> {
    given: BTreeMap<u16, &'a str>,
    returned: BTreeMap<u16, &'a str>,
}

impl<'a> Texts<'a> {
    pub(super) fn set(&mut self, of: Of, number: u16, text: &'a str) {
        match of {
            Of::Given => self.given.insert(number, text),
            Of::Returned => self.returned.insert(number, text),
        };
    }

    /// All of one list, in the order of their numbers; nothing where there are none.
    pub(super) fn take(&mut self, of: Of) -> Option<Vec<ResultContent>> {
        let texts = match of {
            Of::Given => &mut self.given,
            Of::Returned => &mut self.returned,
        };
        let texts = std::mem::take(texts).into_values().map(|text| ResultContent::Text(RawText::from(text)));
        let texts: Vec<_> = texts.collect();
        (!texts.is_empty()).then_some(texts)
    }
}

/// The documents of a list: of each its text, or all of it where it has none.
pub(super) fn documents(value: &AnyView<'_>) -> Option<Vec<ResultContent>> {
    let Some(Tree::Array { elements, .. }) = read::json(value) else { return one(value) };
    let document = |mut document: Tree<'_>| {
        let key = ["content", "text"].into_iter().find(|key| document.get(key).is_some_and(Look::is_string));
        let text = key.and_then(|key| document.take(key)).unwrap_or(document);
        ResultContent::Text(text.into_raw())
    };
    Some(elements.into_iter().map(document).collect())
}

/// One text, which is all there is.
pub(super) fn one(value: &AnyView<'_>) -> Option<Vec<ResultContent>> {
    read::arguments(value).map(|(text, _)| vec![ResultContent::Text(text)])
}
