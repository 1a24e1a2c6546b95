"""Sends many distinct spans over OTLP/gRPC as fast as they are answered.

usage: load.py ADDRESS SPANS"""

from __future__ import annotations

import os
import sys
from collections import deque

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PER_REQUEST = 512
IN_FLIGHT = 8
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# Stand-ins of the right length, found nowhere else in a request.
TRACE, SPAN = b"\xfa" * 16, b"\xfb" * 8
ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.response.model": "gpt-x-2026-08-01",
    "gen_ai.response.id": "chatcmpl-9f3ac81b7d",
    "gen_ai.conversation.id": "chat-4711",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 60,
    "gen_ai.request.max_tokens": 4096,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.agent.name": "planner",
    "server.address": "api.example.com",
    "server.port": 443,
    "veilspan.outcome": "completed",
}


def template() -> bytes:
    """One request, whose ids are stand-ins."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    service = group.resource.attributes.add(key="service.name")
    service.value.string_value = "load"
    scope = group.scope_spans.add()
    scope.scope.name = "load"
    for _ in range(PER_REQUEST):
        span = scope.spans.add(trace_id=TRACE, span_id=SPAN, name="chat gpt-x", kind=Span.SPAN_KIND_CLIENT)
        span.start_time_unix_nano, span.end_time_unix_nano = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
        for key, value in ATTRIBUTES.items():
            into = span.attributes.add(key=key).value
            match value:
                case str():
                    into.string_value = value
                case int():
                    into.int_value = value
                case _:
                    into.double_value = value
    return request.SerializeToString()


def main(address: str, spans: int) -> None:
    """As many requests as that takes, some of them in flight at any time."""
    parts = template().split(SPAN)
    with grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)
        waiting: deque[grpc.Future] = deque()
        for _ in range(-(-spans // PER_REQUEST)):
            ids = os.urandom(8 * PER_REQUEST)
            pieces = [parts[0]]
            for place, part in enumerate(parts[1:]):
                pieces += (ids[8 * place : 8 * place + 8], part)
            waiting.append(export.future(b"".join(pieces).replace(TRACE, os.urandom(16)), wait_for_ready=True))
            if len(waiting) >= IN_FLIGHT:
                waiting.popleft().result()
        while waiting:
            waiting.popleft().result()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
