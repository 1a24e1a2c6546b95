//! Items, and what is told of threads, in `state.json`.

use serde_json::{Map, Value};

use super::json_call::{at, id, keys, numbers, put};
use crate::event::ItemPart;
use crate::reduce::graph::{Compaction, Producer, TerminalSession, VisibleItem};

pub(super) fn item(item: &VisibleItem) -> Value {
    let mut map = Map::new();
    put(&mut map, "digest", item.item.digest.map(|digest| digest.to_string()));
    put(&mut map, "role", Some(item.item.role.as_str()));
    put(&mut map, "length", item.item.length);
    put(&mut map, "part_kinds", (!item.item.part_kinds.is_empty()).then_some(&*item.item.part_kinds));
    put(&mut map, "turn", Some(&*item.turn));
    put(&mut map, "first_seen_unix_nano", Some(item.first_seen_unix_nano));
    if let Some(facet) = &item.facet {
        put(&mut map, "kind", Some(facet.kind.as_str()));
        put(&mut map, "channel", facet.channel.map(|channel| channel.as_str()));
        put(&mut map, "call_id", facet.call_id.as_deref());
        put(&mut map, "name", facet.name.as_deref());
        if let Some([author, recipient]) = &facet.between {
            put(&mut map, "author", Some(&**author));
            put(&mut map, "recipient", Some(&**recipient));
        }
        let parts: Vec<Value> = facet.parts.iter().map(part).collect();
        put(&mut map, "parts", (!parts.is_empty()).then_some(parts));
    }
    let producers: Vec<Value> = item.produced_by.iter().map(producer).collect();
    put(&mut map, "produced_by", (!producers.is_empty()).then_some(producers));
    map.into()
}

fn part(part: &ItemPart) -> Value {
    let mut map = Map::new();
    put(&mut map, "kind", Some(part.kind.as_str()));
    put(&mut map, "digest", part.digest.map(|digest| digest.to_string()));
    put(&mut map, "length", Some(part.length));
    map.into()
}

fn producer(producer: &Producer) -> Value {
    let mut map = Map::new();
    match producer {
        Producer::Inference(key) => put(&mut map, "inference", Some(id(*key))),
        Producer::Tool(key) => put(&mut map, "tool_call", Some(id(*key))),
        Producer::CodeCell(key) => put(&mut map, "code_cell", Some(id(*key))),
        Producer::Compaction(name) => put(&mut map, "compaction", Some(&**name)),
    }
    map.into()
}

pub(super) fn compaction(compaction: &Compaction) -> Value {
    let mut map = Map::new();
    put(&mut map, "id", compaction.id.as_deref());
    put(&mut map, "turn", Some(&*compaction.turn));
    put(&mut map, "installed", Some(at(compaction.at)));
    put(&mut map, "marker", Some(compaction.marker));
    put(&mut map, "attempts", keys(&compaction.attempts));
    put(&mut map, "replaced", numbers(&compaction.replaced));
    put(&mut map, "replacement", numbers(&compaction.replacement));
    put(&mut map, "chain", compaction.chain.map(|chain| chain.to_string()));
    put(&mut map, "evidence", compaction.evidence.as_deref());
    map.into()
}

pub(super) fn terminal(terminal: &TerminalSession) -> Value {
    let mut map = Map::new();
    put(&mut map, "id", Some(&*terminal.id));
    put(&mut map, "started", terminal.started_at.map(at));
    let operations: Vec<Value> = terminal
        .operations
        .iter()
        .map(|(turn, key)| {
            let mut map = Map::new();
            put(&mut map, "turn", Some(&**turn));
            put(&mut map, "operation", Some(id(*key)));
            map.into()
        })
        .collect();
    put(&mut map, "operations", Some(operations));
    map.into()
}
