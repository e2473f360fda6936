/** Catch-up: which time range upstreams are asked for, whatever the zones of client and server are (m3u.md sections 10 to 13). */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { forVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const HOUR_MS = 3_600_000;
/** Where the program believes to be: it must not matter. New York has summer time. */
const SERVER_ZONES = ["UTC", "Asia/Shanghai", "America/New_York"];
/** As clients name them, with the hours east of UTC. */
const CLIENT_ZONES: readonly [name: string, hours: number][] = [
  ["", 0],
  [" TZ/UTC+8", 8],
  [" TZ/UTC-5", -5],
  [" TZ/UTC+5:30", 5.5],
];
/** 2:30 in New York, in the hour that summer time skips. */
const BEGIN = Date.UTC(2024, 2, 10, 7, 30, 0);
const END = BEGIN + HOUR_MS;

/** `20240310073000` */
const stamp = (ms: number) => new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14);
const iso = (ms: number) => new Date(ms).toISOString();
const epoch = (ms: number) => Math.floor(ms / 1000);

const listServer = new PlaylistServer();
const http = new HttpOrigin(async (connection) => {
  await connection.head();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
});
let rtsp: RtspServer;
beforeAll(async () => {
  rtsp = await RtspServer.open();
});
afterAll(async () => {
  rtsp.close();
  http[Symbol.dispose]();
  await listServer[Symbol.asyncDispose]();
});

const LOCAL = "\x24{(b)yyyyMMdd}/\x24{(b)HHmmss}/\x24{(e)HHmmss}";
const UTC = "\x24{(b)yyyyMMdd|UTC}T\x24{(b)HHmmss|UTC}";

function listOf(): string {
  const h = `http://127.0.0.1:${http.port}`;
  const entries = [
    ["R", rtsp.url("/r?auth=z"), "?playseek={utc:YmdHMS}-{utcend:YmdHMS}"],
    ["Tvdr", rtsp.url("/t"), "tvdr=\x24{(b)yyyyMMddHHmmss}GMT-\x24{(e)yyyyMMddHHmmss}GMT"],
    ["Own", rtsp.url("/o"), "&x={utc:YmdHMS}-{utcend:YmdHMS}&r2h-seek-name=x"],
    ["Offset", rtsp.url("/f"), "?playseek={utc}-{utcend}&r2h-seek-offset=12,-12"],
    ["Path", rtsp.url("/p"), rtsp.url(`/a/${LOCAL}/x?from=${UTC}`)],
    ["Range", rtsp.url("/g"), "?playseek={utc:YmdHMS}&r2h-seek-mode=range(7200)"],
    ["Zoned", rtsp.url("/z"), "?playseek={utc:YmdHMS}&r2h-seek-mode=range(UTC%2B3/7200)"],
    ["H", `${h}/h?a=1`, "?playseek={utc:YmdHMS}-{utcend:YmdHMS}"],
    ["HPath", `${h}/live`, `${h}/a/${LOCAL}/x.ts?from=${UTC}&len={duration}&at={utc}`],
    ["HKeep", `${h}/k`, "?playseek={utc}-{utcend}&len={duration}"],
  ];
  return entries
    .map(([name, url, source]) => `#EXTINF:-1 catchup="append" catchup-source="${source}",${name}\n${url}\n`)
    .join("");
}

interface Asked {
  readonly url: string;
  /** Of PLAY, when the request was played. */
  readonly range?: string | null;
}

/** Sends one request and returns what its upstream was asked for, without scheme, host and port. */
async function ask(sluice: Sluice, target: string, zone: string, method: string): Promise<Asked> {
  const seen = { rtsp: rtsp.requests.length, http: http.connections.length };
  using client = await HttpClient.connect(sluice);
  client.request(method, target, { "User-Agent": `Player/1.0${zone} (x)` });
  const head = await client.head(WAIT_MS);
  if (head.status !== 200) return { url: `status ${head.status}` };
  if (http.connections.length > seen.http) {
    const request = await http.connections[seen.http]!.head();
    return { url: request.split(" ")[1]! };
  }
  const requests = rtsp.requests.slice(seen.rtsp);
  const describe = requests.find((request) => request.method === "DESCRIBE")!;
  const play = requests.find((request) => request.method === "PLAY");
  return { url: describe.url.replace(/^rtsp:\/\/[^/]*/, ""), ...(play && { range: play.headers.get("range") }) };
}

/** Targets with what their upstream must be asked for. The player fills in times of its own zone. */
function cases(zone: number): [target: string, url: string][] {
  const local = (ms: number) => stamp(ms + zone * HOUR_MS);
  const [b, e] = [stamp(BEGIN), stamp(END)];
  const seek = `playseek=${local(BEGIN)}-${local(END)}`;
  const path = `/a/${local(BEGIN).slice(0, 8)}/${local(BEGIN).slice(8)}/${local(END).slice(8)}`;
  const from = `${b.slice(0, 8)}T${b.slice(8)}`;
  const shifted = `${stamp(BEGIN + HOUR_MS)}-${stamp(END + HOUR_MS)}`;
  return [
    [`/R/catchup?${seek}`, `/r?auth=z&playseek=${b}-${e}`],
    [`/R/catchup?playseek=${local(BEGIN)}-`, `/r?auth=z&playseek=${b}-`],
    [`/R/catchup?PlaySeek=${local(BEGIN)}`, `/r?auth=z&playseek=${b}`],
    [`/R/catchup?playseek=${epoch(BEGIN)}-${epoch(END)}`, `/r?auth=z&playseek=${epoch(BEGIN)}-${epoch(END)}`],
    [`/R/catchup?playseek=${iso(BEGIN)}-${iso(END)}`, `/r?auth=z&playseek=${iso(BEGIN)}-${iso(END)}`],
    [`/R/catchup?playseek=${b}GMT-${e}GMT`, `/r?auth=z&playseek=${b}GMT-${e}GMT`],
    [`/R/catchup?${seek}&auth=y&r2h-seek-offset=3600`, `/r?auth=y&playseek=${shifted}`],
    ["/R/catchup", "/r?auth=z&playseek={utc:YmdHMS}-{utcend:YmdHMS}"],
    ["/R", "/r?auth=z"],
    [`/Tvdr/catchup?tvdr=${b}GMT-${e}GMT`, `/t?tvdr=${b}GMT-${e}GMT`],
    [`/Own/catchup?x=${local(BEGIN)}-${local(END)}`, `/o?x=${b}-${e}`],
    [`/Offset/catchup?${seek}`, `/f?playseek=${stamp(BEGIN + 12_000)}-${stamp(END - 12_000)}`],
    [`/Path/catchup?${seek}`, `${path}/x?from=${from}`],
    [`/Path/catchup?playseek=nonsense`, "status 503"],
    [`/Range/catchup?playseek=${local(BEGIN)}`, `/g?playseek=${b}`],
    [`/rtsp/127.0.0.1:${rtsp.port}/d?q=1&${seek}&r2h-seek-offset=3600`, `/d?q=1&playseek=${shifted}`],
    [`/H/catchup?${seek}`, `/h?a=1&playseek=${b}-${e}`],
    [`/H/catchup?${seek}&r2h-seek-offset=3600`, `/h?a=1&playseek=${shifted}`],
    [`/HPath/catchup?${seek}`, `${path}/x.ts?from=${from}&len=3600&at=${iso(BEGIN)}`],
    [`/HPath/catchup?playseek=${epoch(BEGIN)}-${epoch(END)}`, `${path}/x.ts?from=${from}&len=3600&at=${epoch(BEGIN)}`],
    [`/HPath/catchup?playseek=${local(BEGIN)}`, "status 503"],
    [`/HKeep/catchup?${seek}`, `/k?len=3600&playseek=${b}-${e}`],
    [
      `/http/127.0.0.1:${http.port}/d?${seek}&r2h-seek-mode=range&b=2&r2h-start=5`,
      `/d?b=2&r2h-start=5&playseek=${b}-${e}`,
    ],
    [`/http/127.0.0.1:${http.port}/d/\x24{(b)yyyyMMddHHmmss|UTC}?${seek}&r2h-seek-name=PLAYSEEK`, `/d/${b}`],
    [`/http/127.0.0.1:${http.port}/d/{utc:YmdHMS}/x.ts`, "/d/{utc:YmdHMS}/x.ts"],
  ];
}

forVariant("source", "catch-up", (start) => {
  test.each(SERVER_ZONES)("asks for the right time in %s", async (TZ) => {
    const url = listServer.on("/list", listOf());
    await using sluice = await start({ args: ["-m", "64", "-M", url], env: { TZ } });
    await sluice.waitForLog(/Parsed 10 M3U entries/, { ms: WAIT_MS });
    for (const [zone, hours] of CLIENT_ZONES) {
      for (const [target, wanted] of cases(hours)) {
        const method = target.startsWith("/H") || target.startsWith("/http/") ? "GET" : "HEAD";
        expect([zone, target, await ask(sluice, target, zone, method)]).toEqual([zone, target, { url: wanted }]);
      }
      await checkRanges(sluice, zone, hours);
    }
    await until(() => rtsp.sessions.size === 0, WAIT_MS, "the end of all sessions");
    expect(rtsp.violations).toEqual([]);
    if (TZ === "UTC") expect(await published(sluice)).toEqual(PUBLISHED);
  });
});

/** Only what is recent becomes a `Range`. */
async function checkRanges(sluice: Sluice, zone: string, hours: number): Promise<void> {
  const begin = Math.floor(Date.now() / 1000) * 1000 - 600_000;
  const Z = `${stamp(begin).slice(0, 8)}T${stamp(begin).slice(8)}Z`;
  const local = stamp(begin + hours * HOUR_MS);
  const inRange = { range: `clock=${Z}-` };
  expect(await ask(sluice, `/Range/catchup?playseek=${local}`, zone, "GET")).toEqual({ url: "/g", ...inRange });
  // The channel says in which zone its times are, whatever the client says.
  const zoned = stamp(begin + 3 * HOUR_MS);
  expect(await ask(sluice, `/Zoned/catchup?playseek=${zoned}`, zone, "GET")).toEqual({ url: "/z", ...inRange });
}

const INSTANTS = "\x24{start}-\x24{end}";
const CLOCK = "r2h-clock=\x24{(b)yyyyMMddHHmmss}-\x24{(e)yyyyMMddHHmmss}";

const PUBLISHED = [
  "/R/catchup?playseek={utc:YmdHMS}-{utcend:YmdHMS}",
  "/Tvdr/catchup?tvdr=\x24{(b)yyyyMMddHHmmss}GMT-\x24{(e)yyyyMMddHHmmss}GMT",
  "/Own/catchup?x={utc:YmdHMS}-{utcend:YmdHMS}",
  "/Offset/catchup?playseek={utc}-{utcend}",
  `/Path/catchup?playseek=${INSTANTS}&${CLOCK}`,
  "/Range/catchup?playseek={utc:YmdHMS}",
  "/Zoned/catchup?playseek={utc:YmdHMS}",
  "/H/catchup?playseek={utc:YmdHMS}-{utcend:YmdHMS}",
  `/HPath/catchup?playseek=${INSTANTS}&${CLOCK}`,
  `/HKeep/catchup?playseek={utc}-{utcend}&r2h-span=${INSTANTS}`,
];

async function published(sluice: Sluice): Promise<string[]> {
  using client = await HttpClient.connect(sluice);
  client.request("GET", "/playlist.m3u");
  const { body } = await client.response(WAIT_MS);
  return [...body.toString().matchAll(/catchup="default" catchup-source="http:\/\/test([^"]*)"/g)].map(
    ([, path]) => path!,
  );
}
