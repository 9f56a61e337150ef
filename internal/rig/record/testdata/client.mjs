// Starts an MCP server by its command line and takes the steps of a session
// with the official TypeScript SDK. What comes back is on the wire, so nothing
// is printed.
//
//   node client.mjs STEPS CMD ARG…
//
// STEPS is a JSON array; see step in sessions_test.go.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [steps, command, ...args] = process.argv.slice(2);

const client = new Client(
  { name: "rig-ts", version: "1.0.0" },
  { capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } } },
);
client.setRequestHandler(CreateMessageRequestSchema, async () => ({
  model: "rig",
  role: "assistant",
  content: { type: "text", text: "sampled" },
}));
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "decline" }));
client.setRequestHandler(ListRootsRequestSchema, async () => ({
  roots: [{ uri: "file:///rig", name: "rig" }],
}));

// A schema that lets any result through.
const anything = { safeParse: (data) => ({ success: true, data }), parse: (data) => data };

function send(step) {
  const options = {};
  if (step.progress) options.onprogress = () => {};
  if (step.timeout) options.timeout = step.timeout;
  if (step.cancel) {
    const abort = new AbortController();
    setTimeout(() => abort.abort("no longer wanted"), step.cancel);
    options.signal = abort.signal;
  }
  const params = step.params ?? { name: step.call, arguments: step.args ?? undefined };
  return client.request({ method: "tools/call", params }, anything, options).catch(() => {});
}

async function list() {
  let cursor;
  do {
    ({ nextCursor: cursor } = await client.listTools(cursor && { cursor }));
  } while (cursor);
}

await client.connect(
  new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" }),
);
for (const step of JSON.parse(steps)) {
  if (step.wait) await new Promise((resolve) => setTimeout(resolve, step.wait));
  else if (step.list) await list();
  else await Promise.all(Array.from({ length: step.times ?? 1 }, () => send(step)));
}
await client.close();
