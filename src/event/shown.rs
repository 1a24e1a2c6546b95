//! Text that the policy lets leave.

use std::fmt;

use bytestring::ByteString;

/// What leaves of a text beside its digest: nothing at the levels `none` and `digest`, which then costs nothing.
///
/// `Debug` tells lengths alone, so that what may be on the wire is not in a log.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shown(Option<Box<Texts>>);

#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Texts {
    preview: Option<ByteString>,
    content: Option<ByteString>,
    reference: Option<ByteString>,
}

impl Shown {
    /// Nothing.
    pub const NOTHING: Self = Self(None);

    /// Its beginning, or what stands for that (`veilspan.<field>.preview`).
    pub fn preview(&self) -> Option<&ByteString> {
        self.0.as_ref()?.preview.as_ref()
    }

    /// All of it, up to the cap of an attribute, in the form that its attribute of the GenAI conventions has.
    pub fn content(&self) -> Option<&ByteString> {
        self.0.as_ref()?.content.as_ref()
    }

    /// Where all of it is kept (`veilspan.<field>.ref`).
    pub fn reference(&self) -> Option<&ByteString> {
        self.0.as_ref()?.reference.as_ref()
    }

    /// Whether there is none of these.
    pub const fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// Sets its beginning.
    pub fn set_preview(&mut self, preview: ByteString) {
        self.0.get_or_insert_default().preview = Some(preview);
    }

    /// Sets all of it.
    pub fn set_content(&mut self, content: ByteString) {
        self.0.get_or_insert_default().content = Some(content);
    }

    /// Sets where all of it is kept.
    pub fn set_reference(&mut self, reference: ByteString) {
        self.0.get_or_insert_default().reference = Some(reference);
    }

    /// Takes its beginning out.
    pub fn clear_preview(&mut self) {
        self.clear(|texts| texts.preview = None);
    }

    /// Takes all of it out, and where it is kept stays.
    pub fn clear_content(&mut self) {
        self.clear(|texts| texts.content = None);
    }

    /// Takes out where all of it is kept.
    pub fn clear_reference(&mut self) {
        self.clear(|texts| texts.reference = None);
    }

    /// Takes all of it out, and where it is kept too.
    pub fn clear_whole(&mut self) {
        self.clear(|texts| (texts.content, texts.reference) = (None, None));
    }

    fn clear(&mut self, clear: impl FnOnce(&mut Texts)) {
        if let Some(texts) = &mut self.0 {
            clear(texts);
        }
        if self.0.as_deref() == Some(&Texts::default()) {
            self.0 = None;
        }
    }

    /// The bytes that it keeps in memory.
    pub fn held_bytes(&self) -> usize {
        let held = |text: Option<&ByteString>| text.map_or(0, |text| text.len());
        held(self.preview()) + held(self.content()) + held(self.reference())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |text: Option<&ByteString>| text.map(|text| text.len());
        f.debug_struct("Shown")
            .field("preview_bytes", &length(self.preview()))
            .field("content_bytes", &length(self.content()))
            .field("is_kept_elsewhere", &self.reference().is_some())
            .finish()
    }
}
