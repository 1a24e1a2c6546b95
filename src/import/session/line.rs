//! A line as the object that it is.

use super::loose::mended;
use super::place::AsideReason;
use crate::json::{Escapes, Node, Tape, Unread};

/// Reads a line and hands its object on, with its escapes as they are wanted. One in which half a sign stands is mended.
///
/// # Errors
///
/// Why the line is set aside.
pub(in crate::import) fn read_line<R>(
    tape: &mut Tape,
    line: &[u8],
    escapes: Escapes,
    then: impl FnOnce(Node<'_>) -> R,
) -> Result<R, AsideReason> {
    if line.first() != Some(&b'{') {
        return Err(AsideReason::NotJson);
    }
    let mut then = Some(then);
    let mut read = |line: &[u8]| {
        let text = simdutf8::basic::from_utf8(line).map_err(|_| AsideReason::NotJson)?;
        tape.read(text, escapes, |row| then.take().map(|then| then(row))).map_err(|unread| match unread {
            Unread::NotJson => AsideReason::NotJson,
            Unread::TooLarge => AsideReason::Oversize,
        })
    };
    let whole = read(line).or_else(|reason| mended(line).map_or(Err(reason), |mended| read(&mended)));
    whole?.ok_or(AsideReason::NotJson)
}
