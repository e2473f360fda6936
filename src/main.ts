#!/usr/bin/env bun
/** The program: picks the process's role, and for the first process the command. Each loads only what it needs. */

const [role, id] = process.argv.slice(2);
if (role === "worker") {
  (await import("./worker/process.ts")).runWorkerProcess(Number(id));
} else {
  const { runCli } = await import("./cli/commands.ts");
  process.exitCode = await runCli(process.argv.slice(2), {
    serve: async (settings, reload) => {
      await (await import("./supervisor/process.ts")).supervise({ settings, reload });
    },
    demo: async (settings, reload) => (await import("./demo/demo.ts")).runDemo(settings, reload),
    probe: async (settings, request, io) => (await import("./probe/probe.ts")).runProbe(settings, request, io),
  });
}

export {};
