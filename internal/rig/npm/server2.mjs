// An MCP server on version 2 of the official TypeScript server package, with a
// tool for each way in which a call can end.

import { McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import * as z from "zod/v4";

const server = new McpServer({ name: "server2", version: "1.0.0" });
const text = (text) => ({ content: [{ type: "text", text }] });

server.registerTool("echo", { inputSchema: z.object({ text: z.string() }) }, async (args) => text(args.text));
server.registerTool("fail", {}, async () => ({ ...text("failed as asked"), isError: true }));
server.registerTool("panic", {}, async () => {
  throw new Error("panicked as asked");
});
server.registerTool("exit", {}, async () => process.exit(3));
server.registerTool("slow", { inputSchema: z.object({ millis: z.number() }) }, async ({ millis }) => {
  await new Promise((resolve) => setTimeout(resolve, millis));
  return text("done");
});

await server.connect(new StdioServerTransport());
