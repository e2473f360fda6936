/** What a client gets of an origin's response: its head, cleaned, and its body to the end; 503 when there is no sense in it. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
/** For answers that are over although the origin has not closed: well below any timer. */
const AT_ONCE_MS = 2500;
/** The shortest of `http-answer-timeout`. */
const HEAD_TIMEOUT_MS = 1000;
const SLACK_MS = 10_000;
const ERROR_PAGE = "<!doctype html><title>503</title>Service Unavailable";

type Ending = "stay" | "end" | "reset";

/** Sends each request, which names it by number, the bytes of one answer. */
class ScriptedOrigin {
  readonly #answers: { bytes: string; ending: Ending }[] = [];
  readonly #listener: Bun.TCPSocketListener<{ unsent: Buffer; ending: Ending } | undefined>;

  constructor() {
    this.#listener = Bun.listen<{ unsent: Buffer; ending: Ending } | undefined>({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      socket: {
        data: (socket, request) => {
          const [, number] = /\/dir\/(\d+)/.exec(request.toString("latin1"))!;
          const { bytes, ending } = this.#answers[Number(number)]!;
          socket.data = { unsent: Buffer.from(bytes, "latin1"), ending };
          send(socket);
        },
        drain: send,
        end: (socket) => void socket.end(),
      },
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  /** Adds an answer; returns its path on the relay. */
  add(bytes: string, ending: Ending = "stay"): string {
    return `/http/${this.address}/dir/${this.#answers.push({ bytes, ending }) - 1}`;
  }

  stop(): void {
    this.#listener.stop(true);
  }
}

function send(socket: Bun.Socket<{ unsent: Buffer; ending: Ending } | undefined>): void {
  const { data } = socket;
  if (!data) return;
  data.unsent = data.unsent.subarray(Math.max(0, socket.write(data.unsent)));
  if (data.unsent.length > 0) return;
  if (data.ending === "end") socket.shutdown();
  else if (data.ending === "reset") socket.terminate();
}

async function answerTo(sluice: Sluice, target: string, method = "GET", ms = WAIT_MS) {
  using client = await HttpClient.connect(sluice);
  client.request(method, target);
  const { status, raw, headers } = await client.head(ms);
  return { status, head: raw, headers, body: (await client.readToEnd(ms)).toString("latin1") };
}

const OK = "HTTP/1.1 200 OK\r\n";

/** What keeps a browser from taking an answer for ours, and from showing what may be a page (http.md section 25). */
const CONFINED =
  "Content-Security-Policy: sandbox\r\nX-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-site\r\n";
const DOWNLOADED = "Content-Disposition: attachment\r\n";
const NO_PAGE = /^HTTP\S+ (204|304)|^Content-Type:/m;

function confined(answer: string): string {
  const added = NO_PAGE.test(answer) ? CONFINED : DOWNLOADED + CONFINED;
  return answer.replace("Connection: close\r\n", `${added}Connection: close\r\n`);
}

/** `HOST` stands for the origin; what every answer gets is left out. */
const GOOD_ANSWERS: readonly (readonly [what: string, answer: string, method: string, expected: string])[] = [
  [
    "a part, with its own headers only",
    "HTTP/1.1 206 Some Part\r\nContent-Type: video/mp2t\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n" +
      "Set-Cookie: a=b\r\nX-Named: 1\r\nConnection: keep-alive, X-Named\r\nKeep-Alive: timeout=5\r\n" +
      "Proxy-Authenticate: Basic\r\nTrailer: X\r\nUpgrade: h2c\r\nSet-Cookie: c=d; Path=/\r\nx-KEPT:  \xe4 \r\n\r\nabcd",
    "GET",
    "HTTP/1.1 206 Some Part\r\nContent-Type: video/mp2t\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n" +
      "Set-Cookie: r2hc~127.0.0.1~a=b; HttpOnly; SameSite=Lax; Path=/http/HOST/dir\r\nSet-Cookie: r2hc~127.0.0.1~c=d; HttpOnly; SameSite=Lax; Path=/http/HOST\r\nx-KEPT: \xe4\r\nConnection: close\r\n\r\nabcd",
  ],
  ["a head only", `${OK}Content-Length: 9\r\n\r\n`, "HEAD", `${OK}Content-Length: 9\r\nConnection: close\r\n\r\n`],
  ["204", "HTTP/1.1 204 No Content\r\n\r\n", "GET", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"],
  [
    "304",
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n',
    "GET",
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\nConnection: close\r\n\r\n',
  ],
  ["no bytes", `${OK}Content-Length: 0\r\n\r\n`, "GET", `${OK}Content-Length: 0\r\nConnection: close\r\n\r\n`],
  [
    "only its own bytes",
    `${OK}Content-Length: 2\r\n\r\nok!!`,
    "GET",
    `${OK}Content-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "chunks with their extensions and trailers",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\nmore`,
    "GET",
    `${OK}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n`,
  ],
  [
    "chunks beside a length",
    `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    "GET",
    `${OK}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  [
    "a repeated length",
    `${OK}Content-Length: 2\r\nContent-Length: 2, 2\r\n\r\nok`,
    "GET",
    `${OK}Content-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "no interim responses",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
    "GET",
    `${OK}Content-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "404 with its page",
    "HTTP/1.1 404 Nichts da\r\nContent-Length: 4\r\n\r\ngone",
    "GET",
    "HTTP/1.1 404 Nichts da\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone",
  ],
  [
    "502 with its page, also for a playlist",
    "HTTP/1.0 502 \r\nContent-Type: audio/x-mpegurl\r\nContent-Length: 4\r\n\r\na.ts",
    "GET",
    "HTTP/1.0 502 \r\nContent-Type: audio/x-mpegurl\r\nContent-Length: 4\r\nConnection: close\r\n\r\na.ts",
  ],
  [
    "bare line feeds and folds in a strict form",
    "HTTP/1.1 200 OK\nX: a\n  b\nContent-Length : 2\n\nok",
    "GET",
    `${OK}X: a b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "Shoutcast's status line in that of HTTP",
    "ICY 200 OK\r\nicy-name: Radio \xd6\r\nContent-Length: 2\r\n\r\nok",
    "GET",
    `${OK}icy-name: Radio \xd6\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "no line that is no header",
    `\r\n${OK}X: a\x01b\r\n: b\r\nHTTP/1.1 500 Oops\r\nX Iinfo 5-1: bad\r\n folded\r\nContent-Length: 2\r\n\r\nok`,
    "GET",
    `${OK}Content-Length: 2\r\nConnection: close\r\n\r\nok`,
  ],
  [
    "chunks as players read them",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3   \nabc\n0\n\nmore`,
    "GET",
    `${OK}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3   \nabc\n0\n\n`,
  ],
];

const M3U = "Content-Type: application/x-mpegurl\r\n";
const SENSELESS_ANSWERS: readonly (readonly [what: string, answer: string, ending: Ending])[] = [
  ["two lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`, "stay"],
  ["a list of lengths", `${OK}Content-Length: 2, 3\r\n\r\nok!`, "stay"],
  ["a giant head", `${OK}X: ${"x".repeat(70_000)}\r\n\r\n`, "stay"],
  ["a head without end", `${OK}${"X: y\r\n".repeat(300)}`, "stay"],
  ["endless interim responses", "HTTP/1.1 100 Continue\r\n\r\n".repeat(5000), "stay"],
  ["garbage", "\x00\xffgarbage\r\n\r\n", "stay"],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "stay"],
  ["a status that is none", "HTTP/1.1 99 Low\r\n\r\n", "stay"],
  ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\nx", "stay"],
  ["nothing before the end", "", "end"],
  ["nothing before a reset", "", "reset"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Le", "end"],
  ["a playlist in two codings", `${OK}${M3U}Transfer-Encoding: gzip, chunked\r\n\r\n`, "stay"],
  ["a playlist in bad chunks", `${OK}${M3U}Transfer-Encoding: chunked\r\n\r\nx\r\nabc`, "stay"],
  ["a playlist that ends in a chunk", `${OK}${M3U}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`, "end"],
  ["a playlist that is not what it says", `${OK}${M3U}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\na.ts`, "stay"],
  ["a playlist that is too large", `${OK}${M3U}\r\n${"#\n".repeat(1024 * 1024 + 1)}`, "stay"],
];

forEachVariant("proxied responses", (start) => {
  let sluice: Sluice;
  let files: number;
  const origin = new ScriptedOrigin();
  beforeAll(async () => {
    sluice = await start({ args: ["-m", "64"] });
    files = await sluice.fds();
  });
  afterAll(() => origin.stop());

  test.each(GOOD_ANSWERS)("%s", async (_, answer, method, expected) => {
    const { head, body } = await answerTo(sluice, origin.add(answer), method, AT_ONCE_MS);
    expect(head + body).toBe(confined(expected.replaceAll("HOST", origin.address)));
  });

  test("a body that ends early is seen to be short", async () => {
    for (const ending of ["end", "reset"] as const) {
      const { headers, body } = await answerTo(sluice, origin.add(`${OK}Content-Length: 9\r\n\r\nshort`, ending));
      expect([headers.get("content-length"), body]).toEqual(["9", "short"]);
    }
  });

  test("a body without a length ends with the connection", async () => {
    const { head, body } = await answerTo(sluice, origin.add("HTTP/1.0 200 OK\r\n\r\nall of it", "end"));
    expect(head + body).toBe(confined("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall of it"));
  });

  test.each(["-1", "2x", "", "18446744073709551615"])("a length of %j is none", async (length) => {
    const answer = `${OK}Content-Length: ${length}\r\n\r\nall of it`;
    const { head, body } = await answerTo(sluice, origin.add(answer, "end"));
    expect(head + body).toBe(confined(`${OK}Connection: close\r\n\r\nall of it`));
  });

  test.each(SENSELESS_ANSWERS)("503 for %s", async (_, answer, ending) => {
    const { status, body } = await answerTo(sluice, origin.add(answer, ending), "GET", AT_ONCE_MS);
    expect([status, body]).toEqual([503, ERROR_PAGE]);
  });

  test("503 after a silence", async () => {
    const sluice = await start({ args: ["--http-answer-timeout", "1"] });
    const waited = async (answer: string) => {
      const begin = performance.now();
      const { status, body } = await answerTo(sluice, origin.add(answer), "GET", HEAD_TIMEOUT_MS + SLACK_MS);
      expect([status, body]).toEqual([503, ERROR_PAGE]);
      return performance.now() - begin;
    };
    for (const ms of await Promise.all(["", OK, `HTTP/1.1 100 Continue\r\n\r\n`].map(waited))) {
      expect(ms).toBeGreaterThan(HEAD_TIMEOUT_MS - 100);
      expect(ms).toBeLessThan(HEAD_TIMEOUT_MS + SLACK_MS);
    }
  }, 10_000);

  test("no connection is left open", async () => {
    await until(async () => (await sluice.fds()) <= files, WAIT_MS, `at most ${files} open files`);
  });

  /** The Location that the client of `server` gets. */
  async function locationOf(server: Sluice, location: string, status = 302): Promise<string | null> {
    const target = origin.add(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
    return (await answerTo(server, target)).headers.get("location");
  }

  test("redirects lead through the relay", async () => {
    const here = `/http/${origin.address}`;
    for (const status of [301, 302, 303, 307, 308]) {
      expect(await locationOf(sluice, "http://other.example/p?q=http://x/", status)).toBe(
        "/http/other.example/p?q=http://x/",
      );
    }
    expect(await locationOf(sluice, "HTTP://Other.example:8080/x")).toBe("/http/Other.example:8080/x");
    expect(await locationOf(sluice, "/p//q")).toBe(`${here}/p//q`);
    expect(await locationOf(sluice, "p/./../q?r")).toBe(`${here}/dir/q?r`);
    expect(await locationOf(sluice, "?x")).toMatch(new RegExp(`^${here}/dir/\\d+\\?x$`));
    expect(await locationOf(sluice, "//other.example/p")).toBe("/http/other.example/p");
    for (const stays of ["https://other.example/p", "mailto:a@b", "rtsp://other.example/p"]) {
      expect(await locationOf(sluice, stays)).toBe(stays);
    }
    for (const status of [201, 300, 304, 404]) {
      expect(await locationOf(sluice, "http://other.example/p", status)).toBe("http://other.example/p");
    }
  });

  test("--proxy-https leads redirects to https through the relay too", async () => {
    await using other = await start({ args: ["--proxy-https"] });
    expect(await locationOf(other, "https://other.example/p")).toBe("/https/other.example/p");
    expect(await locationOf(other, "http://other.example/p")).toBe("/http/other.example/p");
  });
});
