#!/usr/bin/env bun
/** The program: picks the command. */
import { runCli } from "./cli/commands.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  serve: async (settings, reload) => (await import("./cli/serve.ts")).serve(settings, reload),
  demo: async (settings) => (await import("./demo/demo.ts")).runDemo(settings),
});
