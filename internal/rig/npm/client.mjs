// Starts an MCP server by its command line, plays one scenario with the official
// TypeScript SDK, and prints one line of JSON for each step. Run with and
// without a relay it must print the same, so whatever may differ from run to
// run (times, the number of progress notifications) is left out.
//
//   node client.mjs SCENARIO CMD ARG…
//
// Scenarios: "everything" (server-everything), "outcomes" (a server with the
// tools echo, fail, slow and, last, exit).

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [scenario, command, ...args] = process.argv.slice(2);

const client = new Client(
  { name: "tooltrail-rig", version: "1.0.0" },
  { capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } } },
);
client.setRequestHandler(CreateMessageRequestSchema, async (request) => ({
  model: "rig",
  role: "assistant",
  content: { type: "text", text: `sampled: ${JSON.stringify(request.params.messages)}` },
}));
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "decline" }));
client.setRequestHandler(ListRootsRequestSchema, async () => ({
  roots: [{ uri: "file:///rig", name: "rig" }],
}));

function show(step, outcome) {
  console.log(JSON.stringify({ step, ...outcome }));
}

async function outcomeOf(promise) {
  try {
    return { result: await promise };
  } catch (error) {
    return { error: { code: error.code, message: error.message } };
  }
}

async function step(name, promise) {
  show(name, await outcomeOf(promise));
}

const call = (name, args, options) => client.callTool({ name, arguments: args }, undefined, options);

async function everything() {
  await step("list", client.listTools());
  await step("echo", call("echo", { message: "hällo \u2028 \u202e" }));
  await step("large", call("echo", { message: "x".repeat(1 << 20) }));
  await step("sum", call("get-sum", { a: 1, b: 2 }));
  await step("image", call("get-tiny-image", {}));
  await step("env", call("get-env", {}));
  await step("structured", call("get-structured-content", { location: "Chicago" }));
  await step("bad arguments", call("get-sum", { a: "one" }));
  await step("unknown tool", call("no-such-tool", {}));
  await step("malformed", client.request({ method: "tools/call", params: { name: 7 } }, anything));
  await step("unknown method", client.request({ method: "no/such/method" }, anything));
  await step("sampling", call("trigger-sampling-request", { prompt: "hi", maxTokens: 10 }));
  await step("elicitation", call("trigger-elicitation-request", {}));
  await step("roots", call("get-roots-list", {}));
  await step("resources", client.listResources());
  await step("prompts", client.listPrompts());
  await step("ping", client.ping());

  let progress = 0;
  const onprogress = () => progress++;
  await step("long", call("trigger-long-running-operation", { duration: 0.5, steps: 5 }, { onprogress }));
  show("progress", { result: progress > 0 });
  await step(
    "timeout",
    call("trigger-long-running-operation", { duration: 20, steps: 1 }, { timeout: 300 }),
  );
  const abort = new AbortController();
  setTimeout(() => abort.abort("no longer wanted"), 200);
  await step(
    "cancel",
    call("trigger-long-running-operation", { duration: 20, steps: 1 }, { signal: abort.signal }),
  );
  await parallel("echo", (i) => ({ message: `call ${i}` }));
}

async function outcomes() {
  await step("list", client.listTools());
  await step("success", call("echo", { text: "hällo" }));
  await step("tool error", call("fail", {}));
  await step("bad arguments", call("echo", { text: 7 }));
  await step("unknown tool", call("no-such-tool", {}));
  await step("timeout", call("slow", { millis: 20000 }, { timeout: 300 }));
  await parallel("echo", (i) => ({ text: `call ${i}` }));
  await step("exit", call("exit", {}));
}

async function parallel(tool, argsOf) {
  const all = Array.from({ length: 50 }, (_, i) => outcomeOf(call(tool, argsOf(i))));
  show("parallel", { result: await Promise.all(all) });
}

// A schema that lets any result through.
const anything = { safeParse: (data) => ({ success: true, data }), parse: (data) => data };

await client.connect(
  new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" }),
);
await { everything, outcomes }[scenario]();
await client.close();
