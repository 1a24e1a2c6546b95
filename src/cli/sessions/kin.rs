//! Which files of Codex are those of a thread's ancestors.
//!
//! A file begins with a copy of its ancestors' rows, and they tell which call has started its thread: whatever the files'
//! names, and whatever the order in which they were named, ancestors are read first. Costs a look at each first row.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use super::bytes::Bytes;
use super::files::Found;
use crate::import::codex::kin_of;

/// The longest first line of a file.
const MAX_LINE: u64 = 16 << 20;

/// Whose thread a file tells of, and whose rows it may begin with.
pub(super) struct Kin {
    pub(super) id: String,
    pub(super) ancestors: Vec<String>,
}

/// What the first row of a file tells of its thread; nothing while it is not there.
pub(super) fn of(file: &Found) -> Option<Kin> {
    let mut line = Vec::new();
    BufReader::new(Bytes::open(&file.path).ok()?).take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
    kin_of(&line).map(|(id, ancestors)| Kin { id, ancestors })
}

/// The files to be read, ancestors before their descendants. Of files that are but history those of ancestors alone.
pub(super) fn ancestors_first(files: &[Found]) -> Vec<&Found> {
    let kin: Vec<Kin> = files.iter().map(|file| of(file).unwrap_or_else(|| nameless(file))).collect();
    let asked = files.iter().enumerate().filter(|(_, file)| !file.is_history).map(|(place, _)| place);
    order(&kin.iter().collect::<Vec<_>>(), asked).into_iter().filter_map(|place| files.get(place)).collect()
}

/// What is known of a file that does not tell whose it is.
pub(super) fn nameless(file: &Found) -> Kin {
    Kin { id: file.id().to_owned(), ancestors: Vec::new() }
}

/// The places of these threads and of their ancestors, each after those of its own ancestors. A circle is cut somewhere.
pub(super) fn order(kin: &[&Kin], asked: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, one) in kin.iter().enumerate() {
        places.entry(&one.id).or_default().push(place);
    }
    let (mut seen, mut order) = (vec![false; kin.len()], Vec::new());
    for place in asked {
        // No recursion: forks of forks may be many.
        let mut waiting = vec![(place, false)];
        while let Some((place, is_next)) = waiting.pop() {
            if is_next {
                order.push(place);
                continue;
            }
            let (Some(one), Some(seen)) = (kin.get(place), seen.get_mut(place)) else { continue };
            if !std::mem::replace(seen, true) {
                waiting.push((place, true));
                let ancestors = one.ancestors.iter().filter_map(|id| places.get(id.as_str())).flatten();
                waiting.extend(ancestors.rev().map(|place| (*place, false)));
            }
        }
    }
    order
}
