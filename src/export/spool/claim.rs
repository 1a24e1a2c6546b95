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
    _life: Life,
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
        Ok(Self { disk, _life: life })
    }

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
