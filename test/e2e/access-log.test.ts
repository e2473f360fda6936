/** The access log: which requests get a line, what is in it, and what happens to its file. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { until } from "../fakes/until.ts";
import { Channel, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const FORMAT = '$client_addr|$time_iso8601|$request|$host|$http_user_agent|$service_type|$upstream_url|$$ $unknown "x"';

function lines(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").slice(0, -1);
}

async function statusOf(
  sluice: Sluice,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
) {
  using client = await HttpClient.connect(sluice);
  client.request(method, target, headers);
  return (await client.head()).status;
}

forEachVariant("the access log", (start) => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const path = join(directory, "access.log");
  const origin = new HttpOrigin(async (connection) => {
    await connection.head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    connection.end();
  });
  let channel: Channel;
  let sluice: Sluice;

  beforeAll(async () => {
    channel = await Channel.sending();
    const access = ["--access-log", path, "--log-format", FORMAT, "-T", "secret", "-m", "1"];
    sluice = await start({ args: [...ON_LOOPBACK, ...access] });
  });

  afterAll(() => {
    channel[Symbol.dispose]();
    origin[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  test("has a line for each admitted media request, and for nothing else", async () => {
    const headers = { Host: "tv.lan", "User-Agent": 'My "player" R2HTOKEN/secret' };
    {
      using client = await HttpClient.connect(sluice);
      client.request("GET", `${channel.path}/?x=1&r2h-token=secret`, headers);
      expect((await client.head()).status).toBe(200);
      // The only place is taken.
      expect(await statusOf(sluice, channel.path, headers)).toBe(503);
    }
    await channel.untilLeft();
    for (const method of ["GET", "HEAD"]) {
      expect(await statusOf(sluice, `/http/127.0.0.1:${origin.port}/a%20b?r2h-ifname=lo`, headers, method)).toBe(200);
    }
    expect(await statusOf(sluice, `/rtsp/127.0.0.1:${await freeTcpPort()}/live?r2h-ifname=lo`, headers)).toBe(503);
    expect(await statusOf(sluice, channel.path, headers, "HEAD")).toBe(200);
    expect(await statusOf(sluice, "/rtp/%zz", headers)).toBe(404);
    expect(await statusOf(sluice, "/", headers)).toBe(200);
    expect(await statusOf(sluice, channel.path)).toBe(401);

    const client = String.raw`127\.0\.0\.1:\d+`;
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d`;
    const rest = String.raw`tv\.lan\|My \\"player\\"`;
    const http = String.raw`http\|http://127\.0\.0\.1:${origin.port}/a%20b`;
    const expected = [
      `^${client}\\|${time}\\|GET ${channel.path}\\?x=1\\|${rest}\\|rtp\\|rtp://${channel.address}/?\\|`,
      `^${client}\\|${time}\\|GET /http/127\\.0\\.0\\.1:${origin.port}/a b\\?r2h-ifname=lo\\|${rest}\\|${http}\\|`,
      `^${client}\\|${time}\\|HEAD /http/`,
      `^${client}\\|${time}\\|GET /rtsp/127\\.0\\.0\\.1:\\d+/live\\?r2h-ifname=lo\\|${rest}\\|rtsp\\|rtsp://127\\.0\\.0\\.1:\\d+/live\\|`,
    ];
    expect(lines(path)).toEqual(expected.map((pattern) => expect.stringMatching(new RegExp(pattern))));
    for (const line of lines(path)) {
      expect(line).toEndWith('|$ $unknown "x"');
      expect(line).not.toContain("secret");
    }
  });

  test("goes on in a new file after SIGHUP", async () => {
    const rotating = join(directory, "rotating.log");
    await using other = await start({ args: [...ON_LOOPBACK, "--access-log", rotating, "--log-format", "$request"] });
    const request = `/http/127.0.0.1:${origin.port}/a`;
    expect(await statusOf(other, request)).toBe(200);
    renameSync(rotating, `${rotating}.1`);
    const since = other.log.length;
    process.kill(other.pid, "SIGHUP");
    await other.waitForLog(/Only reload M3U\/EPG/, { since });
    const isRotated = async () => {
      await statusOf(other, request);
      return await Bun.file(rotating).exists();
    };
    await until(isRotated, WAIT_MS, "the new file");
    for (const file of [`${rotating}.1`, rotating]) expect(lines(file)[0]).toBe(`GET ${request}`);
  });

  test.each([
    ["/nonexistent/access.log", /Failed to open access log \/nonexistent\/access\.log: no such file or directory/],
    ["/dev/full", /Failed to write access log \/dev\/full: no space left on device/],
  ])("at %s is reported once and disturbs nobody", async (where, report) => {
    await using other = await start({ args: [...ON_LOOPBACK, "--access-log", where] });
    for (let i = 0; i < 2; i++) {
      using viewer = await Viewer.open(other, channel);
      await viewer.more(10);
    }
    await other.waitForLog(report);
    expect(other.log.filter((line) => report.test(line))).toHaveLength(1);
  });
});
