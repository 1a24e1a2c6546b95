//! A folder for a log of another kind, by the same rules: ours alone, and held by a lock as long as it is used.

use std::path::Path;
use std::sync::Arc;

use super::error::{Problem, SpoolError};
#[cfg(unix)]
use super::home::{Home, Life};
use super::log::Disk;
#[cfg(unix)]
use crate::event::ProducerId;

/// A folder that nobody else uses.
#[derive(Debug)]
pub(crate) struct Claim {
    disk: Arc<dyn Disk>,
    #[cfg(unix)]
    home: Home,
    #[cfg(unix)]
    life: Life,
}

impl Claim {
    /// Takes over what a process that is gone has left in `path`, or begins anew where nobody has.
    #[cfg(unix)]
    pub(crate) fn new(path: &Path, unix_nanos: u64) -> Result<Self, SpoolError> {
        let failed = |error| SpoolError::new(Problem::Begin, error);
        let home = Home::open(path)?;
        let life = match home.adopt(|_| false).map_err(failed)? {
            Some(life) => life,
            None => home.begin(ProducerId::generate(unix_nanos))?,
        };
        let disk: Arc<dyn Disk> = Arc::new(life.disk().map_err(failed)?);
        Ok(Self { disk, home, life })
    }

    /// Takes over another folder that a process which is gone has left beside this one, and that is none of the `known`.
    #[cfg(unix)]
    pub(crate) fn another(&self, known: &[String]) -> Result<Option<Self>, SpoolError> {
        let failed = |error| SpoolError::new(Problem::Begin, error);
        // A lock that this process holds itself is not free either.
        let is_known = |name: &str| name == self.life.name() || known.iter().any(|known| known == name);
        let Some(life) = self.home.adopt(is_known).map_err(failed)? else { return Ok(None) };
        let disk: Arc<dyn Disk> = Arc::new(life.disk().map_err(failed)?);
        Ok(Some(Self { disk, home: self.home.try_clone().map_err(failed)?, life }))
    }

    /// There is none where a folder cannot be locked.
    #[cfg(not(unix))]
    pub(crate) fn another(&self, _: &[String]) -> Result<Option<Self>, SpoolError> {
        Ok(None)
    }

    /// The name of the folder.
    #[cfg(unix)]
    pub(crate) fn name(&self) -> &str {
        self.life.name()
    }

    /// There is none where a folder cannot be locked.
    #[cfg(not(unix))]
    pub(crate) const fn name(&self) -> &'static str {
        ""
    }

    /// Lets go of a folder, and removes it where nothing is left in it.
    #[cfg(unix)]
    pub(crate) fn remove(self) {
        self.home.remove(self.life);
    }

    /// There is none where a folder cannot be locked.
    #[cfg(not(unix))]
    pub(crate) fn remove(self) {}

    /// There is none where a folder cannot be locked.
    #[cfg(not(unix))]
    pub(crate) fn new(_: &Path, _: u64) -> Result<Self, SpoolError> {
        Err(SpoolError::bare(Problem::Platform))
    }

    /// The folder.
    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.disk)
    }
}
