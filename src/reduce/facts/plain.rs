//! Calls of which each half was told once at most and nothing beside that: most of them. They are read as they will be in the
//! graph, without being observations first that could disagree.

use super::calls::CallRows;
use super::codec::{
    CLOSED, CONTENT, HAS_ERROR, HAS_LINKS, HAS_POLICY, OF_CONTENT, OPENED, PARENT_IS_REMOTE, WHAT, outcome_of,
    read_arguments, read_measure,
};
use super::item::{InputFact, read_runs};
use super::reading::Reading;
use super::rollout::Histories;
use super::row::RowReader;
use super::shapes::ShapeReader;
use super::tables::Tables;
use crate::event::{Arguments, At, Attrs, Key, Measure, Value};
use crate::reduce::graph::{Answer, Call, Inference, Numbers, Runtime, Shown, ToolCall};
use crate::semconv::{CONNECTION_ID, KeyId, TOOL_NAME};

/// A row that is read as far as it is said where it belongs.
struct Half<'a> {
    first: u8,
    at: At,
    row: RowReader<'a>,
}

impl Half<'_> {
    const fn content(&self) -> u8 {
        self.first >> CONTENT & OF_CONTENT
    }
}

/// What the opening and the end of a call tell.
struct Halves<'a> {
    opening: Option<Half<'a>>,
    closing: Option<Half<'a>>,
}

impl Reading<'_> {
    /// A model request, its items as lists that were noted. Nothing where more was told of it.
    #[inline(always)]
    pub(in crate::reduce) fn plain_inference(
        &self,
        key: &Key,
        rows: &CallRows,
        histories: Histories<'_>,
    ) -> Option<Inference> {
        let mut halves = self.halves(rows, [0, 0])?;
        let call = self.plain_call(key, &mut halves, |_, _, _| true)?;
        let (mut input, mut output, mut gap) = (Shown::default(), Answer::default(), false);
        if let Some(Half { row, .. }) = &mut halves.opening {
            let place = Tables::peek_prefix(*row);
            let beside = self.tables().read_beside(row);
            input = shown(beside, self.list_runs(|run| read_runs(row, run)));
            gap = input.prefix.is_some_and(|prefix| !histories.shows_at(place, &prefix, *key));
        }
        if let Some(Half { row, .. }) = &mut halves.closing {
            (output.items, _) = self.list_runs(|run| read_runs(row, run));
        }
        Some(Inference { call, input, output, gap, started: Vec::new() })
    }

    /// A tool call. Nothing where more was told of it, or the two halves are not of the same tool.
    #[inline(always)]
    pub(in crate::reduce) fn plain_tool(&self, key: &Key, rows: &CallRows) -> Option<ToolCall> {
        let mut halves = self.halves(rows, [1, 1])?;
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        let call = self.plain_call(key, &mut halves, |id, opened, closed| {
            let tells = id == TOOL_NAME.id() || id == CONNECTION_ID.id();
            !tells || opened == closed || !is_text(opened) || !is_text(closed)
        })?;
        let arguments = halves.opening.map_or_else(Arguments::default, |mut half| read_arguments(&mut half.row));
        let result = halves.closing.map_or_else(Measure::default, |mut half| read_measure(&mut half.row));
        Some(ToolCall {
            call,
            arguments,
            result,
            occurrence: 0,
            placeholders: 0,
            call_items: Vec::new(),
            output_items: Vec::new(),
            runtime: Runtime::default(),
            cell: None,
            terminal: None,
        })
    }

    /// The rows of a call: an opening and an end of this content, or one of them, without links.
    fn halves(&self, call: &CallRows, content: [u8; 2]) -> Option<Halves<'_>> {
        if call.count > 2 {
            return None;
        }
        let mut halves = Halves { opening: None, closing: None };
        for bytes in self.rows().of_call(call) {
            let mut row = RowReader { rest: bytes };
            let first = row.byte();
            let (half, content) = match first & WHAT {
                OPENED => (&mut halves.opening, content[0]),
                CLOSED => (&mut halves.closing, content[1]),
                _ => return None,
            };
            let at = self.tables().read_at_of(first, &call.base, &mut row);
            let read = Half { first, at, row };
            if half.is_some() || first & HAS_LINKS != 0 || read.content() != content {
                return None;
            }
            *half = Some(read);
        }
        Some(halves)
    }

    /// What all kinds have in common. What is left of the rows is their content.
    ///
    /// Inlined like its callers: a call is large, and would be moved once for each of them.
    #[inline(always)]
    fn plain_call(
        &self,
        key: &Key,
        halves: &mut Halves<'_>,
        agree: impl Fn(KeyId, &Value, &Value) -> bool,
    ) -> Option<Call> {
        let (mut none, mut nothing) = (RowReader { rest: &[] }, RowReader { rest: &[] });
        let (mut span, mut opened_at, mut closed_at, mut outcome) = (None, None, None, None);
        let (mut has_policy, mut has_error) = (false, false);
        let opening = match &mut halves.opening {
            Some(Half { first, at, row }) => {
                (opened_at, has_policy) = (Some(*at), *first & HAS_POLICY != 0);
                span = Some(self.read_span(*first & PARENT_IS_REMOTE != 0, row));
                row
            }
            None => &mut none,
        };
        let closing = match &mut halves.closing {
            Some(Half { first, at, row }) => {
                (closed_at, has_error) = (Some(*at), *first & HAS_ERROR != 0);
                outcome = outcome_of(row.byte());
                row
            }
            None => &mut nothing,
        };
        Some(Call {
            key: *key,
            span,
            opened_at,
            closed_at,
            outcome,
            end_inferred: false,
            late: false,
            attrs: self.read_both(opening, closing, agree)?,
            policy: has_policy.then(|| self.read_text(opening)),
            error: if has_error { read_measure(closing) } else { Measure::default() },
            marks: Vec::new(),
            conflicts: Vec::new(),
        })
    }

    /// The attributes of an opening, completed by those of its end: both stand in the order of their keys. Nothing where
    /// they do not agree.
    fn read_both<'r>(
        &self,
        opening: &mut RowReader<'r>,
        closing: &mut RowReader<'r>,
        agree: impl Fn(KeyId, &Value, &Value) -> bool,
    ) -> Option<Attrs> {
        // A half that was not told has none.
        let shape = |row: &mut RowReader<'r>| {
            if row.rest.is_empty() { ShapeReader::none() } else { self.read_shape(row) }
        };
        let (mut opened, mut closed) = (shape(opening), shape(closing));
        let mut attrs = Vec::with_capacity(opened.left() + closed.left());
        let (mut one, mut other) = (opened.next(), closed.next());
        loop {
            match (one, other) {
                (Some((id, kind)), Some((later, _))) if id < later => {
                    self.push_value(&mut attrs, (id, kind), &mut opened, opening);
                    one = opened.next();
                }
                (Some((id, kind)), Some((same, of_other))) if id == same => {
                    let (first, second) =
                        (self.read_value(kind, &mut opened, opening), self.read_value(of_other, &mut closed, closing));
                    if !agree(id, &first, &second) {
                        return None;
                    }
                    attrs.push((id, first));
                    one = opened.next();
                    other = closed.next();
                }
                (_, Some((id, kind))) => {
                    self.push_value(&mut attrs, (id, kind), &mut closed, closing);
                    other = closed.next();
                }
                (Some((id, kind)), None) => {
                    self.push_value(&mut attrs, (id, kind), &mut opened, opening);
                    one = opened.next();
                }
                (None, None) => return Some(Attrs::in_order(attrs)),
            }
        }
    }
}

/// What a request tells, as the graph has it but for its items, which are a list that was noted.
pub(in crate::reduce) fn shown(input: InputFact, (items, told): (Numbers, u64)) -> Shown {
    let InputFact { prefix, chain, omitted, system, tools, blobs, items: _ } = input;
    Shown { prefix, chain, items, told, omitted, system, tools, blobs }
}
