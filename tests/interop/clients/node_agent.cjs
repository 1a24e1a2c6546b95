// An agent on OpenAI's own client, told by one of two published instrumentations with all of their content switched on.
//
// usage: node_agent.cjs genai|openinference grpc|http SESSION QUESTION
//
// The model is asked with tools, each call it wants is run, and its second answer is streamed. The instrumentation tells of the
// model's calls; the turn and the tools around them are told by the OpenTelemetry API, in the words of the same dialect. The last
// tool fails, and what it says when it does is content too.
"use strict";

const { SpanStatusCode, trace } = require("@opentelemetry/api");
const { NodeSDK, tracing } = require("@opentelemetry/sdk-node");

const AGENT = "forecaster";
const TOOLS = ["temperature", "forecast"];

const DIALECTS = {
  genai: () => {
    const { OpenAIInstrumentation } = require("@opentelemetry/instrumentation-openai");
    return {
      instrumentation: new OpenAIInstrumentation({ captureMessageContent: true }),
      session: "gen_ai.conversation.id",
      turn: (question) => ({
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": AGENT,
        "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: question }] }]),
      }),
      tool: (name, id, text) => ({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": id,
        "gen_ai.tool.call.arguments": text,
      }),
      result: "gen_ai.tool.call.result",
    };
  },
  openinference: () => {
    const { OpenAIInstrumentation } = require("@arizeai/openinference-instrumentation-openai");
    return {
      instrumentation: new OpenAIInstrumentation(),
      session: "session.id",
      turn: (question) => ({
        "openinference.span.kind": "AGENT",
        "agent.name": AGENT,
        "input.value": question,
        "input.mime_type": "text/plain",
      }),
      tool: (name, id, text) => ({
        "openinference.span.kind": "TOOL",
        "tool.name": name,
        "tool.id": id,
        "tool.parameters": text,
        "input.value": text,
        "input.mime_type": "application/json",
      }),
      result: "output.value",
    };
  },
};

// What a service does that wants its sessions: no instrumentation knows of them by itself.
function sessionOnEverySpan(key, session) {
  const nothing = async () => {};
  return { onStart: (span) => span.setAttribute(key, session), onEnd: () => {}, forceFlush: nothing, shutdown: nothing };
}

function exporter(protocol) {
  const module = { grpc: "@opentelemetry/exporter-trace-otlp-grpc", http: "@opentelemetry/exporter-trace-otlp-proto" };
  const { OTLPTraceExporter } = require(module[protocol]);
  return new OTLPTraceExporter();
}

async function converse(client, tracer, dialect, question) {
  const model = process.env.OPENAI_MODEL;
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const tools = TOOLS.map((name) => ({
    type: "function",
    function: { name, description: `Knows the ${name} for ${question}`, parameters },
  }));
  const messages = [
    { role: "system", content: `You are careful with ${question}.` },
    { role: "user", content: question },
  ];
  const asked = await client.chat.completions.create({ model, messages, tools, temperature: 0.5 });
  const { message } = asked.choices[0];
  messages.push(message);
  for (const [place, call] of message.tool_calls.entries()) {
    const { name, arguments: text } = call.function;
    const result = tracer.startActiveSpan(`execute_tool ${name}`, { attributes: dialect.tool(name, call.id, text) }, (span) => {
      const said = runTool(span, text, place === 1);
      span.setAttribute(dialect.result, said);
      span.end();
      return said;
    });
    messages.push({ role: "tool", tool_call_id: call.id, content: result });
  }
  const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
  let answer = "";
  for await (const chunk of stream) {
    answer += chunk.choices[0]?.delta?.content ?? "";
  }
  return answer;
}

function runTool(span, text, fails) {
  const said = `7 degrees, as was asked for with ${text}`;
  if (fails) {
    span.recordException(new Error(said));
    span.setStatus({ code: SpanStatusCode.ERROR, message: said });
  }
  return said;
}

async function main([name, protocol, session, question]) {
  const dialect = DIALECTS[name]();
  const sdk = new NodeSDK({
    spanProcessors: [sessionOnEverySpan(dialect.session, session), new tracing.BatchSpanProcessor(exporter(protocol))],
    instrumentations: [dialect.instrumentation],
  });
  sdk.start();
  // After the start: what is required before it is not instrumented.
  const { OpenAI } = require("openai");
  const tracer = trace.getTracer("interop-agent");
  await tracer.startActiveSpan(`invoke_agent ${AGENT}`, { attributes: dialect.turn(question) }, async (span) => {
    await converse(new OpenAI(), tracer, dialect, question);
    span.end();
  });
  await sdk.shutdown();
}

main(process.argv.slice(2));
