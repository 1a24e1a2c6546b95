//! rig and genai as they are published.

use insta::assert_snapshot;

use crate::program::{alone, sent};
use crate::told::trees;

#[test]
fn rig_is_told_as_turns_with_inferences_and_tool_calls() {
    let told = alone("rig");
    assert_eq!(told.matches("turn weather").count(), 2, "{told}");
    assert_eq!(told.matches("chat gpt-scripted").count(), 4, "{told}");
    assert_eq!(told.matches("execute_tool temperature").count(), 2, "{told}");
}

#[test]
fn the_spans_of_rig_are_the_ones_that_were_looked_at() {
    assert_snapshot!("rig", trees(sent("rig")));
}

#[test]
fn genai_is_told_as_a_turn_with_inferences_and_a_tool_call() {
    let told = alone("genai");
    assert_eq!(told.matches("turn weather").count(), 1, "{told}");
    assert_eq!(told.matches("chat gpt-scripted").count(), 2, "{told}");
    assert_eq!(told.matches("execute_tool temperature").count(), 1, "{told}");
}

#[test]
fn the_spans_of_genai_are_the_ones_that_were_looked_at() {
    assert_snapshot!("genai", trees(sent("genai")));
}
