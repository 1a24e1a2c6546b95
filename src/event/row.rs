//! Memory that the texts of one call share.

use super::wipe::wipe_from;

/// Texts, one after the other, of which each is a part. Wiped when the last of them is gone, and given back for other calls.
///
/// Whoever hands in a call has copied what it was lent once; a copy of each text by itself would have to be made, and wiped,
/// once more.
pub(crate) struct Row {
    text: String,
    give_back: fn(String),
}

impl Row {
    /// The texts, and where their memory is given back to.
    pub(crate) const fn new(text: String, give_back: fn(String)) -> Self {
        Self { text, give_back }
    }

    /// All of them.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        wipe_from(&mut text, 0);
        (self.give_back)(text);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use super::*;
    use crate::event::RawText;

    thread_local! {
        static GIVEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// The first bytes of a text's memory, whether they are still its own or not.
    #[cfg(target_os = "linux")]
    fn memory(text: &str) -> [u8; 17] {
        use std::os::unix::fs::FileExt;
        let mut bytes = [1; 17];
        let whole = std::fs::File::open("/proc/self/mem").unwrap();
        whole.read_exact_at(&mut bytes, text.as_ptr().addr() as u64).unwrap();
        bytes
    }

    /// What is given back has its memory, and whoever looks at that finds nothing.
    #[test]
    fn the_row_is_wiped_when_its_last_text_is_gone_and_not_before() {
        let row =
            Arc::new(Row::new("one twoünd three".to_owned(), |text| GIVEN.with_borrow_mut(|all| all.push(text))));
        let part = |start, end| RawText::part(Arc::clone(&row), start, end);
        #[cfg(target_os = "linux")]
        assert_eq!(memory(row.text()), *"one twoünd three".as_bytes());
        let (one, two, none) = (part(0, 3), part(4, 10), part(9, 99));
        drop(row);
        drop(one);
        assert!(GIVEN.with_borrow(Vec::is_empty));
        assert_eq!((two.expose(), two.len(), none.expose(), none.len()), (Some("twoün"), 6, Some(""), 0));
        drop((two, none));
        let mut given = GIVEN.take();
        let text = given.pop().unwrap();
        assert!(given.is_empty() && text.is_empty() && text.capacity() >= 17);
        #[cfg(target_os = "linux")]
        assert_eq!(memory(&text), [0; 17]);
    }
}
