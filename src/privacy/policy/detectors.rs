//! Which detectors there are, as the environment says.

use std::path::Path;

use crate::environment::{Environment, Setting, Warning};
use crate::privacy::detect::Detectors;
use crate::privacy::secure_file::{self, Links};

/// A longer file is no file of rules.
const MAX_BYTES: u64 = 256 << 10;

/// The detectors that `VEILSPAN_DETECTORS` names. What cannot be used is none: no text leaves that nobody has looked at.
pub(super) fn detectors(environment: &Environment, warnings: &mut Vec<Warning>) -> Option<Detectors> {
    const NAME: &str = "VEILSPAN_DETECTORS";
    const UNUSABLE: &str = "not `default`, `none` or the absolute path of a file of rules; there are no detectors, and \
         `preview` and `masked` mean `digest`";
    let value = match environment.get(NAME) {
        Setting::Unset => return Some(Detectors::default_set()),
        Setting::Set(value) => value.trim(),
        Setting::NotUnicode => "",
    };
    if value.eq_ignore_ascii_case("default") {
        return Some(Detectors::default_set());
    }
    if value.eq_ignore_ascii_case("none") {
        return None;
    }
    let file = secure_file::read(Path::new(value), MAX_BYTES, Links::Followed, |_| true);
    let Some(rules) = file.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        warnings.push(Warning::new(NAME, value, UNUSABLE));
        return None;
    };
    match Detectors::parse(&rules) {
        Ok(detectors) => Some(detectors),
        // Names the line and what is allowed there, never what stands there.
        Err(error) => {
            let message = format!("{error}; there are no detectors, and `preview` and `masked` mean `digest`");
            warnings.push(Warning::new(NAME, value, message));
            None
        }
    }
}
