//! What is answered: JSON by the names of the tables.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tonic::Status;

use super::Rollouts;
use super::ask::{Ask, Source};
use crate::reduce::{Rollout, RolloutKey, derive};
use crate::replay::{Report, Run, diff};

/// The most rollouts of a page, and the most differences.
const PAGE: usize = 100;
pub(super) const DIFFERENCES: usize = 1_000;

impl Rollouts {
    pub(super) fn list(&self, ask: &Ask, deadline: Instant) -> Result<Value, Status> {
        let most = ask.page_size(PAGE);
        let token = ask.text("page_token").map(Token::read).transpose()?;
        let (graphs, next, source) = match ask.source()?.unwrap_or(Source::Live) {
            Source::Live => {
                let (facts, next) = self.live_after(token.map(|token| (token.pipeline, token.key)), most);
                (facts.iter().map(derive).collect(), next, Source::Live)
            }
            Source::Recorded => {
                let all = self.recorded(None, deadline)?.into_iter();
                let mut rest = all.filter(|graph| token.as_ref().is_none_or(|token| key_of(graph) > token.key));
                let page: Vec<Rollout> = rest.by_ref().take(most).collect();
                let last = page.last().map(|last| (0, key_of(last)));
                (page, last.filter(|_| rest.next().is_some()), Source::Recorded)
            }
        };
        let rollouts: Vec<Value> = graphs.iter().map(|graph| summary(graph, source)).collect();
        let next = next.map(|(pipeline, key)| Token { pipeline, key }.write());
        Ok(without_nulls(json!({"rollouts": rollouts, "next_page_token": next})))
    }

    pub(super) fn get(&self, ask: &Ask, deadline: Instant) -> Result<Value, Status> {
        let (graph, source) = self.find(&ask.rollout("rollout")?, ask, deadline)?;
        Ok(json!({"rollout": graph.to_json(), "source": source.as_str()}))
    }

    pub(super) fn diff(&self, ask: &Ask, deadline: Instant) -> Result<Value, Status> {
        let run = |name| {
            let run = self.run(&ask.rollout(name)?, ask, deadline)?;
            run.ok_or_else(|| Status::not_found(format!("there is no rollout that `{name}` names")))
        };
        let (baseline, candidate) = (run("baseline")?, run("candidate")?);
        let from = match ask.text("page_token") {
            Some(token) => token.parse().map_err(|_| no_token())?,
            None => 0,
        };
        let (report, most) = (diff(&baseline, &candidate), ask.page_size(DIFFERENCES));
        let next = Some(from + most).filter(|next| *next < report.differences.len());
        let drift = drift(&report, from, most);
        Ok(without_nulls(json!({"drift": drift, "next_page_token": next.map(|next| next.to_string())})))
    }

    pub(super) fn run(&self, key: &RolloutKey, ask: &Ask, deadline: Instant) -> Result<Option<Run>, Status> {
        match self.find(key, ask, deadline) {
            Ok((graph, Source::Live)) => Ok(Some(Run::of(&graph))),
            Ok((graph, Source::Recorded)) => Ok(Some(Run::of_recording(&graph))),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// A rollout, live before recorded where nobody says which.
    fn find(&self, key: &RolloutKey, ask: &Ask, deadline: Instant) -> Result<(Rollout, Source), Status> {
        let source = ask.source()?;
        if source != Some(Source::Recorded)
            && let Some(facts) = self.live(key, ask.number("generation"))
        {
            return Ok((derive(&facts), Source::Live));
        }
        if source != Some(Source::Live)
            && let Some(graph) = self.recorded(Some(key), deadline)?.into_iter().next()
        {
            return Ok((graph, Source::Recorded));
        }
        Err(Status::not_found("there is no such rollout"))
    }
}

fn key_of(graph: &Rollout) -> RolloutKey {
    RolloutKey { tenant: graph.tenant.clone(), rollout: graph.id.clone() }
}

fn summary(graph: &Rollout, source: Source) -> Value {
    let mut all = graph.to_json();
    let mut taken = |name: &str| all.get_mut(name).map(Value::take);
    let mut map = Map::new();
    for name in
        ["tenant", "rollout", "generation", "closed", "outcome", "started_unix_nano", "last_unix_nano", "totals"]
    {
        if let Some(value) = taken(name) {
            map.insert(name.to_owned(), value);
        }
    }
    map.insert("source".to_owned(), source.as_str().into());
    map.insert("agent".to_owned(), graph.agent().map(|agent| Value::from(&**agent)).unwrap_or_default());
    map.insert("findings".to_owned(), graph.findings.len().into());
    map.into()
}

/// The report with some of its differences. Their places among all of them stay as they are.
pub(super) fn drift(report: &Report, from: usize, most: usize) -> Value {
    let mut json = report.to_json();
    let count = report.differences.len();
    if let Some(differences) = json.get_mut("differences").and_then(Value::as_array_mut) {
        *differences = std::mem::take(differences).into_iter().skip(from).take(most).collect();
    }
    if let Some(map) = json.as_object_mut() {
        map.insert("differences_count".to_owned(), count.into());
    }
    json
}

/// What is not known is left out of a message.
pub(super) fn without_nulls(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            let all = std::mem::take(map).into_iter().filter(|(_, value)| !value.is_null());
            *map = all.map(|(name, value)| (name, without_nulls(value))).collect();
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = without_nulls(value.take())),
        _ => {}
    }
    value
}

/// Behind which rollout a page begins.
struct Token {
    pipeline: usize,
    key: RolloutKey,
}

impl Token {
    fn write(&self) -> String {
        let RolloutKey { tenant, rollout } = &self.key;
        URL_SAFE_NO_PAD.encode(json!([self.pipeline, tenant.as_deref(), &**rollout]).to_string())
    }

    fn read(text: &str) -> Result<Self, Status> {
        let read = || -> Option<Self> {
            let json = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (pipeline, tenant, rollout): (usize, Option<String>, String) = serde_json::from_slice(&json).ok()?;
            Some(Self { pipeline, key: RolloutKey { tenant: tenant.map(Into::into), rollout: rollout.into() } })
        };
        read().ok_or_else(no_token)
    }
}

fn no_token() -> Status {
    Status::invalid_argument("`page_token` is none that was given here")
}
