//! A disk in memory that forgets what was not synced when its power goes, and fails when it is told to.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use crate::export::spool::log::{Disk, DiskFile};

#[derive(Clone, Debug, Default)]
struct Content {
    live: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    files: Vec<Content>,
    /// Bytes that may still be written.
    room: Option<usize>,
    /// Writes that still succeed.
    writes: Option<usize>,
    /// Syncs that still succeed.
    syncs: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Forgetful(Arc<Mutex<State>>);

#[derive(Debug)]
struct File {
    disk: Forgetful,
    place: usize,
}

impl Forgetful {
    pub(super) fn fail_writes_after(&self, writes: Option<usize>) {
        self.0.lock().unwrap().writes = writes;
    }

    pub(super) fn fail_syncs_after(&self, syncs: Option<usize>) {
        self.0.lock().unwrap().syncs = syncs;
    }

    pub(super) fn set_room(&self, room: Option<usize>) {
        self.0.lock().unwrap().room = room;
    }

    /// Everything that was not synced is gone, or half of it is.
    pub(super) fn lose_power(&self, keep: impl Fn(usize) -> usize) {
        let mut state = self.0.lock().unwrap();
        state.names = state.synced_names.clone();
        for file in &mut state.files {
            let common = file.synced.len().min(file.live.len());
            let kept = keep(file.live.len() - common).min(file.live.len() - common);
            let tail = file.live[common..common + kept].to_vec();
            file.live = [file.synced.clone(), tail].concat();
            file.synced = file.live.clone();
        }
    }

    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock().unwrap();
        let place = state.names[name];
        change(&mut state.files[place].live);
    }

    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock().unwrap();
        state.files[state.names[name]].live.clone()
    }

    /// Another disk with the same content.
    pub(super) fn copy(&self) -> Self {
        let state = self.0.lock().unwrap();
        let (names, files) = (state.names.clone(), state.files.clone());
        Self(Arc::new(Mutex::new(State { synced_names: names.clone(), names, files, ..State::default() })))
    }
}

fn spend(counter: &mut Option<usize>) -> io::Result<()> {
    match counter {
        Some(0) => Err(io::Error::other("a disk that fails")),
        Some(left) => {
            *left -= 1;
            Ok(())
        }
        None => Ok(()),
    }
}

impl Disk for Forgetful {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.0.lock().unwrap();
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let place = state.files.len();
        state.files.push(Content::default());
        state.names.insert(name.to_owned(), place);
        Ok(Arc::new(File { disk: self.clone(), place }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let place = *self.0.lock().unwrap().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(File { disk: self.clone(), place }))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().unwrap().names.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().unwrap().names.remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        spend(&mut state.syncs)?;
        state.synced_names = state.names.clone();
        Ok(())
    }
}

impl DiskFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock().unwrap();
        let written = match spend(&mut state.writes) {
            Ok(()) => bytes.len().min(state.room.unwrap_or(usize::MAX)),
            // A write that fails may have begun.
            Err(_) => bytes.len() / 2,
        };
        let failed = written < bytes.len();
        if let Some(room) = &mut state.room {
            *room -= written;
        }
        let live = &mut state.files[self.place].live;
        let end = offset as usize + written;
        live.resize(live.len().max(end), 0);
        live[offset as usize..end].copy_from_slice(&bytes[..written]);
        if failed { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.0.lock().unwrap();
        let live = &state.files[self.place].live;
        let rest = live.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().unwrap().files[self.place].live.len() as u64)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.disk.0.lock().unwrap().files[self.place].live.truncate(length as usize);
        Ok(())
    }

    fn reserve(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock().unwrap();
        spend(&mut state.syncs)?;
        let file = &mut state.files[self.place];
        file.synced = file.live.clone();
        Ok(())
    }
}
