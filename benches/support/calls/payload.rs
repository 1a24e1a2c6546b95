//! What is recorded: one model request, eight attributes when it starts and six when it has answered.

pub const PROVIDER: &str = "openai";
pub const MODEL: &str = "gpt-4.1-2026-04-14";
pub const ADDRESS: &str = "api.openai.com";
pub const PORT: u16 = 443;
pub const TEMPERATURE: f64 = 0.7;
pub const TOP_P: f64 = 0.95;
pub const MAX_TOKENS: u32 = 4096;

pub const RESPONSE_ID: &str = "chatcmpl-9f1c2b7e5d6a4c0e8b3f7a1d2c4e6f80";
pub const RESPONSE_MODEL: &str = "gpt-4.1-2026-04-14";
pub const FINISH_REASON: &str = "stop";
pub const INPUT_TOKENS: u64 = 1834;
pub const OUTPUT_TOKENS: u64 = 412;
pub const CACHED_TOKENS: u64 = 1024;

const PROMPT_BYTES: usize = 4 << 10;
const COMPLETION_BYTES: usize = 2 << 10;
/// What a peer that hashes keeps of a text besides the digest.
pub const PREVIEW_CHARS: usize = 256;

/// What is said, where content is recorded at all.
pub struct Content {
    pub prompt: String,
    pub completion: String,
}

impl Content {
    pub fn new() -> Self {
        Self { prompt: words(PROMPT_BYTES), completion: words(COMPLETION_BYTES) }
    }
}

fn words(bytes: usize) -> String {
    let words = "let total = the sum of all rows where status is open and the owner has not answered; ";
    words.chars().cycle().take(bytes).collect()
}
