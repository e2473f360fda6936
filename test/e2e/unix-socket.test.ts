/** Unix sockets: served like any address, owned by the supervisor, and gone with it (config.md section 11). */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK } from "./channel.ts";
import { failedStart, forEachVariant } from "./harness.ts";

const WAIT_MS = 20_000;
/** The longest path is 107 bytes. */
const LONG_NAME = "x".repeat(108);

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-e2e-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);

/** The status that curl gets through a Unix socket, and 0 when it cannot connect. */
async function statusThrough(path: string): Promise<number> {
  const words = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", path, "http://localhost/"];
  return Number(await Bun.spawn(["curl", ...words]).stdout.text());
}

/** What a process leaves behind that is killed while it listens. */
async function leaveStaleSocket(path: string): Promise<void> {
  const program = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", program]).exited;
  expect(lstatSync(path).isSocket()).toBe(true);
  expect(await statusThrough(path)).toBe(0);
}

forEachVariant("a Unix socket", (start) => {
  test("serves media to clients that are called localhost, and is removed at the end", async () => {
    const path = at("socket");
    await leaveStaleSocket(path);
    {
      await using sluice = await start({ args: ON_LOOPBACK, listen: path, workers: 2 });
      await sluice.waitForLog(new RegExp(`^\\[Supervisor\\] Listening on Unix socket ${path}$`));
      expect(statSync(path).mode & 0o777).toBe(0o777 & ~process.umask());
      expect(await statusThrough(path)).toBe(200);
      await sluice.waitForLog(/New client localhost requested URL: \/ \(method: GET\)/);
      using channel = await Channel.sending();
      using client = await HttpClient.connect({ unix: path });
      client.request("GET", channel.path);
      expect((await client.head()).status).toBe(200);
      const verifier = new TsVerifier(channel.streamId);
      client.stream((chunk) => verifier.push(chunk));
      await until(() => verifier.packets > 200, WAIT_MS, "media");
      expect(verifier.counts).toMatchObject(CLEAN);
      process.kill(sluice.workers[0]!, "SIGKILL");
      process.kill(sluice.workers[1]!, "SIGKILL");
      expect(await statusThrough(path)).toBe(200);
    }
    expect(existsSync(path)).toBe(false);
  });

  test("that cannot be made is a reason not to start", async () => {
    writeFileSync(at("file"), "text");
    mkdirSync(at("directory"));
    symlinkSync(at("nowhere"), at("link"));
    using _ = Bun.listen({ unix: at("taken"), socket: { data() {} } });
    const refusals = [
      ["file", `Unix socket path exists and is not a socket: ${at("file")}`],
      ["directory", `Unix socket path exists and is not a socket: ${at("directory")}`],
      ["link", `Unix socket path exists and is not a socket: ${at("link")}`],
      ["taken", `Unix socket path is already in use: ${at("taken")}`],
      ["missing/socket", `Cannot listen on Unix socket ${at("missing/socket")}: no such file or directory`],
      [LONG_NAME, `Unix socket path is too long: ${at(LONG_NAME)}`],
      ["fine", `Duplicate Unix socket listener path: ${at("fine")}`],
    ] as const;
    for (const [name, text] of refusals) {
      const log = await failedStart(start, { args: ["-l", at("fine"), "-l", at(name), "--pid-file", at("pid")] });
      expect(log).toContain(`[Supervisor] ${text}`);
      expect(existsSync(at("fine"))).toBe(false);
      expect(existsSync(at("pid"))).toBe(false);
    }
    expect(statSync(at("file")).size).toBe(4);
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(lstatSync(at("taken")).isSocket()).toBe(true);
  });

  test("is kept by a reload, and made, removed or refused with the list", async () => {
    const port = await freeTcpPort();
    const configFile = at("sluice.conf");
    const write = (...names: string[]) => {
      const lines = names.map((name) => `${at(name)}\n`).join("");
      writeFileSync(configFile, `[global]\nverbosity = 3\nworkers = 2\n[bind]\n127.0.0.1 ${port}\n${lines}`);
    };
    write("one");
    await using sluice = await start({ configFile, port, workers: 2 });
    const reload = async (outcome: RegExp, ...names: string[]) => {
      const since = sluice.log.length;
      write(...names);
      process.kill(sluice.pid, "SIGHUP");
      await sluice.waitForLog(outcome, { since });
      return since;
    };
    const { ino } = statSync(at("one"));
    await reload(/sending SIGHUP to tracked workers/, "one");
    const since = await reload(/sending SIGTERM to tracked workers/, "two", "one");
    await sluice.waitForLog(new RegExp(`Keeping Unix socket listener ${at("one")}`), { since });
    expect(statSync(at("one")).ino).toBe(ino);
    expect(await Promise.all([at("one"), at("two")].map(statusThrough))).toEqual([200, 200]);

    writeFileSync(at("file"), "text");
    await reload(/Configuration reload failed, keeping existing workers and listeners/, "three", "file");
    expect(existsSync(at("three"))).toBe(false);
    expect(await Promise.all([at("one"), at("two")].map(statusThrough))).toEqual([200, 200]);

    await reload(/sending SIGTERM to tracked workers/, "two");
    expect(existsSync(at("one"))).toBe(false);
    expect(await statusThrough(at("two"))).toBe(200);
    await sluice.stop();
    expect(existsSync(at("two"))).toBe(false);
  });
});
