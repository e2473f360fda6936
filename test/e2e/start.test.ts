/** A program that cannot start as it was told says why, and exits with status 1. */

import { expect, test } from "bun:test";
import { freeTcpPort } from "../fakes/free-port.ts";
import { forEachVariant } from "./harness.ts";

forEachVariant("start", (start) => {
  /** The log of a start that fails with status 1. */
  async function failure(listen: string | undefined, ...args: string[]): Promise<string> {
    const options = listen === undefined ? { args } : { listen, args };
    const message = await start(options).then(
      async (sluice) => {
        await sluice.stop();
        return "it started";
      },
      (error: Error) => error.message,
    );
    expect(message).toContain("exited (1) before");
    return message;
  }

  test("an address that is not ours", async () => {
    const log = await failure("192.0.2.77:8080");
    expect(log).toContain("Cannot bind: 192.0.2.77 port 8080: address not available");
    expect(log).toContain("No socket to listen!");
  });

  test("a port in use", async () => {
    const port = await freeTcpPort();
    using _ = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    expect(await failure(`127.0.0.1:${port}`)).toContain(`Cannot bind: 127.0.0.1 port ${port}: address already in use`);
  });

  test("one address out of two is enough", async () => {
    await using sluice = await start({ args: ["-l", "192.0.2.77:8080"] });
    await sluice.waitForLog(/Cannot bind: 192\.0\.2\.77 port 8080: address not available/);
    expect((await fetch(sluice.url)).status).toBe(200);
  });

  test("an unknown option", async () => {
    const log = await failure(undefined, "--no-such-option");
    expect(log).toContain("unrecognized option '--no-such-option'");
    expect(log).toContain("Try 'sluice --help'");
    expect(await failure(undefined, "--mcast-gap-timout", "5")).toContain("did you mean '--mcast-gap-timeout'?");
  });

  test("a word that is no command", async () => {
    expect(await failure(undefined, "doctor")).toContain("unexpected word 'doctor'");
    const program = start({ command: "doctor" as "serve" });
    expect((await program.catch((error: Error) => error.message)) as string).toContain("unknown command 'doctor'");
  });

  test("a missing value", async () => {
    expect(await failure(undefined, "-m")).toContain("option requires an argument -- 'm'");
    expect(await failure(undefined, "--listen")).toContain("option '--listen' requires an argument");
  });

  test("a listen address that is none", async () => {
    expect(await failure("127.0.0.1:70000")).toContain("the port must be a number from 0 to 65535");
  });
});
