//! Keys of model providers and of what is built around models.

use super::{Spec, key, run};

pub(super) const RULES: &[Spec] = &[
    key("anthropic-key", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_-]{20,}"),
    key("openrouter-key", &["sk-or-"], r"sk-or-(?:v\d+-)?[A-Za-z0-9_-]{20,}"),
    key("langfuse-key", &["sk-lf-"], r"sk-lf-[0-9a-f]{8}-[0-9a-f-]{27,}"),
    run(
        "openai-key",
        &["sk-"],
        r"sk-(?:(?:proj|svcacct|service|admin|None|user)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,}\b|[A-Za-z0-9]{2,12}-[A-Za-z0-9_-]{32,})",
    ),
    key("openai-key", &["sess-"], r"sess-[A-Za-z0-9]{40}\b"),
    key("groq-key", &["gsk_"], r"gsk_[A-Za-z0-9]{40,}"),
    key("xai-key", &["xai-"], r"xai-[A-Za-z0-9]{60,}"),
    key("perplexity-key", &["pplx-"], r"pplx-[A-Za-z0-9]{32,}"),
    run("replicate-token", &["r8_"], r"r8_[A-Za-z0-9]{37,}"),
    run("huggingface-token", &["hf_", "api_org_"], r"(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    run("fireworks-key", &["fw_"], r"fw_[A-Za-z0-9]{22,}\b"),
    key("nvidia-key", &["nvapi-"], r"nvapi-[A-Za-z0-9_-]{40,}"),
    key("cerebras-key", &["csk-"], r"csk-[A-Za-z0-9]{40,}"),
    key("langsmith-key", &["lsv2_", "ls__"], r"(?:lsv2_[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{8,}|ls__[0-9a-f]{32})"),
    key("pinecone-key", &["pcsk_"], r"pcsk_[A-Za-z0-9_]{30,}"),
    key("tavily-key", &["tvly-"], r"tvly-[A-Za-z0-9_-]{20,}"),
    key("jina-key", &["jina_"], r"jina_[A-Za-z0-9_-]{40,}"),
    run("voyage-key", &["pa-"], r"pa-[A-Za-z0-9_-]{43}\b"),
    run("firecrawl-key", &["fc-"], r"fc-[0-9a-f]{32}\b"),
    run("elevenlabs-key", &["sk_"], r"sk_[0-9a-f]{48}\b"),
    key("wandb-key", &["wandb_v1_"], r"wandb_v1_[A-Za-z0-9_]{40,}"),
    key(
        "bedrock-key",
        &["ABSK", "bedrock-api-key-"],
        r"(?:ABSK[A-Za-z0-9+/]{60,}={0,2}|bedrock-api-key-[A-Za-z0-9+/=]{40,})",
    ),
    key("together-key", &["tgp_v1_"], r"tgp_v1_[A-Za-z0-9_-]{40,}"),
    run("nomic-key", &["nk-"], r"nk-[A-Za-z0-9_-]{43}\b"),
    key("anyscale-key", &["esecret_"], r"esecret_[A-Za-z0-9]{20,}"),
    key("apify-token", &["apify_api_"], r"apify_api_[A-Za-z0-9]{30,}"),
    key("e2b-key", &["e2b_"], r"e2b_[0-9a-f]{40}\b"),
    run("mem0-key", &["m0-"], r"m0-[A-Za-z0-9]{40}\b"),
    key("helicone-key", &["pk-helicone-", "sk-helicone-"], r"[sp]k-helicone-[a-z0-9-]{20,}"),
    key("laminar-key", &["lmnr_"], r"lmnr_[A-Za-z0-9_-]{32,}"),
];
