//! The spool of operating systems on which a folder cannot be kept to oneself as it is done here: there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Plan;
use super::error::{Problem, SpoolError};
use crate::event::{Clock, ProducerId};
use crate::export::batch::Batch;
use crate::export::envelope::Envelope;
use crate::export::limits::{Limits, Rank};
use crate::export::outbox::NotTaken;
use crate::export::queue::{Next, Queue};
use crate::intake::{Counters, Drop};

/// Cannot be had.
pub(in crate::export) enum Spool {}

impl Spool {
    pub(in crate::export) fn open(
        _: &Plan<'_>,
        _: Limits,
        _: &Envelope,
        _: ProducerId,
        _: Arc<dyn Clock>,
        _: Arc<Counters>,
    ) -> Result<Self, SpoolError> {
        Err(SpoolError::bare(Problem::Platform))
    }

    pub(in crate::export) fn open_call(&self, _: u128, _: &[u8], _: Rank) -> Result<(), Drop> {
        match *self {}
    }

    pub(in crate::export) fn close_call(&self, _: u128, _: &[u8], _: Rank) -> Result<bool, NotTaken> {
        match *self {}
    }

    pub(in crate::export) fn lose_call(&self, _: u128) {
        match *self {}
    }

    pub(in crate::export) fn commit(&self) -> (bool, bool) {
        match *self {}
    }
}

impl Queue for Spool {
    fn next(&self) -> Next {
        match *self {}
    }

    fn settle(&self, _: &Batch, _: &mut dyn FnMut()) {
        match *self {}
    }

    fn again(&self, _: Vec<Batch>) {
        match *self {}
    }

    fn tend(&self) -> Option<Duration> {
        match *self {}
    }

    fn waiting(&self) -> u64 {
        match *self {}
    }

    fn backlog_bytes(&self) -> u64 {
        match *self {}
    }

    fn hurry(&self, _: bool) {
        match *self {}
    }

    fn calm(&self) {
        match *self {}
    }

    fn is_hurried(&self) -> bool {
        match *self {}
    }

    fn is_abandoned(&self) -> bool {
        match *self {}
    }

    fn wait_for_all(&self, _: Instant) -> bool {
        match *self {}
    }

    fn abandon(&self) -> u64 {
        match *self {}
    }
}
