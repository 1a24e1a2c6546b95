//! What a thread makes and lets go with each call, in memory that goes round: whoever holds it moves one word.

use crate::intake::Spares;

/// A value in memory that goes round.
pub(super) struct Kept<T: Recycled>(Box<Option<T>>);

/// Something that is made with each call.
pub(super) trait Recycled: Sized + 'static {
    /// Where its memory waits.
    fn spares() -> &'static Spares<Option<Self>>;
}

impl<T: Recycled> Kept<T> {
    pub(super) fn new(value: T) -> Self {
        let Some(mut place) = T::spares().take() else { return Self(Box::new(Some(value))) };
        *place = Some(value);
        Self(place)
    }

    /// The value; nothing is never the answer.
    pub(super) const fn get(&self) -> Option<&T> {
        (*self.0).as_ref()
    }

    /// The same, to change it.
    pub(super) const fn get_mut(&mut self) -> Option<&mut T> {
        (*self.0).as_mut()
    }

    /// The value by itself.
    pub(super) fn take(mut self) -> Option<T> {
        let value = self.0.take();
        T::spares().give(self.0);
        value
    }
}
