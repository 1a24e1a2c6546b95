"""Clients that name no rollout, before stages that have to get each rollout whole: a first tier veils their spans and
names one, and a load-balancing exporter spreads them, as examples/collector has it."""

from __future__ import annotations

from collections import defaultdict

from agent_run import ARRIVAL_SECONDS
from clients import NODE, PYTHON, play, texts_of
from fake_openai import canary
from leaks import leaks_in_files
from process import Workspace, accepts, free_addresses, wait_until
from report import Report
from scale_out import STAGES, Tier, is_summary, lines_of_stages, observed
from stack import EXAMPLES, Addresses, Stack, built

NEEDS = ("otelcol", "jaeger", "python-clients", "node-clients")
# The first tier of the example speaks gRPC alone.
CLIENTS = [client for client in PYTHON + NODE if client.protocol == "grpc"]
ROUNDS = 3


def run(report: Report, workspace: Workspace) -> None:
    """Several sessions of each client, then where each went and what is on the disk."""
    built("veilspan")
    stack = Stack(workspace, Addresses.free())
    stack.jaeger()
    tier = Tier.of(stack)
    # What clients take for the Collector is the first tier.
    (tier.environment["OTELCOL_IN"],) = free_addresses(1)
    tier.collector("gather", tier.environment["GATHER_HEALTH"])
    for stage in STAGES:
        tier.stage(stage)
    tier.collector("spread", stack.addresses.otelcol_health)
    command = [str(built("veilspan")), "collector", "--config", str(EXAMPLES / "first-tier.yaml")]
    places = {"STAGE_LISTEN": stack.addresses.otelcol_in, "OTELCOL_SPREAD": tier.environment["OTELCOL_IN"]}
    first = stack.start("first-tier", command, places)
    first.wait_until(lambda: accepts(stack.addresses.otelcol_in))

    played = [play(report, stack, client, canary("question")) for _ in range(ROUNDS) for client in CLIENTS]
    files = workspace.folder("collector-files")
    # A turn, two requests and two tools each.
    wanted = 5 * len(played)

    def arrived() -> int:
        return sum(not is_summary(span) for span in observed(files))

    wait_until("every span has left a stage", lambda: arrived() >= wanted, ARRIVAL_SECONDS)
    where, rollouts = defaultdict(set), defaultdict(set)
    for stage, spans in lines_of_stages(files).items():
        for span in spans:
            where[span.resource.get("service.name")].add(stage)
            rollouts[span.resource.get("service.name")].add(span.get("veilspan.rollout.id"))
    services = [one.service for one in played]
    report.equal("every session is there", sorted(service for service in where if service in services), sorted(services))
    report.equal("every session is one rollout", [s for s in services if len(rollouts[s]) != 1 or None in rollouts[s]], [])
    report.equal("every session is whole on one stage", [s for s in services if len(where[s]) != 1], [])
    used = {stage for service in services for stage in where[service]}
    report.check("they are spread", len(used) > 1, used)

    workspace.stop_all()
    queues = [path for path in workspace.folder("queues").rglob("*") if path.is_file()]
    report.equal("there is a queue on disk for each stage", len(queues), len(STAGES))
    texts = texts_of(played)
    report.check("the search has something to look for", len(texts) >= 8, len(texts))
    report.equal("nothing said is on any disk, the queues' included", leaks_in_files(workspace.path, texts, set()), [])
