"""A second run of the agent, in which one tool returns something else, held against the first as it passes the stage."""

from __future__ import annotations

from agent_run import ARRIVAL_SECONDS, AgentRun, await_spans
from jaeger import Jaeger
from process import wait_until, whole_lines
from report import Report
from rollout import Rollout
from stack import EXAMPLES, Stack

CHANGED = "temperature"
DEGREES = 41
RULE = "    # rules:\n    #   - {attribute: gen_ai.agent.name, value: planner, baseline: the rollout's id}\n"


def check(report: Report, stack: Stack, jaeger: Jaeger, played: AgentRun, baseline: Rollout) -> AgentRun:
    """What Jaeger shows on the step that has changed, and nowhere else."""
    name = baseline.turns[0].get("veilspan.rollout.id")
    agent = baseline.turns[0].get("gen_ai.agent.name")
    example = (EXAMPLES / "drift.yaml").read_text()
    report.check("the example has a rule to fill in", RULE in example)
    rule = f"    rules:\n      - {{attribute: gen_ai.agent.name, value: {agent}, baseline: {name}}}\n"
    configuration = stack.workspace.folder("drift") / "drift.yaml"
    configuration.write_text(example.replace(RULE, rule))

    def recorded() -> bool:
        return any("veilspan.rollout.reason" in line for line in whole_lines(stack.recorded))

    wait_until("the first run is recorded", recorded, ARRIVAL_SECONDS)
    before = {span.id for span in jaeger.spans()}
    stage = stack.stage(configuration, "stage-drift")
    again = played.play_again(report, stack, DEGREES)
    await_spans(report, jaeger, "every call of the second run has arrived", played.expected_names() + again.expected_names())
    report.equal("the stage that compares exits with 0 on SIGTERM", stage.stop(), 0)
    await_spans(report, jaeger, "what it has found has arrived", [f"drift {CHANGED}", f"replay {name}"])

    spans = [span for span in jaeger.spans() if span.id not in before]
    told = [(span, event) for span in spans for event in span.events if event.name == "veilspan.finding"]
    steps = [span for span in spans if span.name == f"execute_tool {CHANGED}"]
    if report.equal("there is one finding, on one step", (len(told), len(steps)), (1, 1)):
        (span, event), step = told[0], steps[0]
        report.equal("it stands below the changed step", (span.trace, span.parent), (step.trace, step.id))
        report.equal("it is the tool's result", event.attributes.get("veilspan.finding.kind"), "result")
        report.equal("its input was the same", event.attributes.get("veilspan.finding.input"), "same")
    summaries = [span for span in spans if span.name == f"replay {name}"]
    verdicts = [(span.get("veilspan.replay.verdict"), span.get("veilspan.rollout.findings")) for span in summaries]
    report.equal("the summary says drift, once", verdicts, [("drift", 1)])
    return again
