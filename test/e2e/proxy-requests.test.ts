/** What an origin gets of a client's request: one request that nobody can read in two ways, or nothing at all. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { seededRandom } from "../fakes/random.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice, type Start } from "./harness.ts";

const WAIT_MS = 20_000;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const STRICT_HEAD = new RegExp(
  `^${TOKEN} [!-~\\x80-\\xff]+ HTTP/1\\.1\r\n(?:${TOKEN}: [!-~\\x80-\\xff](?:[\\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?\r\n)+\r\n`,
);

/** The raw bytes of one connection, as a byte string. */
class Recording {
  text = "";
  isClosed = false;

  /** The head, once it has arrived. */
  get head(): string | undefined {
    const end = this.text.indexOf("\r\n\r\n");
    return end < 0 ? undefined : this.text.slice(0, end + 4);
  }

  get isComplete(): boolean {
    const { head } = this;
    return (
      head !== undefined && this.text.length >= head.length + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    );
  }

  /** Why two readers might differ about what these bytes mean. */
  get ambiguity(): string | undefined {
    const [head] = STRICT_HEAD.exec(this.text) ?? [];
    if (head === undefined) return "the head is not strict";
    const names = head.split("\r\n").map((line) => line.split(":", 1)[0]!.toLowerCase());
    if (names.includes("transfer-encoding")) return "there is a transfer coding";
    for (const name of ["host", "content-length", "connection"]) {
      if (names.filter((other) => other === name).length > 1) return `${name} stands there twice`;
    }
    const length = /^content-length: (.*)\r$/im.exec(head)?.[1] ?? "0";
    return this.text === head + this.text.slice(head.length, head.length + Number(length))
      ? undefined
      : `not ${length} bytes`;
  }
}

/** Keeps what it is sent, and answers once a request is complete. */
class RecordingOrigin {
  recordings: Recording[] = [];
  readonly #listener: Bun.TCPSocketListener<Recording>;

  constructor() {
    this.#listener = Bun.listen<Recording>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = new Recording();
          this.recordings.push(socket.data);
        },
        data: (socket, bytes) => {
          const wasComplete = socket.data.isComplete;
          socket.data.text += bytes.toString("latin1");
          if (!wasComplete && socket.data.isComplete) socket.write(ANSWER);
        },
        close: ({ data }) => {
          data.isClosed = true;
        },
      },
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  /** Waits until every connection is closed, and forgets them. */
  async take(): Promise<Recording[]> {
    const { recordings } = this;
    await until(() => recordings.every(({ isClosed }) => isClosed), WAIT_MS, "the relay to close its connections");
    this.recordings = [];
    return recordings;
  }

  stop(): void {
    this.#listener.stop(true);
  }
}

/** Requests in which `TARGET` stands for the origin's URL, and the status that they are answered with. */
const CORPUS: readonly (readonly [status: number, what: string, request: string])[] = [
  [400, "two lengths", get("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")],
  [400, "two lengths in other letters", get("content-length: 6\r\nContent-Length: 5\r\n", "hello!")],
  [400, "a list of lengths", get("Content-Length: 5, 6\r\n", "hello!")],
  [400, "a length and a word", get("Content-Length: 5\r\nContent-Length: abc\r\n", "hello")],
  [200, "the same length twice", get("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")],
  [200, "the same length in a list", get("Content-Length: 5, 5\r\n", "hello")],
  [200, "a length with a sign", get("Content-Length: +5\r\n", "hello")],
  [200, "a negative length", get("Content-Length: -5\r\n", "hello")],
  [200, "a hexadecimal length", get("Content-Length: 0x5\r\n", "hello")],
  [200, "a length with a blank", get("Content-Length: 5 5\r\n", "hello")],
  [200, "an empty length", get("Content-Length:\r\n", "hello")],
  [413, "a length beyond all numbers", get(`Content-Length: ${"9".repeat(40)}\r\n`, "hello")],
  [413, "a body too large", get(`Content-Length: ${MAX_BODY_BYTES + 1}\r\n`, "hello")],
  [501, "a length, then a coding", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")],
  [501, "a coding, then a length", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")],
  [501, "bad chunk sizes", get("Transfer-Encoding: chunked\r\n", "-5\r\nhello\r\n0x0\r\n\r\n")],
  [501, "two codings", get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")],
  [501, "an unknown coding", get("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")],
  [200, "no coding at all", get("Transfer-Encoding: identity\r\n", "hello")],
  [501, "an empty coding", get("Transfer-Encoding:\r\n", "0\r\n\r\n")],
  [501, "a folded coding", get("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")],
  [400, "a blank before the colon", get("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")],
  [400, "a vertical tab in a coding", get("Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n")],
  [200, "a coding that is folded away", get("X-Fold: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n")],
  [400, "a fold of nothing", "GET TARGET HTTP/1.1\r\n Host: test\r\n\r\n"],
  [200, "bare line feeds", get("Content-Length: 5\r\n", "hello").replaceAll("\r\n", "\n")],
  [400, "a bare carriage return", get("X: a\rTransfer-Encoding: chunked\r\n")],
  [400, "two carriage returns", get("X: a\r\r\n")],
  [400, "a NUL in a value", get("X: a\0b\r\n")],
  [400, "a NUL in a name", get("X\0: a\r\n")],
  [400, "a DEL in a value", get("X: a\x7fb\r\n")],
  [200, "a blank in a name", get("X Y: a\r\n")],
  [200, "no name", get(": a\r\n")],
  [200, "no colon", get("nonsense\r\n")],
  [200, "a blank in the target", "GET TARGET/a b HTTP/1.1\r\nHost: test\r\n\r\n"],
  [200, "a tab in the target", "GET TARGET/a\tb HTTP/1.1\r\nHost: test\r\n\r\n"],
  [400, "a carriage return in the target", "GET TARGET/a\rb HTTP/1.1\r\nHost: test\r\n\r\n"],
  [400, "a NUL in the method", "GE\0T TARGET HTTP/1.1\r\nHost: test\r\n\r\n"],
  [400, "a request line without version", "GET TARGET\r\nHost: test\r\n\r\n"],
  [400, "another version", "GET TARGET HTTP/1.10\r\nHost: test\r\n\r\n"],
  [200, "a whole URL", "GET http://testTARGET HTTP/1.1\r\nHost: test\r\n\r\n"],
  [200, "a whole URL of another name", "GET http://otherTARGET HTTP/1.1\r\nHost: test\r\nHost: third\r\n\r\n"],
  [200, "a user in the host", "GET /http/user:secret@TARGET HTTP/1.1\r\nHost: test\r\n\r\n"],
  [503, "an encoded slash in the host", "GET /http/test%2fx:80/ HTTP/1.1\r\nHost: test\r\n\r\n"],
  [503, "a line break in the host", "GET /http/test%0d%0aX:80/ HTTP/1.1\r\nHost: test\r\n\r\n"],
  [200, "an older version", "GET TARGET HTTP/1.0\r\n\r\n"],
  [200, "another method", "get TARGET HTTP/1.1\r\nHost: test\r\n\r\n"],
  [200, "two hosts", get("Host: other\r\n")],
  [200, "an escaped line break", "GET TARGET%0d%0aX:%20y HTTP/1.1\r\nHost: test\r\n\r\n"],
  [200, "bytes beyond ASCII", "GET TARGET\xc3\xa4?\xff HTTP/1.1\r\nHost: test\r\nX: \xc3\xa4\r\n\r\n"],
  [
    200,
    "a Connection header that names the length",
    get("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"),
  ],
  [200, "a Connection header that names the host", get("Connection: close, Host\r\n")],
  [200, "an upgrade", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n")],
  [200, "a second request", `${get("")}${get("X-Second: 1\r\n")}`],
  [200, "a second request in the body's place", get("", get("X-Second: 1\r\n"))],
  [200, "a second request behind a body", get("Content-Length: 5\r\n", `hello${get("X-Second: 1\r\n")}`)],
  [200, "a second request as the body", get("Content-Length: 20\r\n", "GET / HTTP/1.1\r\n\r\n\r\n")],
];

function get(headers: string, body = ""): string {
  return `GET TARGET HTTP/1.1\r\nHost: test\r\n${headers}\r\n${body}`;
}

/** Sends a byte string; returns the status and whatever the origin was sent meanwhile. */
async function outcomeOf(sluice: Sluice, origin: RecordingOrigin, request: string) {
  using client = await HttpClient.connect(sluice);
  const url = request.includes("/TARGET") || request.includes("@TARGET") ? origin.address : `/http/${origin.address}/`;
  client.send(Buffer.from(request.replaceAll("TARGET", url), "latin1"));
  const { status } = await client.head(WAIT_MS);
  await client.readToEnd(WAIT_MS);
  return { status, recordings: await origin.take() };
}

forEachVariant("proxied requests", (start: Start) => {
  let sluice: Sluice;
  let files: number;
  const origin = new RecordingOrigin();
  beforeAll(async () => {
    sluice = await start();
    files = await sluice.fds();
  });
  afterAll(() => origin.stop());

  test.each(CORPUS)("%d for %s", async (status, _, request) => {
    const outcome = await outcomeOf(sluice, origin, request);
    expect(outcome.status).toBe(status);
    expect(outcome.recordings.map(({ ambiguity }) => ambiguity)).toEqual(status === 200 ? [undefined] : []);
  });

  test("leave no connection open", async () => {
    await until(async () => (await sluice.fds()) <= files, WAIT_MS, `at most ${files} open files`);
  });

  test("keep what is meant for the origin, and nothing else", async () => {
    const lines = [
      `PROPFIND /http/${origin.address}/a//b/../c?x=%20&R2H-Token=s&r2h-start=5&r2h-ifname= HTTP/1.1`,
      "Host: relay.example",
      "Connection: keep-alive, X-Named",
      "X-Named: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic eDp5",
      "TE: trailers",
      "Trailer: X-End",
      "Upgrade: websocket",
      "Expect: 100-continue",
      "Accept-Encoding: gzip, br",
      "X-Forwarded-For: 192.0.2.1",
      "X-Forwarded-Host: outside.example",
      "X-Forwarded-Proto: https",
      "X-Empty:",
      "Range: bytes=0-3",
      "User-Agent: player/1",
      "Cookie: a=b; c=d",
      "cOOKIE: e=f",
      "Authorization:  Basic dTpw ",
    ];
    const { status, recordings } = await outcomeOf(sluice, origin, `${lines.join("\r\n")}\r\n\r\n`);
    expect(status).toBe(200);
    expect(recordings.map(({ text }) => text.split("\r\n"))).toEqual([
      [
        "PROPFIND /a//b/../c?x=%20&r2h-start=5 HTTP/1.1",
        `Host: ${origin.address}`,
        "Connection: close",
        "Range: bytes=0-3",
        "User-Agent: player/1",
        "Cookie: a=b; c=d",
        "cOOKIE: e=f",
        "Authorization: Basic dTpw",
        "",
        "",
      ],
    ]);
  });

  test("name no port of 80 and ask for the root of a bare host", async () => {
    const { recordings } = await outcomeOf(
      sluice,
      origin,
      `GET /http/${origin.address}?x=1 HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    expect(recordings[0]!.text).toStartWith(`GET /?x=1 HTTP/1.1\r\nHost: ${origin.address}\r\n`);
  });

  test("-g replaces the User-Agent", async () => {
    await using other = await start({ args: ["-g", "relay/9 (x)"] });
    for (const header of ["User-Agent: player/1\r\n", ""]) {
      const { recordings } = await outcomeOf(other, origin, get(header));
      expect(recordings[0]!.text.match(/^user-agent: .*$/gim)).toEqual(["User-Agent: relay/9 (x)"]);
    }
  });

  test.each([1, 70_000, MAX_BODY_BYTES])("with a body of %d bytes arrive whole", async (size) => {
    const random = seededRandom(size);
    const body = Buffer.alloc(
      size,
      Uint8Array.from({ length: 65_521 }, () => random() * 256),
    );
    const head = `POST /http/${origin.address}/upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n`;
    const upload = async (expectation: string) => {
      using client = await HttpClient.connect(sluice);
      client.send(`${head}${expectation}\r\n`);
      if (expectation !== "") expect((await client.head(WAIT_MS)).status).toBe(100);
      client.send(body);
      expect((await client.response(WAIT_MS)).body.toString()).toBe("ok");
      const [recording, ...others] = await origin.take();
      expect(others).toEqual([]);
      expect(recording!.head).toContain(`\r\nContent-Length: ${size}\r\n`);
      expect(Buffer.from(recording!.text.slice(recording!.head!.length), "latin1").equals(body)).toBe(true);
    };
    await upload("");
    await upload("Expect: 100-continue\r\n");
  });
});
