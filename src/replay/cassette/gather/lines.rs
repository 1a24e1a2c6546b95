//! Server-sent events (WHATWG HTML, section 9.2): the data of each, from bytes in any pieces.

/// What has come of the line and of the event at hand.
#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    /// The last byte was a carriage return: a line feed behind it ends no other line.
    after_return: bool,
}

impl Lines {
    /// Takes bytes, and hands on the data of each event that has ended.
    pub(super) fn take(&mut self, bytes: &[u8], mut event: impl FnMut(&str)) {
        for byte in bytes {
            let is_second = std::mem::replace(&mut self.after_return, *byte == b'\r') && *byte == b'\n';
            match byte {
                _ if is_second => {}
                b'\r' | b'\n' => self.end_line(&mut event),
                byte => self.line.push(*byte),
            }
        }
    }

    fn end_line(&mut self, event: &mut impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                event(&std::mem::take(&mut self.data));
            }
            return;
        }
        let Ok(line) = String::from_utf8(line) else { return };
        let Some(data) = line.strip_prefix("data:") else { return };
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push('\n');
        }
        self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut all) = (Lines::default(), Vec::new());
        pieces.iter().for_each(|piece| lines.take(piece, |data| all.push(data.to_owned())));
        all
    }

    #[test]
    fn events_are_the_same_in_whatever_pieces_and_with_whatever_line_ends_they_come() {
        let text = "event: a\ndata: {\"x\":\"ä\"}\n\n: a comment\ndata:two\ndata: lines\n\ndata: unfinished";
        let whole = events(&[text.as_bytes()]);
        assert_eq!(whole, ["{\"x\":\"ä\"}", "two\nlines"]);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(events(&bytes), whole);
        for end in ["\r\n", "\r"] {
            let text = text.replace('\n', end);
            assert_eq!(events(&text.as_bytes().chunks(3).collect::<Vec<_>>()), whole);
        }
    }
}
