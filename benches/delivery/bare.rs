//! The floor: batches that lie ready, sent one after the other by a bare client.

use bytes::Bytes;
use tonic::transport::{Channel, Endpoint};

use crate::support::calls::measure::Scenario;
use crate::support::raw;

const BATCH: usize = 512;
/// What a span of ours takes: payload c and our own stamps.
const SPAN_BYTES: usize = 1700;

pub struct Bare {
    channel: Channel,
    handle: tokio::runtime::Handle,
    batch: Bytes,
    waiting: usize,
}

impl Bare {
    pub fn new(url: &str, runtime: &tokio::runtime::Runtime) -> Self {
        let channel = Endpoint::from_shared(url.to_owned()).expect("an address").connect_lazy();
        let spans: Vec<u8> = (0..BATCH).flat_map(|_| field(2, &[field(1, &[7; SPAN_BYTES])].concat())).collect();
        let batch = Bytes::from(field(1, &field(2, &spans)));
        Self { channel, handle: runtime.handle().clone(), batch, waiting: 0 }
    }
}

impl Scenario for Bare {
    fn burst(&mut self, calls: usize) {
        self.waiting += calls;
    }

    fn flush(&mut self) {
        assert_eq!(self.waiting % BATCH, 0, "whole batches");
        for _ in 0..std::mem::take(&mut self.waiting) / BATCH {
            self.handle.block_on(raw::send(&self.channel, self.batch.clone())).expect("an answer");
        }
    }
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut left = content.len();
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(content);
    out
}
