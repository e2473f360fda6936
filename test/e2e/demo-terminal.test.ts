/** The demo on a terminal, where what it prints leads to it and keys do what it says, and where nobody reads it. */

import { afterAll, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { until, within } from "../fakes/until.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const WAIT_MS = 20_000;

const directory = await mkdtemp(join(tmpdir(), "sluice-terminal-"));
afterAll(() => rm(directory, { recursive: true }));

test("o opens the player with prefix and token, q ends the demo", async () => {
  const opened = join(directory, "opened");
  const browser = join(directory, "xdg-open");
  await Bun.write(browser, `#!/bin/sh\nprintf %s "$1" >'${opened}.new' && mv '${opened}.new' '${opened}'\n`);
  await chmod(browser, 0o755);
  const origin = `127.0.0.1:${await freeTcpPort()}`;
  const options = ["-C", "-l", origin, "--app-path-prefix", "/tv", "--r2h-token", "a b"];
  const screen: string[] = [];
  const has = (text: string) => screen.join("").includes(text);
  const child = Bun.spawn([process.execPath, MAIN, "demo", ...options], {
    env: { ...process.env, PATH: `${directory}:${process.env["PATH"]}` },
    terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => void screen.push(Buffer.from(bytes).toString()) },
  });
  try {
    await until(() => has("Press o to open the player in a browser, q to quit"), WAIT_MS, "the offer");
    expect(has(`  web player     http://${origin}/tv/player?r2h-token=a%20b\r\n`)).toBe(true);
    child.terminal?.write("o");
    await until(() => Bun.file(opened).exists(), WAIT_MS, "the browser");
    expect(await Bun.file(opened).text()).toBe(`http://${origin}/tv/player?r2h-token=a%20b`);
    child.terminal?.write("q");
    expect(await within(child.exited, WAIT_MS, "the end")).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("nobody reads what it prints: it relays all the same, and complains of nothing", async () => {
  const origin = `127.0.0.1:${await freeTcpPort()}`;
  const child = Bun.spawn([process.execPath, MAIN, "demo", "-C", "-l", origin], { stdio: ["ignore", "pipe", "pipe"] });
  try {
    await child.stdout.cancel();
    const complaints = child.stderr.text();
    const answers = () =>
      fetch(`http://${origin}/playlist.m3u`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(answers, WAIT_MS, "an answer");
    child.kill("SIGINT");
    expect(await within(child.exited, WAIT_MS, "the end")).toBe(0);
    expect(await complaints).toBe("");
  } finally {
    child.kill("SIGKILL");
  }
});
