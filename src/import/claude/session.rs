//! A session: its transcripts' rows and its hooks, in any mixture, as calls.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytestring::ByteString;

use super::agents::{Agents, side_lane};
use super::alone::Alone;
use super::known::Known;
use super::lane::Lane;
use super::own::Own;
use super::row::{ESCAPES, Row};
use super::{alone, answers, ends, late, settle, system, users};
use crate::event::{Message, Role, SpanIds};
use crate::import::hook::{self, Fact};
use crate::import::session::{Aside, AsideReason, Cut, Cutter, Desk, Recent, Set, Tally, Told, Who, blocks, read_line};
use crate::json::{Escapes, Tape};

/// Which transcript a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// The session's own.
    Session,
    /// A sub-agent's, by its id.
    Agent(&'a str),
}

impl<'a> Of<'a> {
    const fn name(self) -> &'a str {
        match self {
            Self::Session => "",
            Self::Agent(agent) => agent,
        }
    }
}

/// Side chains that one session may have.
const MAX_LANES: usize = 4096;

/// Reads a session. What it tells does not depend on how its rows and its hooks are mixed, nor on where the bytes of a file
/// are cut, as long as each file's lines come in order and, where a sub-agent's are to hang under the call that started
/// it, after that call has returned. A call is told once, and what a hook knows of it has to come before: in time, which is
/// `grace` after its row where the clock is told by `now` and `tick`; else before the row.
#[allow(missing_debug_implementations)]
pub struct Session {
    desk: Desk,
    own: Own,
    file: String,
    main: Lane,
    agents: Agents,
    lanes: BTreeMap<String, Lane>,
    /// To which side chain the rows of the session's own transcript belong.
    chains: Recent<String>,
    /// Lines that have begun; the session's own under no name.
    cutters: BTreeMap<String, Cutter>,
    alone: Alone,
}

impl Session {
    /// A session whose transcript has this name, without its ending.
    pub fn new(set: Set, stem: &str) -> Self {
        let desk = Desk::new(set);
        let rollout = desk.label(stem);
        let file = format!("{stem}.jsonl");
        let who = Who {
            thread: rollout.clone(),
            rollout,
            agent: "claude-code".into(),
            provider: "anthropic".into(),
            parent: None,
            file: Some(desk.label(&file)),
        };
        let main = Lane::new(&desk, who);
        Self {
            desk,
            own: Own::of(stem),
            file,
            main,
            agents: Agents::new(),
            lanes: BTreeMap::new(),
            chains: Recent::new(1 << 14),
            cutters: BTreeMap::new(),
            alone: Alone::default(),
        }
    }

    /// Rows of these names ([`row_name`](super::row_name)) were made in another session, whose own transcript tells of them:
    /// in this one's they are history. To be said before the first row.
    pub fn copies(&mut self, names: HashSet<u128>) {
        self.own.copied = names;
    }

    /// The sessions of these ids have transcripts of their own, which tell of their rows wherever they stand. To be said
    /// before the first row.
    pub fn stands_beside(&mut self, sessions: Arc<HashSet<String>>) {
        self.own.beside = sessions;
    }

    /// Takes a portion of a transcript, cut anywhere.
    pub fn feed(&mut self, of: Of<'_>, portion: &[u8]) {
        let (mut cutter, mut tape) =
            (self.cutters.remove(of.name()).unwrap_or_default(), std::mem::take(&mut self.desk.tape));
        cutter.feed(portion, |number, cut| self.line(of, &mut tape, number, &cut, false));
        self.desk.tape = tape;
        self.cutters.insert(of.name().to_owned(), cutter);
    }

    /// A transcript ends here: its last line may have no end. Where `is_over` is not set the file may still grow, and a line
    /// that is not whole is one that is being written.
    pub fn end_of_file(&mut self, of: Of<'_>, is_over: bool) {
        let Some(mut cutter) = self.cutters.remove(of.name()) else { return };
        let mut tape = Tape::default();
        cutter.finish(|number, cut| match &cut {
            Cut::Line(line) if !is_over && read_line(&mut tape, line, Escapes::Left, |_| ()).is_err() => {
                self.desk.tally.torn += 1
            }
            _ => self.line(of, &mut tape, number, &cut, true),
        });
    }

    /// Takes a line of a transcript.
    fn line(&mut self, of: Of<'_>, tape: &mut Tape, number: u64, cut: &Cut<'_>, is_last: bool) {
        let read = match cut {
            Cut::Oversize => Err(AsideReason::Oversize),
            Cut::Line(line) => read_line(tape, line, ESCAPES, |row| self.row(of, &Row::of(row), line)),
        };
        if let Err(reason) = read {
            let reason = if is_last && reason == AsideReason::NotJson { AsideReason::Truncated } else { reason };
            self.aside(of, number, reason);
        }
    }

    /// Sets a place of a transcript aside.
    pub fn aside(&mut self, of: Of<'_>, number: u64, reason: AsideReason) {
        let file = match of {
            Of::Session => self.file.clone(),
            Of::Agent(agent) => format!("agent-{agent}.jsonl"),
        };
        self.desk.aside(self.main.thread.scope(), &file, number, reason);
    }

    /// Takes what a hook told, as the journal has it.
    pub fn fact(&mut self, fact: Fact) {
        self.desk.tally.rows += 1;
        let fact = fact.under(&self.desk.set.policy);
        self.agents.hooks.absorb(fact, !self.main.has_rows);
    }

    /// Takes what a hook told, as the agent wrote it. Whether it was one.
    pub fn hook(&mut self, payload: &[u8], name: Option<&str>, time_unix_nano: u64) -> bool {
        let fact = hook::read(payload, name, time_unix_nano, &self.desk.set.policy);
        fact.map(|fact| self.fact(fact)).is_some()
    }

    /// Before the first row: which turns that hooks told of were sent under the names that they have without a transcript.
    /// `was_sent` says it of a rollout and a span. `transcript` gives the lines of the session's own, in which the prompt is
    /// looked for that hooks did not tell of.
    ///
    /// # Errors
    ///
    /// Those of `was_sent`.
    pub(crate) fn recall<E, L: Iterator<Item = Vec<u8>>>(
        &mut self,
        was_sent: impl FnMut(&ByteString, SpanIds) -> Result<bool, E>,
        transcript: impl FnOnce() -> Option<L>,
    ) -> Result<(), E> {
        let Self { desk, agents, main, own, .. } = self;
        if main.has_rows {
            return Ok(());
        }
        agents.sent = Known::of(&agents.hooks.facts, (&main.thread, desk), was_sent)?;
        if let Some(before) = agents.sent.unprompted()
            && let Some(lines) = transcript()
        {
            let prompt = users::last_prompt(lines, &mut desk.tape, (own.id.as_deref(), before));
            prompt.into_iter().for_each(|at| agents.sent.prompted(at));
        }
        Ok(())
    }

    /// Whether it is known which call started a sub-agent.
    pub fn knows_agent(&self, agent: &str) -> bool {
        let by_hook = || self.agents.by_hook(agent, self.lanes.values().chain([&self.main]));
        self.agents.get(agent).is_some() || by_hook().is_some()
    }

    /// What is taken from now on is read at this time of the host's clock.
    pub const fn now(&mut self, unix_nanos: u64) {
        self.desk.clock = unix_nanos;
    }

    /// The host's clock stands here: what ended long ago is told.
    pub fn tick(&mut self, unix_nanos: u64) {
        self.desk.clock = unix_nanos;
        let Self { desk, main, agents, lanes, .. } = self;
        ends::tick(main, desk, agents);
        lanes.values_mut().for_each(|lane| ends::tick(lane, desk, agents));
        let grace = desk.set.grace;
        settle::rest_of_ended(desk, agents, (main, lanes), (unix_nanos, grace));
    }

    /// Nothing comes any more: what is open ends.
    pub fn finish(&mut self) {
        self.tell_alone();
        let Self { desk, main, agents, lanes, .. } = self;
        lanes.values_mut().chain([&mut *main]).for_each(|lane| late::take(lane, desk, agents));
        for lane in lanes.values_mut() {
            ends::end_turn(lane, desk, agents, u64::MAX);
        }
        ends::end_turn(main, desk, agents, u64::MAX);
        settle::rest(desk, agents, |_, _, _| true);
        desk.tally.over_bound += std::mem::take(&mut agents.hooks.forgotten);
    }

    /// Nothing more is there for now, and more may come: what is complete is told, and what is open is not. What belongs to
    /// a turn may come `grace` nanoseconds after it seemed to have ended. Gives the number of turns that are left open.
    pub fn leave(&mut self, unix_nanos: u64, grace: u64) -> u64 {
        if self.has_ended() {
            self.finish();
            return 0;
        }
        self.tell_alone();
        let Self { desk, main, agents, lanes, .. } = self;
        let mut open = 0;
        for lane in lanes.values_mut().chain([&mut *main]) {
            open += u64::from(ends::leave(lane, desk, agents, unix_nanos, grace));
        }
        settle::rest_of_ended(desk, agents, (main, lanes), (unix_nanos, grace));
        desk.tally.over_bound += std::mem::take(&mut agents.hooks.forgotten);
        open
    }

    /// Whether a hook said that the session has ended, and nothing was made in it since.
    pub fn has_ended(&self) -> bool {
        self.agents.hooks.session_has_ended(self.main.time)
    }

    /// Whether a turn still runs, as far as transcripts and hooks were read.
    pub fn is_open(&mut self, unix_nanos: u64, grace: u64) -> bool {
        let has_ended = self.has_ended();
        let Self { desk, main, agents, lanes, .. } = self;
        for lane in lanes.values_mut().chain([main]) {
            late::take_due(lane, desk, agents, unix_nanos, grace);
            ends::notice(lane, desk, agents);
        }
        let is_whole = |lane: &Lane| lane.held.is_empty() && lane.thread.is_whole(unix_nanos, grace);
        !(has_ended || is_whole(&self.main) && self.lanes.values().all(is_whole))
    }

    /// There is no transcript: what its hooks told so far is all that is known of the session.
    pub fn tell_alone(&mut self) {
        if !self.main.has_rows {
            alone::tell(&mut self.alone, &mut self.main, &mut self.desk, &mut self.agents);
        }
    }

    /// What has been read so far.
    pub fn tally(&self) -> Tally {
        self.desk.tally
    }

    /// What was set aside since this was asked last.
    pub fn take_asides(&mut self) -> Vec<Aside> {
        std::mem::take(&mut self.desk.asides)
    }

    /// The next thing that it tells.
    pub fn next_told(&mut self) -> Option<Told> {
        self.desk.next()
    }

    fn row(&mut self, of: Of<'_>, row: &Row<'_>, line: &[u8]) {
        self.desk.tally.rows += 1;
        let side = match of {
            Of::Agent(agent) => Some(agent.to_owned()),
            Of::Session => self.side_chain(row),
        };
        let is_own = self.own.has_made(of, row);
        let Self { desk, main, agents, lanes, .. } = self;
        let lane = match &side {
            Some(agent) => {
                if !lanes.contains_key(agent) {
                    if lanes.len() >= MAX_LANES {
                        desk.tally.over_bound += 1;
                        return;
                    }
                    let lane = side_lane(desk, (main, lanes), agents, agent, row);
                    lanes.insert(agent.clone(), lane);
                }
                let Some(lane) = lanes.get_mut(agent) else { return };
                lane
            }
            None => main,
        };
        lane.has_rows = true;
        if side.is_none() {
            agents.hooks.facts = Vec::new();
        }
        let at = lane.time_of(row);
        if !late::hold(lane, desk, agents, (row, line, at), is_own) {
            take(lane, desk, agents, row, (at, is_own));
        }
    }

    /// The side chain that a row of the session's own transcript belongs to.
    fn side_chain(&mut self, row: &Row<'_>) -> Option<String> {
        if !row.is_sidechain {
            return None;
        }
        let known = row.parent.and_then(|parent| self.chains.get(parent)).cloned();
        let chain = row.agent.map(str::to_owned).or(known).or_else(|| row.uuid.map(str::to_owned))?;
        row.uuid.map(|uuid| self.chains.set(uuid, chain.clone()));
        Some(chain)
    }
}

/// Takes a row of a lane, made at this time; with whether this session made it.
pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, (at, is_own): (u64, bool)) {
    let is_again = lane.is_again(row);
    if !is_own {
        desk.tally.replayed += 1;
        if !is_again {
            replay(lane, row);
        }
        return;
    }
    // Of an answer a row may stand again that has grown.
    if is_again && row.kind != "assistant" {
        return;
    }
    // What a file opens with often has no time, and holds nothing of a call.
    if at > 0 || !KNOWN.contains(&row.kind) {
        lane.thread.begin(desk, at, Vec::new());
    }
    match row.kind {
        "user" => users::take(lane, desk, agents, row, at),
        "assistant" => answers::take(lane, desk, agents, row, (at, is_again)),
        "system" => {
            if !system::take(lane, desk, agents, row, at) {
                desk.unknown(lane.thread.scope(), at, row.subtype);
            }
        }
        "attachment" => users::attached(lane, desk, row, at),
        kind if KNOWN.contains(&kind) => {}
        kind => desk.unknown(lane.thread.scope(), at, if kind.is_empty() { "none" } else { kind }),
    }
    if !is_again {
        lane.note(row.uuid.unwrap_or_default(), row.parent);
    }
    let now = desk.clock;
    settle::release(lane, desk, agents, now);
}

/// Rows that hold nothing of a call.
const KNOWN: [&str; 17] = [
    "agent-name",
    "ai-title",
    "custom-title",
    "file-history-snapshot",
    "last-prompt",
    "mode",
    "permission-mode",
    "pr-link",
    "progress",
    "queue-operation",
    "summary",
    "tag",
    "worktree-state",
    "content-replacement",
    "marble-origami-commit",
    "speculation-accept",
    "task-summary",
];

/// A row that another file tells is part of the history, and no call.
fn replay(lane: &mut Lane, row: &Row<'_>) {
    let Some(content) = row.content else { return };
    let role = Role::from_word(row.kind);
    lane.thread.hear(Message { role, parts: blocks(content) });
    lane.note(row.uuid.unwrap_or_default(), row.parent);
}
