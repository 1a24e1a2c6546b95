//! What is planted.

use std::sync::atomic::{AtomicUsize, Ordering};

use veilspan::Policy;
use veilspan::privacy::Level;
use veilspan::semconv::Field;

/// What a planted text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Free text, which no rule takes for a label: with blanks, a quote, a line's end and a letter outside of ASCII.
    Free,
    /// What looks like a name or an id.
    Label,
    /// What the detectors know, and looks like a label beside that.
    Secret,
}

impl Shape {
    pub const ALL: [Self; 3] = [Self::Free, Self::Label, Self::Secret];
}

/// What may become of a planted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A name or an id.
    Label,
    /// What was said: of these classes, of which the most private counts.
    Content(&'static [Field]),
    /// What leaves under no policy.
    Hidden,
}

/// A text that was planted.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Where it was said.
    pub place: String,
    /// What it is known by, wherever it ends up.
    pub word: String,
    pub class: Class,
}

/// Hands out canaries of one shape. The same calls in the same order hand out the same, but for the number of the run.
#[derive(Clone, Debug)]
pub struct Plants {
    shape: Shape,
    run: usize,
    planted: Vec<Canary>,
}

impl Plants {
    /// Of a run that nothing else in this process has words of.
    pub fn new(shape: Shape) -> Self {
        static RUNS: AtomicUsize = AtomicUsize::new(1);
        Self { shape, run: RUNS.fetch_add(1, Ordering::Relaxed), planted: Vec::new() }
    }

    /// Of the one run of another process.
    pub const fn of_another_process(shape: Shape) -> Self {
        Self { shape, run: 0, planted: Vec::new() }
    }

    pub const fn shape(&self) -> Shape {
        self.shape
    }

    pub fn planted(&self) -> &[Canary] {
        &self.planted
    }

    /// A name or an id.
    pub fn label(&mut self, place: &str) -> String {
        self.plant(place, Class::Label)
    }

    /// What was said.
    pub fn said(&mut self, fields: &'static [Field], place: &str) -> String {
        self.plant(place, Class::Content(fields))
    }

    /// What leaves under no policy.
    pub fn hidden(&mut self, place: &str) -> String {
        self.plant(place, Class::Hidden)
    }

    fn plant(&mut self, place: &str, class: Class) -> String {
        let word = format!("zebra{:03}w{:03}q", self.run, self.planted.len());
        let text = match self.shape {
            Shape::Free => format!("the \"{word}\" of {place}\nsings über all"),
            Shape::Label => word.clone(),
            Shape::Secret => format!("{word}@quietfield.io"),
        };
        self.planted.push(Canary { place: place.to_owned(), word, class });
        text
    }

    /// Whether a policy lets this one leave at all.
    pub fn may_leave(&self, canary: &Canary, policy: &Policy) -> bool {
        match (canary.class, self.shape) {
            (Class::Hidden, _) | (Class::Label, Shape::Free | Shape::Secret) => false,
            (Class::Label, Shape::Label) => true,
            (Class::Content(fields), Shape::Secret) => policy.levels().of_all(fields) == Level::Full,
            (Class::Content(fields), _) => policy.levels().of_all(fields) >= Level::Preview,
        }
    }
}
