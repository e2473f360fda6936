/** What the program says of itself when it starts: to a log, to a terminal, and to nobody who wants quiet. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { describeInNamespace, ip } from "../fakes/namespace.ts";
import { until, within } from "../fakes/until.ts";
import { builtBinary } from "./binary.ts";
import { Sluice } from "./harness.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const WAIT_MS = 20_000;
const TOKEN = "hush-hush-token";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-banner-"));
  writeFileSync(
    join(directory, "list.m3u"),
    "#EXTM3U\n#EXTINF:-1,A\nrtp://239.1.1.1:5000\n#EXTINF:-1,B\nrtp://239.1.1.2:5000\n",
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

describeInNamespace(import.meta.path, "with a public address", () => {
  const start = async (...words: string[]) => {
    const port = await freeTcpPort();
    return new Sluice([process.execPath, MAIN, "-C", "-l", `${port}`, ...words], port, {});
  };

  test("an open relay is warned of at the default level, and one with a token is not", async () => {
    ip("address add 8.8.4.4/32 dev lo");
    await using open = await start();
    await open.waitForLog(/channels: /);
    expect(open.log[0]).toMatch(
      /^\[Supervisor\] Reachable from public networks at 8\.8\.4\.4 port \d+, without a token/,
    );
    expect(open.log[1]).toMatch(/player: http:\/\/8\.8\.4\.4:\d+\/player$/);
    await using closed = await start("-T", TOKEN);
    await closed.waitForLog(/channels: /);
    expect(closed.log.filter((line) => line.includes("Reachable"))).toEqual([]);
  });

  test("and without a route for multicast it says so", async () => {
    await using sluice = await start();
    const [line] = await sluice.waitForLog(/multicast: .*/);
    expect(line).toStartWith("multicast: on none, as no route leads to 239.0.0.0/8; name an interface with -r: there ");
    const { status } = await fetch(`${sluice.url}/rtp/239.1.1.1:5000`);
    expect(status).toBe(503);
    await sluice.waitForLog(
      /Cannot join rtp:\/\/239\.1\.1\.1:5000: no route leads to it; name its interface with .* there /,
    );
  });
});

for (const variant of ["source", "binary"] as const) {
  const command = async () => (variant === "source" ? [process.execPath, MAIN] : [await builtBinary(MAIN)]);

  test(`the log has it at the default level, without the token (${variant})`, async () => {
    const port = await freeTcpPort();
    const words = [
      "-C",
      "-l",
      `127.0.0.1:${port}`,
      "-T",
      TOKEN,
      "-M",
      "list.m3u",
      "--app-path-prefix",
      "tv",
      "-r",
      "lo",
    ];
    await using sluice = new Sluice([...(await command()), ...words], port, { cwd: directory });
    await sluice.waitForLog(/channels: /);
    const url = `http://127.0.0.1:${port}/tv`;
    expect(sluice.log).toEqual([
      `[Supervisor] player: ${url}/player?r2h-token=***`,
      `[Supervisor] status: ${url}/status?r2h-token=***`,
      `[Supervisor] playlist: ${url}/playlist.m3u?r2h-token=***`,
      "[Supervisor] multicast: on interface lo",
      "[Supervisor] channels: 2",
    ]);
  });

  test(`a terminal shows links that can be opened, with all of them and the channels (${variant})`, async () => {
    const port = await freeTcpPort();
    const screen: string[] = [];
    const child = Bun.spawn([...(await command()), "-C", "-l", `127.0.0.1:${port}`, "-T", TOKEN], {
      terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => void screen.push(Buffer.from(bytes).toString()) },
    });
    try {
      await until(() => screen.join("").includes("channels"), WAIT_MS, "the banner");
      const url = /playlist +(\S+)/.exec(screen.join(""))?.[1] ?? "";
      expect((await fetch(url.replace("/playlist.m3u", "/status"))).status).toBe(200);
      child.kill("SIGTERM");
      expect(await within(child.exited, WAIT_MS, "the end")).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test(`what is missing is said first, and nothing at all with -q (${variant})`, async () => {
    const port = await freeTcpPort();
    const words = ["-C", "-l", `127.0.0.1:${port}`, "-r", "nosuch0", "--access-log", "/nowhere/a.log"];
    await using sluice = new Sluice([...(await command()), ...words], port, {});
    await sluice.waitForLog(/channels: none/);
    expect(sluice.log.slice(0, 2)).toEqual([
      expect.stringMatching(/upstream-interface-multicast: interface nosuch0 does not exist \(now\); there .*\blo\b/),
      "[Supervisor] access-log: /nowhere/a.log cannot be written: no such file or directory",
    ]);
    const other = await freeTcpPort();
    await using quiet = new Sluice([...(await command()), "-C", "-q", "-l", `127.0.0.1:${other}`], other, {});
    const answers = () =>
      fetch(quiet.url).then(
        () => true,
        () => false,
      );
    await until(answers, WAIT_MS, "an answer");
    await quiet.stop();
    expect(quiet.log).toEqual([]);
  });
}
