//! Texts that a call of any other kind than a model's or a tool's was given or returned: what was embedded, what was looked
//! for, the documents that were found.

use std::collections::BTreeMap;

use super::read;
use crate::event::shape::borrowed;
use crate::event::{CallKind, RawText, ResultContent};
use crate::json::Node;
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
    let document = |document: Node<'_>| {
        let mut texts = ["content", "text"].into_iter().filter_map(|key| document.get(key)?.as_str());
        ResultContent::Text(texts.next().map_or_else(|| borrowed::text(document), RawText::from))
    };
    let list = |list: Node<'_>| list.is_array().then(|| list.elements().map(document).collect());
    read::json(value, list).flatten().or_else(|| one(value))
}

/// One text, which is all there is.
pub(super) fn one(value: &AnyView<'_>) -> Option<Vec<ResultContent>> {
    read::arguments(value).map(|(text, _)| vec![ResultContent::Text(text)])
}
