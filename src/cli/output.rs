//! Where a command writes its data: a file, or stdout.

use std::io::Write;
use std::path::Path;

use super::Failure;

/// Writes all of it.
pub(super) fn write(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    match output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| Failure::Unavailable(format!("{}: cannot be written: {}", path.display(), error.kind()))),
        None => match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Unavailable("stdout cannot be written to".to_owned()))
            }
            _ => Ok(()),
        },
    }
}
