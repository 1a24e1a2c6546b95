//! Which folder, as the environment says.

use std::path::Path;

use super::Payloads;
use crate::environment::{Environment, Setting, Warning};
use crate::privacy::Level;
use crate::privacy::policy::Levels;

pub(super) const NAME: &str = "VEILSPAN_PAYLOADS";

/// Whether a folder is named, and content that could go there may leave.
pub(in crate::privacy) fn asked_for(environment: &Environment, levels: &Levels) -> bool {
    environment.get(NAME) != Setting::Unset && levels.most() >= Level::Masked
}

/// The store that the environment names. It needs names that somebody else can compare: digests whose key lasts.
pub(in crate::privacy) fn from_environment(
    environment: &Environment,
    levels: &Levels,
    has_lasting_digests: bool,
    warnings: &mut Vec<Warning>,
) -> Option<Payloads> {
    const RELATIVE: &str = "not an absolute path; no payloads are kept, and long content is cut";
    const NO_NAMES: &str = "payloads are named by digests that outlive the process: set VEILSPAN_HASH_KEY_FILE, or a HOME in \
         which a key can be kept; no payloads are kept, and long content is cut";
    let path = match environment.get(NAME) {
        Setting::NotUnicode => "",
        Setting::Unset => return None,
        // The empty text is unset, as with the spool's folder.
        Setting::Set(_) => environment.otel(NAME)?,
    };
    if !Path::new(path).is_absolute() {
        warnings.push(Warning::new(NAME, path, RELATIVE));
        return None;
    }
    if !asked_for(environment, levels) {
        return None;
    }
    if !has_lasting_digests {
        warnings.push(Warning::new(NAME, "", NO_NAMES));
        return None;
    }
    let opened = Payloads::open(Path::new(path));
    opened.map_err(|problem| warnings.push(Warning::new(NAME, "", format!("{problem}; long content is cut")))).ok()
}
