//! Every attribute name that is read or written, in one table with its type, its privacy class and its origin.
//!
//! Promises that no key leaves the process which does not stand here: the recorder can only name keys by the constants
//! of this room, and [`lookup`] is how the readers find them again. Costs one hash look-up a key when reading, nothing
//! when writing. Knows nothing of values, spans or policies.

mod aliases;
mod class;
mod lookup;
mod names;
mod said;
mod shown;
mod table;
mod wire_fields;
mod words;

pub use aliases::{ALIASES, OF_CLAUDE_CODE, OF_CODEX};
pub use class::{Class, Field};
pub use lookup::lookup;
pub use names::*;
pub use said::{SAID, Said, said};
pub use shown::{ShownNames, ShownOf};
pub use table::{Attr, KeyId, Name, Origin, Phase, Type, table};
pub use wire_fields::{FieldClass, WIRE_FIELDS, WireField};
pub use words::is_constant;
