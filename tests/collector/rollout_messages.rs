//! The messages of `RolloutService` as another program has them from the `.proto` file.

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListRequest {
    #[prost(uint64, optional, tag = "1")]
    pub page_size: Option<u64>,
    #[prost(string, optional, tag = "2")]
    pub page_token: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub source: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListResponse {
    #[prost(message, repeated, tag = "1")]
    pub rollouts: Vec<Summary>,
    #[prost(string, optional, tag = "2")]
    pub next_page_token: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Summary {
    #[prost(string, optional, tag = "2")]
    pub rollout: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub source: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub agent: Option<String>,
    #[prost(message, optional, tag = "10")]
    pub totals: Option<Totals>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Totals {
    #[prost(uint64, optional, tag = "1")]
    pub turns: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub tool_calls: Option<u64>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetRequest {
    #[prost(string, optional, tag = "2")]
    pub rollout: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub source: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetResponse {
    #[prost(bytes, optional, tag = "1")]
    pub rollout: Option<Vec<u8>>,
    #[prost(string, optional, tag = "2")]
    pub source: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct RestoreRequest {
    #[prost(string, optional, tag = "2")]
    pub rollout: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub at: Option<String>,
    #[prost(bool, optional, tag = "4")]
    pub replay_events: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub track_drift: Option<bool>,
    #[prost(string, optional, tag = "6")]
    pub baseline: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub source: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct RestoreResponse {
    #[prost(message, optional, tag = "1")]
    pub state: Option<State>,
    #[prost(uint64, optional, tag = "2")]
    pub replayed_events_count: Option<u64>,
    #[prost(bool, optional, tag = "3")]
    pub drift_detected: Option<bool>,
    #[prost(message, optional, tag = "4")]
    pub drift: Option<Drift>,
    #[prost(string, optional, tag = "5")]
    pub source: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct State {
    #[prost(string, optional, tag = "2")]
    pub rollout: Option<String>,
    #[prost(string, optional, tag = "12")]
    pub content: Option<String>,
    #[prost(string, repeated, tag = "14")]
    pub messages: Vec<String>,
    #[prost(bytes, repeated, tag = "15")]
    pub items: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "19")]
    pub data: Option<AgentData>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentData {
    #[prost(string, optional, tag = "1")]
    pub digest: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub content: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub value: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct DiffRequest {
    #[prost(string, optional, tag = "2")]
    pub baseline: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub candidate: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub source: Option<String>,
    #[prost(uint64, optional, tag = "5")]
    pub page_size: Option<u64>,
    #[prost(string, optional, tag = "6")]
    pub page_token: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct DiffResponse {
    #[prost(message, optional, tag = "1")]
    pub drift: Option<Drift>,
    #[prost(string, optional, tag = "2")]
    pub next_page_token: Option<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Drift {
    #[prost(string, optional, tag = "1")]
    pub verdict: Option<String>,
    #[prost(string, repeated, tag = "2")]
    pub unsure: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    pub differences: Vec<Difference>,
    #[prost(uint64, optional, tag = "6")]
    pub differences_count: Option<u64>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Difference {
    #[prost(string, optional, tag = "1")]
    pub kind: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub name: Option<String>,
    #[prost(uint64, repeated, tag = "10")]
    pub position: Vec<u64>,
}
