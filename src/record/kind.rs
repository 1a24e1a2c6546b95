//! The kinds of call as types. They have no values: they only say what a [`Builder`](super::Builder) builds.

use super::call::{CallType, sealed::Sealed};
use crate::event::CallKind;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Sealed for $name {}

        impl CallType for $name {
            const KIND: CallKind = CallKind::$name;
        }
    )*};
}

kinds! {
    /// [`CallKind::Turn`]
    Turn
    /// [`CallKind::Inference`]
    Inference
    /// [`CallKind::Tool`]
    Tool
    /// [`CallKind::Workflow`]
    Workflow
    /// [`CallKind::Embeddings`]
    Embeddings
    /// [`CallKind::Retrieval`]
    Retrieval
    /// [`CallKind::Memory`]
    Memory
    /// [`CallKind::Compaction`]
    Compaction
    /// [`CallKind::Approval`]
    Approval
    /// [`CallKind::CodeCell`]
    CodeCell
    /// [`CallKind::Terminal`]
    Terminal
    /// [`CallKind::Admission`]
    Admission
    /// [`CallKind::Cancel`]
    Cancel
}
