//! Where a command writes its data: a file, or stdout.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::Failure;

/// Writes all of it.
pub(super) fn write(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    write_by(output, |to| to.write_all(text.as_bytes()))
}

/// Writes what `write` writes.
pub(super) fn write_by(
    output: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let flushed = |mut to: BufWriter<&mut dyn Write>| write(&mut to).and_then(|()| to.flush());
    match output {
        Some(path) => std::fs::File::create(path)
            .and_then(|mut file| flushed(BufWriter::new(&mut file)))
            .map_err(|error| Failure::Unavailable(format!("{}: cannot be written: {}", path.display(), error.kind()))),
        None => match flushed(BufWriter::new(&mut std::io::stdout().lock())) {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Unavailable("stdout cannot be written to".to_owned()))
            }
            _ => Ok(()),
        },
    }
}
