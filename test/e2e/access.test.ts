/** Who may use the relay, what its answers say about that, and that the token stays between the relay and its clients. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { Channel, ON_LOOPBACK } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

/** Whatever becomes of this token, `hush` is still there. */
const TOKEN = "a$1 hush/é";
const ENCODED = "a%241%20hush/%C3%A9";
const SECRET = /hush/i;
const HOST = "tv.lan:5140";
const COOKIE = `r2h-token=${ENCODED}; Path=/tv; HttpOnly; SameSite=Lax`;
/** What becomes of `up=1` of an upstream. */
const upstreamCookie = (path: string) => `r2hc~127.0.0.1~up=1; HttpOnly; SameSite=Lax; Path=${path}`;
/** Of an upstream's answer without a type, while other origins have leave (http.md section 25). */
const CONFINED =
  "Content-Disposition: attachment\r\nContent-Security-Policy: sandbox\r\nX-Content-Type-Options: nosniff\r\n" +
  "Cross-Origin-Resource-Policy: cross-origin\r\n";
const ALL_R2H =
  "R2H-Upstream-Protocol, R2H-Upstream-Transport, R2H-Upstream-Payload, R2H-Playback-Scale, R2H-Playback-Range, " +
  "R2H-Media-Duration, R2H-FCC-Type, R2H-FCC-Status";
const ARGUMENTS = [
  ...ON_LOOPBACK,
  ...["-T", TOKEN, "-H", "http://tv.lan", "-X", "-O", "https://app.example", "--app-path-prefix", "/tv/"],
];
/** A client that behaves. */
const PLAYER = { Host: HOST, "User-Agent": "player" };

/** What the origin answers, by path; `/` otherwise. */
const ANSWERS: Readonly<Record<string, string>> = {
  "/": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: up=1\r\n\r\nok",
  "/cors": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n\r\nok",
  "/moved": "HTTP/1.1 302 Over There\r\nLocation: /here?x=1#top\r\nContent-Length: 0\r\n\r\n",
  "/odd.m3u8": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
  "/list.m3u8":
    "HTTP/1.1 200 OK\r\nSet-Cookie: up=1\r\n\r\n" +
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="key?r2h-token=old"\nsegment.ts\nhttps://a.example/b\n',
};

/** Answers by `ANSWERS` and keeps the heads of its requests. */
class Origin {
  readonly requests: string[] = [];
  readonly #server = new HttpOrigin(async (connection) => {
    const head = await connection.head();
    this.requests.push(head);
    connection.send(ANSWERS[/^\S+ ([^ ?]*)/.exec(head)![1]!] ?? ANSWERS["/"]!);
    connection.end();
  });

  get address(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
  }
}

async function ask(sluice: Sluice, target: string, headers: Readonly<Record<string, string>> = PLAYER, method = "GET") {
  using client = await HttpClient.connect(sluice);
  client.request(method, target, headers);
  const head = await client.head();
  return { ...head, body: (await client.readToEnd()).toString() };
}

forEachVariant("access", (start) => {
  let sluice: Sluice;
  let origin: Origin;
  /** The origin through the relay, without token. */
  let proxied: string;

  beforeAll(async () => {
    origin = new Origin();
    proxied = `/tv/http/${origin.address}`;
    sluice = await start({ args: ARGUMENTS });
  });

  afterAll(() => origin[Symbol.dispose]());

  test("is refused by Host, prefix and token, in this order", async () => {
    const since = sluice.log.length;
    const statusOf = async (target: string, headers?: Record<string, string>, method?: string) =>
      (await ask(sluice, target, headers, method)).status;
    expect(await statusOf("/x", { Host: "evil.example" })).toBe(400);
    expect(await statusOf("/x")).toBe(404);
    expect(await statusOf("/tv/x")).toBe(401);
    expect(await statusOf("/tv/x", { ...PLAYER, Cookie: `r2h-token=${ENCODED}` })).toBe(404);
    expect(await statusOf("/tv/x", { ...PLAYER, Cookie: "r2h-token=x" }, "OPTIONS")).toBe(204);
    await sluice.waitForLog(/Host header mismatch \(got: evil\.example, expected: tv\.lan\)$/, { since });
    await sluice.waitForLog(/Client request rejected: r2h-token not found$/, { since });
  });

  test("to a stream gives a cookie and all that a page of the allowed origin needs", async () => {
    using channel = await Channel.sending();
    using client = await HttpClient.connect(sluice);
    client.request("GET", `/tv${channel.path}?r2h-token=${ENCODED}`, PLAYER);
    const head =
      `HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\nSet-Cookie: ${COOKIE}\r\n` +
      "Access-Control-Allow-Origin: https://app.example\r\nR2H-Upstream-Protocol: multicast\r\n";
    const exposed = `Access-Control-Expose-Headers: ${ALL_R2H}\r\n\r\n`;
    expect((await client.head()).raw).toBe(`${head}R2H-Upstream-Payload: mp2t-rtp\r\n${exposed}`);
    expect((await client.read(188))[0]).toBe(0x47);
    const { raw } = await ask(sluice, `/tv${channel.path}?r2h-token=${ENCODED}`, PLAYER, "HEAD");
    expect(raw).toBe(head + exposed);
  });

  test("to an origin adds cookie and CORS header to its answer, and takes none away", async () => {
    const { raw, body } = await ask(sluice, `${proxied}/?r2h-token=${ENCODED}`);
    expect(raw).toBe(
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: ${upstreamCookie(proxied)}\r\n${CONFINED}Connection: close\r\n` +
        `Set-Cookie: ${COOKIE}\r\nAccess-Control-Allow-Origin: https://app.example\r\n\r\n`,
    );
    expect(body).toBe("ok");
    const own = await ask(sluice, `${proxied}/cors`, { ...PLAYER, Cookie: `r2h-token=${ENCODED}` });
    expect(own.raw).toBe(
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n${CONFINED}Connection: close\r\n\r\n`,
    );
  });

  test("goes on along redirects and playlists without cookies", async () => {
    const moved = await ask(sluice, `${proxied}/moved?r2h-token=${ENCODED}`);
    expect(moved.raw).toStartWith("HTTP/1.1 302 Over There\r\n");
    const location = moved.headers.get("location")!;
    expect(location).toBe(`${proxied}/here?x=1&r2h-token=${ENCODED}#top`);
    expect((await ask(sluice, location.replace("#top", ""))).body).toBe("ok");

    const list = await ask(sluice, `${proxied}/list.m3u8?r2h-token=${ENCODED}`);
    expect(list.headers.getSetCookie()).toEqual([upstreamCookie(proxied), COOKIE]);
    expect(list.headers.get("access-control-allow-origin")).toBe("https://app.example");
    const base = `http://${HOST}${proxied}`;
    expect(list.body.split("\n")).toEqual([
      "#EXTM3U",
      `#EXT-X-KEY:METHOD=AES-128,URI="${base}/key?r2h-token=old"`,
      `${base}/segment.ts?r2h-token=${ENCODED}`,
      "https://a.example/b",
      "",
    ]);
    const segment = await ask(sluice, `${proxied}/segment.ts?r2h-token=${ENCODED}`);
    expect(segment.body).toBe("ok");
  });

  test("through a proxy in front shows that proxy's name and client", async () => {
    const since = sluice.log.length;
    const headers = {
      ...PLAYER,
      "User-Agent": `player R2HTOKEN/${TOKEN}`,
      Cookie: `r2h-token=${ENCODED}`,
      "X-Forwarded-For": "192.0.2.7, 198.51.100.1",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "tv.example, inner",
    };
    const list = await ask(sluice, `${proxied}/list.m3u8`, headers);
    expect(list.body).toContain(`\nhttps://tv.example${proxied}/segment.ts?r2h-token=`);
    await sluice.waitForLog(/X-Forwarded-For accepted: 192\.0\.2\.7$/, { since });
    expect(origin.requests.at(-1)).not.toContain("orwarded");
  });

  test("leaves the token in no log line, error page or request to an origin", async () => {
    await using watched = await start({ args: ARGUMENTS });
    const dead = await freeTcpPort();
    const before = origin.requests.length;
    const targets = [
      ...[`${proxied}/?a=1`, `${proxied}/list.m3u8?a=1`, `${proxied}/moved?a=1`, `/tv/http/127.0.0.1:${dead}/?a=1`],
      ...["/tv/http/?a=1", "/tv/http/a:b/?a=1", "/tv/x?a=1", "/x?a=1", "/tv/rtp/x?a=1", "/tv/rtp/239.0.0.1:0?a=1"],
      ...[`/tv/http/${origin.address.replace("127", "0x7f")}?a=1`, "/tv/assets/x?a=1", `/tv/${"x".repeat(2100)}?a=1`],
    ];
    const queries = [
      ...[`&r2h-token=${ENCODED}`, `&R2H-Token=${ENCODED}&b&r2h-token=hush`, `&r2h-token=${ENCODED}$HD`],
      ...["&r2h-token=hush", "&r2h%2Dtoken=hush", "?r2h-token=hush", "&r2h-token=a%zzhush", ""],
    ];
    const cookie = `a=b; R2H-Token=${ENCODED}; r2h-token=hush`;
    const carriers = [
      {
        Cookie: cookie,
        "User-Agent": `player R2HTOKEN/${ENCODED}`,
        Referer: `http://${HOST}/tv/?r2h-token=${ENCODED}`,
      },
      { Cookie: cookie, "User-Agent": "r2htoken/hush" },
      { "User-Agent": "R2HTOKEN/hush R2HTOKEN/hush" },
    ];
    const pages: string[] = [];
    for (const target of targets) {
      for (const query of queries) {
        for (const carrier of carriers) {
          const { status, body } = await ask(watched, target + query, { Host: HOST, ...carrier });
          if (status >= 400) pages.push(body);
        }
      }
    }
    const requests = origin.requests.slice(before);
    expect(pages.length).toBeGreaterThan(100);
    expect(requests.length).toBeGreaterThan(30);
    expect(requests.every((head) => /^GET \/\S*\?a=1(&b)? HTTP/.test(head))).toBe(true);
    expect(pages.filter((page) => SECRET.test(page))).toEqual([]);
    expect(requests.filter((head) => SECRET.test(head))).toEqual([]);

    // A URL within the URL is the origin's business, but the log shows neither.
    await ask(watched, `${proxied}/odd.m3u8?u=%2F%3Fr2h-token%3Dhush&r2h-token=${ENCODED}`);
    await watched.waitForLog(/a playlist in a transfer coding/);
    await watched.stop();
    expect(watched.log.filter((line) => line.includes("New client")).length).toBeGreaterThan(200);
    expect(watched.log.filter((line) => SECRET.test(line))).toEqual([]);
  });

  test("by relative links keeps the prefix and names no host", async () => {
    await using other = await start({ args: ["--use-relative-path-in-m3u", "--app-path-prefix", "a/b"] });
    const list = await ask(other, `/a/b/http/${origin.address}/list.m3u8`);
    expect(list.body).toContain(`\n/a/b/http/${origin.address}/segment.ts\n`);
    expect(list.headers.getSetCookie()).toEqual([upstreamCookie(`/a/b/http/${origin.address}`)]);
    expect(list.headers.has("access-control-allow-origin")).toBe(false);
  });

  test("from a client that names no host leads to an address of this machine", async () => {
    await using other = await start();
    using client = await HttpClient.connect(other);
    client.send(`GET /http/${origin.address}/list.m3u8 HTTP/1.0\r\n\r\n`);
    await client.head();
    const [, host] = /^http:\/\/(.*)\/http\/.*segment\.ts$/m.exec((await client.readToEnd()).toString())!;
    const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
    expect(
      ["localhost", ...own].map((address) => `${address.includes(":") ? `[${address}]` : address}:${other.port}`),
    ).toContain(host!);
  });
});
