//! Floor H: the same span appended to a buffer by hand, with two looks at the clock, and never exported.
//!
//! It has the peers' fourteen attributes and none of our own stamps; no queue, no thread, no sampling, no context.

use crate::support::calls::measure::Scenario;
use crate::support::calls::payload;

const BUFFER: usize = 384 << 10;

pub struct Floor {
    out: Vec<u8>,
    ids: u64,
}

impl Floor {
    pub fn new() -> Self {
        Self { out: Vec::with_capacity(BUFFER + 4096), ids: 0x9e37_79b9_7f4a_7c15 }
    }

    fn random(&mut self) -> u64 {
        self.ids ^= self.ids << 13;
        self.ids ^= self.ids >> 7;
        self.ids ^= self.ids << 17;
        self.ids
    }

    fn span(&mut self) {
        if self.out.len() > BUFFER {
            self.out.clear();
        }
        let [high, low, span] = [self.random(), self.random(), self.random()];
        let started = now();
        let out = &mut self.out;
        let frame = out.len();
        out.extend_from_slice(&[0x12, 0, 0, 0x0a, 16]);
        out.extend_from_slice(&high.to_le_bytes());
        out.extend_from_slice(&low.to_le_bytes());
        out.extend_from_slice(&[0x12, 8]);
        out.extend_from_slice(&span.to_le_bytes());
        out.extend_from_slice(&[0x2a, 4]);
        out.extend_from_slice(b"chat");
        out.extend_from_slice(&[0x30, 3, 0x39]);
        out.extend_from_slice(&started.to_le_bytes());
        text(out, "gen_ai.operation.name", "chat");
        text(out, "gen_ai.provider.name", payload::PROVIDER);
        text(out, "gen_ai.request.model", payload::MODEL);
        text(out, "server.address", payload::ADDRESS);
        int(out, "server.port", u64::from(payload::PORT));
        double(out, "gen_ai.request.temperature", payload::TEMPERATURE);
        double(out, "gen_ai.request.top_p", payload::TOP_P);
        int(out, "gen_ai.request.max_tokens", u64::from(payload::MAX_TOKENS));
        text(out, "gen_ai.response.id", payload::RESPONSE_ID);
        text(out, "gen_ai.response.model", payload::RESPONSE_MODEL);
        text(out, "gen_ai.response.finish_reasons", payload::FINISH_REASON);
        int(out, "gen_ai.usage.input_tokens", payload::INPUT_TOKENS);
        int(out, "gen_ai.usage.output_tokens", payload::OUTPUT_TOKENS);
        int(out, "gen_ai.usage.cache_read.input_tokens", payload::CACHED_TOKENS);
        out.push(0x41);
        out.extend_from_slice(&now().to_le_bytes());
        let length = out.len() - frame - 3;
        out[frame + 1] = (length & 0x7f | 0x80) as u8;
        out[frame + 2] = (length >> 7) as u8;
    }
}

impl Scenario for Floor {
    fn burst(&mut self, calls: usize) {
        for _ in 0..calls {
            self.span();
            std::hint::black_box(self.out.last());
        }
    }

    fn flush(&mut self) {}
}

#[allow(clippy::disallowed_methods)]
fn now() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since_epoch.as_nanos() as u64
}

fn start(out: &mut Vec<u8>, name: &str, value: usize) {
    out.extend_from_slice(&[0x4a, (name.len() + 4 + value) as u8, 0x0a, name.len() as u8]);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&[0x12, value as u8]);
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    start(out, name, value.len() + 2);
    out.extend_from_slice(&[0x0a, value.len() as u8]);
    out.extend_from_slice(value.as_bytes());
}

fn int(out: &mut Vec<u8>, name: &str, value: u64) {
    // Two bytes hold all that is written here.
    start(out, name, 3);
    out.extend_from_slice(&[0x18, (value & 0x7f | 0x80) as u8, (value >> 7) as u8]);
}

fn double(out: &mut Vec<u8>, name: &str, value: f64) {
    start(out, name, 9);
    out.push(0x21);
    out.extend_from_slice(&value.to_le_bytes());
}
