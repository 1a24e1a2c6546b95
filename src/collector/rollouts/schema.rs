//! Which field stands for which: `proto/veilspan/v1/rollout_service.proto`.

use crate::reduce::proto::Kind::{Bool, Int, Many, One, Text, Texts, Uint, Uints};
use crate::reduce::proto::{ROLLOUT, Schema, TOTALS, field};

pub(super) static LIST_REQUEST: Schema = Schema {
    name: "ListRolloutsRequest",
    fields: &[field(1, "page_size", Uint), field(2, "page_token", Text), field(3, "source", Text)],
};

pub(super) static LIST_RESPONSE: Schema = Schema {
    name: "ListRolloutsResponse",
    fields: &[field(1, "rollouts", Many(&SUMMARY)), field(2, "next_page_token", Text)],
};

static SUMMARY: Schema = Schema {
    name: "RolloutSummary",
    fields: &[
        field(1, "tenant", Text),
        field(2, "rollout", Text),
        field(3, "generation", Uint),
        field(4, "source", Text),
        field(5, "closed", Text),
        field(6, "outcome", Text),
        field(7, "agent", Text),
        field(8, "started_unix_nano", Uint),
        field(9, "last_unix_nano", Uint),
        field(10, "totals", One(&TOTALS)),
        field(11, "findings", Uint),
    ],
};

pub(super) static GET_REQUEST: Schema = Schema {
    name: "GetRolloutRequest",
    fields: &[
        field(1, "tenant", Text),
        field(2, "rollout", Text),
        field(3, "generation", Uint),
        field(4, "source", Text),
    ],
};

pub(super) static GET_RESPONSE: Schema =
    Schema { name: "GetRolloutResponse", fields: &[field(1, "rollout", One(&ROLLOUT)), field(2, "source", Text)] };

pub(super) static RESTORE_REQUEST: Schema = Schema {
    name: "RestoreRolloutRequest",
    fields: &[
        field(1, "tenant", Text),
        field(2, "rollout", Text),
        field(3, "at", Text),
        field(4, "replay_events", Bool),
        field(5, "track_drift", Bool),
        field(6, "baseline", Text),
        field(7, "source", Text),
    ],
};

pub(super) static RESTORE_RESPONSE: Schema = Schema {
    name: "RestoreRolloutResponse",
    fields: &[
        field(1, "state", One(&STATE)),
        field(2, "replayed_events_count", Uint),
        field(3, "drift_detected", Bool),
        field(4, "drift", One(&DRIFT)),
        field(5, "source", Text),
    ],
};

pub(super) static DIFF_REQUEST: Schema = Schema {
    name: "DiffRolloutsRequest",
    fields: &[
        field(1, "tenant", Text),
        field(2, "baseline", Text),
        field(3, "candidate", Text),
        field(4, "source", Text),
        field(5, "page_size", Uint),
        field(6, "page_token", Text),
    ],
};

pub(super) static DIFF_RESPONSE: Schema = Schema {
    name: "DiffRolloutsResponse",
    fields: &[field(1, "drift", One(&DRIFT)), field(2, "next_page_token", Text)],
};

static STATE: Schema = Schema {
    name: "RestoredState",
    fields: &[
        field(1, "tenant", Text),
        field(2, "rollout", Text),
        field(3, "thread", Text),
        field(4, "turn", Text),
        field(5, "trace", Text),
        field(6, "span", Text),
        field(7, "checkpoint", Text),
        field(8, "framework", Text),
        field(9, "label", Text),
        field(10, "agent", Text),
        field(11, "cut", Text),
        field(12, "content", Text),
        field(13, "system", Text),
        field(14, "messages", Texts),
        field(15, "items", Many(&ITEM)),
        field(16, "open", Many(&OPEN_CALL)),
        field(17, "input_tokens", Int),
        field(18, "output_tokens", Int),
        field(19, "data", One(&AGENT_DATA)),
    ],
};

static AGENT_DATA: Schema = Schema {
    name: "AgentData",
    fields: &[field(1, "digest", Text), field(2, "length", Uint), field(3, "content", Text), field(4, "value", Text)],
};

static ITEM: Schema = Schema {
    name: "RestoredItem",
    fields: &[field(1, "role", Text), field(2, "digest", Text), field(3, "length", Uint), field(4, "parts", Text)],
};

static OPEN_CALL: Schema = Schema {
    name: "OpenCall",
    fields: &[
        field(1, "kind", Text),
        field(2, "tool", Text),
        field(3, "call_id", Text),
        field(4, "began_unix_nano", Uint),
    ],
};

static DRIFT: Schema = Schema {
    name: "Drift",
    fields: &[
        field(1, "verdict", Text),
        field(2, "unsure", Texts),
        field(3, "baseline", One(&COMPARED)),
        field(4, "candidate", One(&COMPARED)),
        field(5, "differences", Many(&DIFFERENCE)),
        field(6, "differences_count", Uint),
        field(7, "first_divergence", Uint),
        field(8, "resync", One(&RESYNC)),
        field(9, "affected", Uint),
        field(10, "reordered", Uint),
        field(11, "not_comparable", Uint),
        field(12, "pending", Uint),
        field(13, "approximate", Bool),
    ],
};

static COMPARED: Schema = Schema { name: "ComparedRun", fields: &[field(1, "rollout", Text), field(2, "steps", Uint)] };

static DIFFERENCE: Schema = Schema {
    name: "Difference",
    fields: &[
        field(1, "kind", Text),
        field(2, "parameter", Text),
        field(3, "severity", Text),
        field(4, "step", Text),
        field(5, "name", Text),
        field(6, "expected", Text),
        field(7, "actual", Text),
        field(8, "baseline", One(&PLACE)),
        field(9, "candidate", One(&PLACE)),
        field(10, "position", Uints),
        field(11, "steps", Uint),
        field(12, "input", Text),
        field(13, "since", Uint),
        field(14, "intended", Text),
    ],
};

static PLACE: Schema = Schema {
    name: "StepPlace",
    fields: &[
        field(1, "thread", Text),
        field(2, "turn", Text),
        field(3, "trace", Text),
        field(4, "span", Text),
        field(5, "number", Uint),
    ],
};

static RESYNC: Schema =
    Schema { name: "Resync", fields: &[field(1, "baseline", One(&PLACE)), field(2, "candidate", One(&PLACE))] };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reduce::proto::tests::assert_declared;

    #[test]
    fn the_proto_file_of_the_service_is_the_table() {
        let proto = include_str!("../../../proto/veilspan/v1/rollout_service.proto");
        let questions = [&LIST_REQUEST, &GET_REQUEST, &RESTORE_REQUEST, &DIFF_REQUEST];
        let answers = [&LIST_RESPONSE, &GET_RESPONSE, &RESTORE_RESPONSE, &DIFF_RESPONSE];
        assert_declared(proto, questions.into_iter().chain(answers).collect(), &[]);
        for method in ["ListRollouts", "GetRollout", "RestoreRollout", "DiffRollouts"] {
            assert!(proto.contains(&format!("rpc {method}({method}Request) returns ({method}Response);")), "{method}");
        }
    }
}
