//! Whatever was told, and whatever was lost of it, a graph points at nothing that is not in it.

use veilspan::event::Key;
use veilspan::reduce::{Rollout, Thread};

/// Fails where a number stands for no item, or a key for no call of its thread.
pub fn is_sound(rollout: &Rollout) {
    rollout.threads.iter().for_each(thread_is_sound);
    let thread = |id| rollout.threads.iter().find(|thread| Some(&thread.id) == id);
    for edge in &rollout.edges {
        for end in [&edge.from, &edge.to] {
            if let Some(item) = end.item {
                assert!((item as usize) < thread(end.thread()).unwrap().items.len(), "item {item} of an edge");
            }
        }
        let to = thread(edge.to.thread());
        assert!(edge.items.iter().all(|item| (*item as usize) < to.unwrap().items.len()), "items of an edge");
    }
    for turn in rollout.threads.iter().flat_map(|thread| &thread.turns) {
        if let Some(node) = &turn.spawned_by {
            assert!(thread(Some(&node.thread)).unwrap().turns.iter().any(|turn| turn.id == node.turn));
        }
    }
}

fn thread_is_sound(thread: &Thread) {
    let count = thread.items.len();
    let is_there = |number: u32| (number as usize) < count;
    let calls: Vec<Key> = thread.turns.iter().flat_map(|turn| turn.calls()).map(|call| call.key).collect();
    let is_call = |key: &Key| calls.contains(key);
    for segment in thread.turns.iter().flat_map(|turn| &turn.segments) {
        for inference in &segment.inferences {
            let (input, output) = (&inference.input, &inference.output);
            assert!(input.items.iter().all(is_there), "{:?} of {count} items", input.items);
            assert!(output.items.iter().all(is_there), "{:?} of {count} items", output.items);
            assert!(input.items.len() as u64 >= input.told, "what a request tells of is shown");
            assert!(inference.started.iter().all(is_call));
        }
        for tool in &segment.tool_calls {
            assert!(tool.call_items.iter().chain(&tool.output_items).all(|number| is_there(*number)));
            assert!(tool.cell.iter().chain(&tool.terminal).all(is_call));
        }
        for cell in &segment.code_cells {
            assert!(cell.source_item.iter().chain(&cell.output_items).all(|number| is_there(*number)));
            assert!(cell.nested.iter().chain(&cell.waits).all(is_call));
        }
        assert!(segment.terminal_operations.iter().filter_map(|one| one.tool.as_ref()).all(is_call));
    }
    for compaction in &thread.compactions {
        assert!(is_there(compaction.marker), "{} of {count} items", compaction.marker);
        assert!(compaction.replaced.iter().chain(compaction.replacement.iter()).all(is_there));
        assert!(compaction.attempts.iter().all(is_call));
    }
    assert!(thread.terminals.iter().flat_map(|session| &session.operations).all(|(_, key)| is_call(key)));
}
