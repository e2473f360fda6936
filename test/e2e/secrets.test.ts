/** Whatever spelling a secret has and wherever it comes in: nobody gets to read it (config.md section 13, http-proxy.md section 12). */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { unauthorized } from "../fakes/rtsp-auth.ts";
import { on, type React, RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
/** `hush` is in every secret here, however it is written. */
const TOKEN = "hush$ /é;&=1";
const ONCE = encodeURIComponent(TOKEN);
const TWICE = encodeURIComponent(ONCE);
const COOKIE = { Cookie: `r2h-token=${ONCE}` };
const PASSWORD = "hush-pw";
const WHOLE = Array.from(Buffer.from(TOKEN), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

/** Looks for it in whatever is left after decoding, again and again. */
function showsSecret(text: string): boolean {
  let decoded = text;
  for (let i = 0; i < 4; i++) {
    if (/hush/i.test(decoded)) return true;
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return text.includes(Buffer.from(`u:${PASSWORD}`).toString("base64"));
}

/** Targets, with `ORIGIN` for the address of a server that answers, and headers of requests. */
const SPELLINGS: readonly (readonly [what: string, target: string, headers?: Readonly<Record<string, string>>])[] = [
  ["a parameter", `/http/ORIGIN/x?r2h-token=${ONCE}`],
  ["a parameter, each byte encoded", `/http/ORIGIN/x?%72%32h-token=${WHOLE}`],
  ["a second query", `/http/ORIGIN/x?a=1?r2h-token=${ONCE}`],
  ["a parameter of a nested URL", `/http/ORIGIN/x?u=http%3A%2F%2Fh%2F%3Fr2h-token%3D${TWICE}%26b`],
  [
    "one of a URL within that",
    `/http/ORIGIN/x?u=${encodeURIComponent(`http://h/?u=${encodeURIComponent(`http://i/?r2h-token=${ONCE}`)}`)}`,
  ],
  ["behind a semicolon", `/http/ORIGIN/x;r2h-token=${ONCE}`],
  ["behind an encoded semicolon", `/http/ORIGIN/x%3Br2h-token%3D${TWICE}`],
  ["a parameter's value", `/http/ORIGIN/x?a=r2h-token=${ONCE}`],
  ["an encoded parameter's value", `/http/ORIGIN/x?a=r2h-token%3D${TWICE}`],
  ["a bare value", `/http/ORIGIN/x?key=${ONCE}`],
  ["a bare value, encoded twice", `/http/ORIGIN/x?key=${TWICE}`],
  ["the path", `/http/ORIGIN/${ONCE}/x`],
  ["the User-Agent", "/http/ORIGIN/x", { "User-Agent": `VLC R2HTOKEN/${TOKEN.replace(" ", "")}` }],
  ["a bare User-Agent", "/http/ORIGIN/x", { "User-Agent": `VLC (${ONCE})` }],
  ["a header of its own", "/http/ORIGIN/x", { "X-Token": ONCE, Authorization: `Bearer ${TWICE}` }],
  ["X-Forwarded-For", "/http/ORIGIN/x", { "X-Forwarded-For": `r2h-token=${ONCE}` }],
  ["a user of RTSP", `/rtsp/u:${PASSWORD}@127.0.0.1:1/x`],
  ["a user of RTSP, encoded", `/rtsp/u%3A${PASSWORD}%40127.0.0.1:1/x`],
  ["a user of RTSP behind a long name", `/rtsp/${"u".repeat(110)}:${PASSWORD}${"x".repeat(110)}@127.0.0.1:1/x`],
  ["a user of HTTP", `/http/u:${PASSWORD}@ORIGIN/x`],
  ["a user of HTTP, encoded", `/http/u%3A${PASSWORD}%40ORIGIN/x`],
  ["a sloppy password", `/rtsp/u:${PASSWORD}/?x@127.0.0.1:1/x`],
  ["a user of a nested URL", `/http/ORIGIN/x?u=rtsp%3A%2F%2Fu%3A${PASSWORD}%40h%2Fx`],
  [
    "a user of a URL within that",
    `/http/ORIGIN/x?u=${encodeURIComponent(`http://h/?u=${encodeURIComponent(`rtsp://u:${PASSWORD}@h`)}`)}`,
  ],
  ["a password parameter", `/http/ORIGIN/get.php?username=u&password=${PASSWORD}`],
  ["a channel", "/Secret"],
  ["a channel of HTTP", "/Parameter"],
  ["a server that redirects", "/rtsp/u:hush-pw@RTSP/login"],
];

forEachVariant("secrets", (start) => {
  const resources = new DisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "sluice-secrets-"));
  const accessLog = join(directory, "access.log");
  let sluice: Sluice;
  let origin: HttpOrigin;
  let rtsp: RtspServer;
  let other: RtspServer;
  let lists: PlaylistServer;
  /** Heads that the origin has got. */
  const heads: string[] = [];

  beforeAll(async () => {
    origin = resources.use(
      new HttpOrigin(async (connection) => {
        heads.push(await connection.head());
        // No end: clients stay on the status page.
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\nx");
      }),
    );
    other = resources.use(await RtspServer.open());
    const Location = other.url("/x");
    const moved = on("OPTIONS", (usual) => ({
      ...usual,
      status: 302,
      reason: "Moved",
      headers: { ...usual.headers, Location },
    }));
    // Nobody says a password unasked.
    const asked: React = (usual, request, connection) =>
      request.method === "OPTIONS" && !request.headers.has("authorization") && request.url.endsWith("/login")
        ? unauthorized(request, 'Basic realm="r"')
        : moved(usual, request, connection);
    rtsp = resources.use(await RtspServer.open({ react: asked }));
    lists = new PlaylistServer();
    const list =
      `#EXTM3U x-tvg-url="http://u:${PASSWORD}@127.0.0.1:1/guide.xml"\n#EXTINF:-1,Secret\nrtsp://u:${PASSWORD}@127.0.0.1:1/x\n` +
      `#EXTINF:-1,Parameter\nhttp://127.0.0.1:${origin.port}/x?password=${PASSWORD}\n`;
    const withUser = (url: string) => url.replace("://", `://u:${PASSWORD}@`);
    const format = "$client_addr $request $service_url $host $http_user_agent $http_x_forwarded_for $upstream_url";
    sluice = await start({
      args: [
        ...["-T", TOKEN, "-X", "-m", "100", "--access-log", accessLog, "--log-format", format],
        ...["-M", withUser(lists.on("/list.m3u", list)), "-M", withUser(lists.url("/missing.m3u"))],
      ],
    });
    const curl = Bun.spawn(["curl", "-sNb", COOKIE.Cookie, `${sluice.url}/status/sse`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    resources.defer(() => curl.kill());
    void readEvents(curl.stdout);
    await sluice.waitForLog(/Parsed 2 M3U entries/);
    await sluice.waitForLog(/EPG fetch failed/);
    await sluice.waitForLog(/M3U fetch failed/);
  });

  /** What the event stream has sent since the last look at it. */
  let events = "";

  async function readEvents(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) events += decoder.decode(chunk, { stream: true });
  }

  afterAll(async () => {
    resources.dispose();
    await lists[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  async function opened(target: string, headers: Readonly<Record<string, string>> = {}) {
    const client = resources.use(await HttpClient.connect(sluice));
    client.request("GET", target, { ...COOKIE, ...headers });
    return client;
  }

  // Of as many members as the function has: Bun would wait for a callback.
  test.each(SPELLINGS.map(([what, target, headers = {}]) => [what, target, headers] as const))(
    "in %s",
    async (_, target, headers) => {
      const before = sluice.log.length;
      const path = target.replace("ORIGIN", `127.0.0.1:${origin.port}`).replace("RTSP", `127.0.0.1:${rtsp.port}`);
      const client = await opened(path, headers);
      const head = await client.head(WAIT_MS);
      // A client that is served is on the page, and the lines of the log are there in any case.
      await until(() => events.includes(`:${client.localPort} requested URL: `), WAIT_MS, "the line in an event");
      if (head.status === 200) client.close();
      else expect(showsSecret((await client.readToEnd(WAIT_MS)).toString())).toBe(false);
      expect(events.split("\n\n").filter(showsSecret)).toEqual([]);
      events = "";
      expect(sluice.log.slice(before).filter(showsSecret)).toEqual([]);
    },
  );

  test("in lists, from the start on", () => {
    expect(sluice.log.filter(showsSecret)).toEqual([]);
    expect(sluice.log.join("\n")).toContain("http://***@127.0.0.1:1/guide.xml");
    expect(sluice.log.join("\n")).toContain("/missing.m3u");
  });

  test("not in the access log either", () => {
    const text = readFileSync(accessLog, "latin1");
    expect(text.split("\n").length).toBeGreaterThan(15);
    expect(text.split("\n").filter(showsSecret)).toEqual([]);
    expect(text).toContain("rtsp://***@127.0.0.1:1/x");
    expect(text).toContain("password=***");
  });

  test("no upstream has got the token in a header, and no other RTSP server a password", async () => {
    expect(heads.length).toBeGreaterThan(10);
    const lines = heads.flatMap((head) => head.split("\r\n").slice(1));
    // Who is meant has got it.
    const login = `Authorization: Basic ${Buffer.from(`u:${PASSWORD}`).toString("base64")}`;
    expect(lines.filter(showsSecret)).toEqual([login, login]);
    await until(() => other.requests.length > 0, WAIT_MS, "the redirected session");
    const authorized = (server: RtspServer) => server.requests.filter(({ headers }) => headers.has("authorization"));
    expect(authorized(rtsp)).not.toEqual([]);
    expect(authorized(other)).toEqual([]);
  });
});

/** Asks curl, which keeps cookies by host and path and forgets that ports are different, as browsers do. */
async function curl(...args: string[]): Promise<string> {
  const process = Bun.spawn(["curl", "-sS", "--max-time", "20", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  return await new Response(process.stdout).text();
}

/** Says what it is asked, and does what the path says. */
function echo(): { readonly server: HttpOrigin; readonly heads: string[] } {
  const heads: string[] = [];
  const server = new HttpOrigin(async (connection) => {
    const head = await connection.head();
    heads.push(head);
    const [, path = "", to = ""] = /^GET \/([a-z]*)\??(\S*)/.exec(head) ?? [];
    const status = path === "moved" ? "302 Found" : "200 OK";
    const extra =
      path === "moved"
        ? `Location: ${to}\r\n`
        : path === "login"
          ? "Set-Cookie: SID=1; Path=/; Domain=127.0.0.1\r\n"
          : "";
    connection.send(`HTTP/1.1 ${status}\r\n${extra}Content-Length: 2\r\n\r\nok`);
    connection.end();
  });
  return { server, heads };
}

forEachVariant("what belongs to one server", (start) => {
  const CREDENTIALS = ["-u", "u:hush-pw", "-b", "SID=program"];

  test("goes to no other by a redirect", async () => {
    const sluice = await start();
    const [first, second] = [echo(), echo()];
    using _first = first.server;
    using _second = second.server;
    const url = `${sluice.url}/http/127.0.0.1:${first.server.port}`;
    await curl("-L", ...CREDENTIALS, `${url}/moved?/here`);
    expect(first.heads).toHaveLength(2);
    for (const head of first.heads) {
      expect(head).toMatch(/^Authorization: Basic /m);
      expect(head).toMatch(/^Cookie: SID=program\r$/m);
    }
    await curl("-L", ...CREDENTIALS, `${url}/moved?http://127.0.0.1:${second.server.port}/there?x=1`);
    expect(second.heads).toHaveLength(1);
    expect(second.heads[0]).toStartWith("GET /there?x=1 HTTP/1.1\r\n");
    expect(second.heads[0]).not.toMatch(/^(Authorization|Cookie):/im);
    // Who asks it by himself gets along with it as ever.
    await curl(...CREDENTIALS, `${sluice.url}/http/127.0.0.1:${second.server.port}/there`);
    expect(second.heads[1]).toMatch(/^Authorization: Basic /m);
  });

  test("is not told to another by what a list prescribes", async () => {
    const [first, second] = [echo(), echo()];
    using _first = first.server;
    using _second = second.server;
    const there = `http://127.0.0.1:${second.server.port}/there`;
    const headers = "User-Agent=Box&Cookie=SID%3Dbox&Authorization=Basic%20dTpw";
    await using lists = new PlaylistServer();
    const list = `#EXTM3U\n#EXTINF:-1,Moved\nhttp://127.0.0.1:${first.server.port}/moved?${there}|${headers}\n`;
    const sluice = await start({ args: ["-M", lists.on("/list.m3u", list)] });
    await sluice.waitForLog(/External M3U reloaded successfully/);
    await curl("-L", `${sluice.url}/Moved`);
    expect(first.heads[0]).toMatch(/^Authorization: Basic dTpw\r$/m);
    expect(first.heads[0]).toMatch(/^Cookie: SID=box\r$/m);
    expect(first.heads[0]).toMatch(/^User-Agent: Box\r$/m);
    expect(second.heads[0]).toMatch(/^User-Agent: Box\r$/m);
    expect(second.heads[0]).not.toMatch(/^(Authorization|Cookie):/im);
  });

  test("is kept apart in a browser, where all are one host", async () => {
    const sluice = await start();
    const [own, other] = [echo(), echo()];
    using _own = own.server;
    using _other = other.server;
    const jar = mkdtempSync(join(tmpdir(), "sluice-jar-"));
    const browser = [
      "-b",
      join(jar, "cookies"),
      "-c",
      join(jar, "cookies"),
      "-H",
      "Sec-Fetch-Site: same-origin",
      "-H",
      `Referer: ${sluice.url}/player`,
    ];
    const at = ({ server }: typeof own, host = "127.0.0.1") => `${sluice.url}/http/${host}:${server.port}`;
    try {
      await Bun.write(join(jar, "cookies"), "127.0.0.1\tFALSE\t/\tFALSE\t0\tnas\tsession\n");
      await curl(...browser, `${at(own)}/login`);
      await curl(...browser, `${at(own)}/watch`);
      await curl(...browser, `${at(other, "localhost")}/watch`);
    } finally {
      rmSync(jar, { recursive: true });
    }
    expect(own.heads[0]).not.toMatch(/^(Cookie|Referer|Sec-Fetch-Site):/im);
    expect(own.heads[1]).toMatch(/^Cookie: SID=1\r$/m);
    expect(other.heads[0]).not.toMatch(/^Cookie:/im);
  });
});
