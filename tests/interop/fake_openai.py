"""A chat-completions server that plays a model: it calls tools, then answers, and remembers all that was said."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from leaks import texts_in

TOOLS_AT_ONCE = 3
PIECE_CHARS = 9


def canary(kind: str) -> str:
    """A text that exists nowhere else, with characters that encodings treat differently."""
    return f'the {kind} says "naïve & <{secrets.token_hex(12)}>"'


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    request: dict[str, Any]
    headers: dict[str, str]
    answer: dict[str, Any]

    @property
    def usage(self) -> tuple[int, int]:
        """Input and output tokens."""
        return self.answer["usage"]["prompt_tokens"], self.answer["usage"]["completion_tokens"]

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The calls that the answer asks for."""
        calls: list[dict[str, Any]] = self.answer["choices"][0]["message"].get("tool_calls", [])
        return calls


class FakeOpenAi:
    """The server; it runs while the `with` block does."""

    def __init__(self, script: Sequence[Exchange] = ()) -> None:
        """With a script the n-th request gets the n-th answer of it, whatever it asks."""
        self.exchanges: list[Exchange] = []
        self._script = script
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, request: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        """The answer to one request, which is remembered with it."""
        with self._lock:
            number = len(self.exchanges)
            answer = self._script[number].answer if number < len(self._script) else _completion(number, request)
            self.exchanges.append(Exchange(request, headers, answer))
            return answer

    def said(self) -> set[str]:
        """Every text that was content: of messages, tool arguments and results, instructions, tool descriptions."""
        texts: set[str] = set()
        for exchange in self.exchanges:
            for message in [*exchange.request["messages"], exchange.answer["choices"][0]["message"]]:
                texts.update(texts_in(message.get("content")))
                for call in message.get("tool_calls") or []:
                    arguments = call["function"]["arguments"]
                    texts.update({arguments, *texts_in(json.loads(arguments))})
            for tool in exchange.request.get("tools") or []:
                texts.add(tool["function"].get("description") or "")
        return texts

    def labels(self) -> set[str]:
        """What may leave as it is: names and ids."""
        offered = [tool for exchange in self.exchanges for tool in exchange.request.get("tools") or []]
        tools = {tool["function"]["name"] for tool in offered}
        calls = {call["id"] for exchange in self.exchanges for call in exchange.tool_calls}
        models = {exchange.request["model"] for exchange in self.exchanges}
        return tools | calls | models

    def __enter__(self) -> FakeOpenAi:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _completion(number: int, request: dict[str, Any]) -> dict[str, Any]:
    message = _next_message(number, request)
    # No two sums of these numbers are equal by accident.
    usage = {"prompt_tokens": 1009 + 211 * number, "completion_tokens": 101 + 17 * number}
    return {
        "id": f"chatcmpl-interop-{number}",
        "object": "chat.completion",
        "created": 1_790_000_000 + number,
        "model": request["model"],
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
        ],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _next_message(number: int, request: dict[str, Any]) -> dict[str, Any]:
    """What a model would say here: by the state of the conversation, so that any number of turns works."""
    messages = request["messages"]
    last_question = max((place for place, message in enumerate(messages) if message["role"] == "user"), default=0)
    has_results = any(message["role"] == "tool" for message in messages[last_question:])
    tools = request.get("tools") or []
    if has_results or not tools:
        return {"role": "assistant", "content": canary("answer")}
    calls = [
        {
            "id": f"call_interop_{number}_{index}",
            "type": "function",
            "function": {
                "name": tool["function"]["name"],
                "arguments": json.dumps(_value_for(tool["function"].get("parameters") or {})),
            },
        }
        for index, tool in enumerate(tools[:TOOLS_AT_ONCE])
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _value_for(schema: dict[str, Any]) -> Any:
    """A value that fits a tool's JSON schema, with a canary in every free string."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type", "object"):
        case "string":
            return canary("argument")
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", 3))
        case "boolean":
            return True
        case "array":
            return [_value_for(schema.get("items") or {"type": "string"})]
        case "null":
            return None
        case _:
            return {name: _value_for(inner) for name, inner in (schema.get("properties") or {}).items()}


def _chunks(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An answer as a stream tells it: its text in pieces, how it ended, and its usage last."""
    choice = answer["choices"][0]
    head = {key: answer[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    text = choice["message"].get("content") or ""
    calls = [{**call, "index": place} for place, call in enumerate(choice["message"].get("tool_calls", []))]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[place : place + PIECE_CHARS]} for place in range(0, len(text), PIECE_CHARS)]
    deltas += [{"tool_calls": calls}] if calls else []
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}
    ended = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield {**head, "choices": [ended], "usage": None}
    yield {**head, "choices": [], "usage": answer["usage"]}


def _handler(model: FakeOpenAi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path != "/v1/chat/completions":
                return self._reply(404, {"error": {"message": "no such path"}})
            request = json.loads(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = model.answer(request, headers)
            return self._stream(answer) if request.get("stream") else self._reply(200, answer)

        def log_message(self, format: str, *arguments: object) -> None:
            """Requests are remembered, not printed."""

        def _reply(self, status: int, answer: dict[str, Any]) -> None:
            self._send(status, "application/json", json.dumps(answer).encode())

        def _stream(self, answer: dict[str, Any]) -> None:
            chunks = [json.dumps(chunk) for chunk in _chunks(answer)]
            events = "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"])
            self._send(200, "text/event-stream", events.encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
