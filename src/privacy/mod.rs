//! The one place where content becomes safe.

pub mod c1;
