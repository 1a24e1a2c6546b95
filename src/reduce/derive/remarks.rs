//! What was told of the rollout and its threads, which are no calls.

use std::collections::BTreeMap;

use bytestring::ByteString;

use crate::event::{At, Outcome, Statement, Subject};
use crate::reduce::facts::{Reading, Remark};
use crate::reduce::graph::{Evidence, Quarantined, Thread};
use crate::semconv::{
    AGENT_NICKNAME, AGENT_PATH, AGENT_ROLE, AGENT_TASK, EVIDENCE_KIND, EVIDENCE_REF, OPERATION_ID, PARENT_THREAD_ID,
    REQUEST_MODEL, ROOT_THREAD_ID,
};

/// All of it, sorted.
#[derive(Default)]
pub(super) struct Remarks {
    pub(super) threads: BTreeMap<ByteString, Thread>,
    pub(super) root: Option<ByteString>,
    pub(super) recording: Option<ByteString>,
    pub(super) began_at: Option<At>,
    pub(super) ended: Option<(At, Option<Outcome>)>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) quarantine: Vec<Quarantined>,
    /// Kinds of events that this version does not know, and how many there were of each.
    pub(super) unknown: BTreeMap<ByteString, u64>,
}

pub(super) fn derive(facts: &Reading<'_>) -> Remarks {
    let mut remarks = Remarks::default();
    let mut all: Vec<_> = facts.remarks().collect();
    let order = |remark: &Remark| match remark {
        Remark::Stated { subject, statement, attrs } => (0, Some((*subject, *statement, attrs.clone())), None),
        Remark::Unknown { name } => (1, None, Some((name.clone(), ByteString::new()))),
        Remark::Quarantined { place, reason } => (2, None, Some((place.clone(), reason.clone()))),
    };
    all.sort_by_cached_key(|told| (told.at, told.key, told.thread.clone(), order(&told.remark)));
    for told in all {
        match told.remark {
            Remark::Unknown { name } => *remarks.unknown.entry(name).or_default() += 1,
            Remark::Quarantined { place, reason } => remarks.quarantine.push(Quarantined { place, reason }),
            Remark::Stated { subject: Subject::Rollout, statement, attrs } => match statement {
                Statement::Began => {
                    remarks.began_at = remarks.began_at.or(Some(told.at));
                    remarks.root = remarks.root.take().or_else(|| attrs.get(ROOT_THREAD_ID));
                    remarks.recording = remarks.recording.take().or_else(|| attrs.get(OPERATION_ID));
                }
                // The first end counts.
                Statement::Ended(outcome) => remarks.ended = remarks.ended.or(Some((told.at, outcome))),
                Statement::Evidence => {
                    if let Some(reference) = attrs.get(EVIDENCE_REF) {
                        let kind = attrs.get(EVIDENCE_KIND);
                        remarks.evidence.push(Evidence { at: told.at, reference, kind });
                    }
                }
            },
            Remark::Stated { subject: Subject::Thread, statement, attrs } => {
                let thread = remarks.threads.entry(told.thread).or_default();
                match statement {
                    Statement::Began => {
                        thread.started_at = thread.started_at.or(Some(told.at));
                        let agent = &mut thread.agent;
                        for (place, attr) in [
                            (&mut agent.path, AGENT_PATH),
                            (&mut agent.nickname, AGENT_NICKNAME),
                            (&mut agent.role, AGENT_ROLE),
                            (&mut agent.task, AGENT_TASK),
                            (&mut agent.model, REQUEST_MODEL),
                            (&mut agent.parent, PARENT_THREAD_ID),
                        ] {
                            *place = place.take().or_else(|| attrs.get(attr));
                        }
                    }
                    Statement::Ended(outcome) if thread.ended_at.is_none() => {
                        thread.ended_at = Some(told.at);
                        thread.outcome = outcome;
                    }
                    Statement::Ended(_) | Statement::Evidence => {}
                }
            }
        }
    }
    remarks.quarantine.sort_unstable();
    remarks.quarantine.dedup();
    remarks
}
