//! Where spans wait on disk.

use std::path::Path;

use super::Reader;
use crate::environment::Setting;
use crate::export::config::{ExporterConfig, SpoolConfig, SpoolWait};
use crate::export::spool::Fsync;

const FOLDER: &str = "VEILSPAN_SPOOL_DIR";

impl Reader<'_> {
    pub(super) fn spool(&mut self, config: &mut ExporterConfig) {
        let bytes = self.spool_bytes();
        let fsync = self.spool_word(
            "VEILSPAN_SPOOL_FSYNC",
            "none of `os`, `interval` and `always`; taken for `always`",
            Fsync::from_word,
        );
        let wait = self.spool_word("VEILSPAN_SPOOL_WAIT", "neither `written` nor `synced`; taken for unset", |word| {
            [("written", SpoolWait::Written), ("synced", SpoolWait::Synced)]
                .into_iter()
                .find(|(known, _)| word.eq_ignore_ascii_case(known))
                .map(|(_, wait)| wait)
        });
        let folder = match self.environment.get(FOLDER) {
            Setting::NotUnicode => {
                self.warn(FOLDER, "", "not Unicode; spans wait in memory");
                None
            }
            _ => self.environment.otel(FOLDER),
        };
        if folder.is_some_and(|folder| !Path::new(folder).is_absolute()) {
            self.warn(FOLDER, folder.unwrap_or_default(), "not an absolute path; spans wait in memory");
        }
        let folder = folder.filter(|folder| Path::new(folder).is_absolute());
        config.spool = folder.map(|folder| {
            let mut spool = SpoolConfig::new(folder);
            spool.bytes = bytes.unwrap_or(spool.bytes);
            spool.fsync = fsync.map_or(spool.fsync, |fsync| fsync.unwrap_or(Fsync::Always));
            spool.wait = wait.flatten();
            spool
        });
    }

    fn spool_bytes(&mut self) -> Option<u64> {
        const NAME: &str = "VEILSPAN_SPOOL_BYTES";
        let value = self.environment.otel(NAME)?;
        let bytes = value.parse().ok().filter(|bytes| *bytes >= SpoolConfig::LEAST_BYTES);
        if bytes.is_none() {
            self.warn(NAME, value, "not a whole number of bytes of 65536 or more; the default holds");
        }
        bytes
    }

    /// Nothing where it is not set; nothing inside where it is not understood.
    fn spool_word<T>(
        &mut self,
        name: &str,
        message: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let word = self.environment.otel(name)?;
        let parsed = parse(word);
        if parsed.is_none() {
            self.warn(name, word, message);
        }
        Some(parsed)
    }
}
