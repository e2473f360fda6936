import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DownloadLimits, download } from "../../src/playlist/download.ts";
import { PlaylistError } from "../../src/playlist/errors.ts";
import { collect } from "../../src/playlist/streams.ts";
import { endless, PlaylistServer, silence, trickle } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { until } from "../fakes/until.ts";

const MAX_REDIRECTS = 50;

const LIMITS: DownloadLimits = { maxBytes: 100_000, totalMs: 5000, idleMs: 2000 };
const LIMIT_MS = 3000;

const server = new PlaylistServer();
const directory = await mkdtemp(join(tmpdir(), "sluice-download-"));
afterEach(() => {
  server.requests.length = 0;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function text(url: string, limits: Partial<DownloadLimits> = {}, etag?: string): Promise<string | undefined> {
  const request = {
    userAgent: "test/1",
    url,
    limits: { ...LIMITS, ...limits },
    reach: OPEN_REACH,
    etag,
    signal: new AbortController().signal,
  };
  return download(request, async ({ body }) => (await collect(body)).toString());
}

async function failure(url: string, limits: Partial<DownloadLimits> = {}): Promise<string> {
  try {
    await text(url, limits);
  } catch (error) {
    if (error instanceof PlaylistError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("over HTTP", () => {
  test("a body comes", async () => {
    expect(await text(server.on("/a", "hello"))).toBe("hello");
    const { headers } = server.requests[0]!;
    expect([headers.get("accept-encoding"), headers.get("user-agent")]).toEqual(["gzip", "test/1"]);
  });

  test("the connection is closed, also when the server would keep it", async () => {
    let isClosed = false;
    const raw = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        },
        close: () => {
          isClosed = true;
        },
      },
    });
    expect(await text(`http://127.0.0.1:${raw.port}/`)).toBe("hello");
    await until(() => isClosed, LIMIT_MS, "the connection to be closed");
    raw.stop(true);
  });

  test("name and password of a URL are sent", async () => {
    const url = server.on("/secret", ({ headers }) => new Response(headers.get("authorization")));
    expect(await text(url.replace("http://", "http://user:p%40ss@"))).toBe(`Basic ${btoa("user:p@ss")}`);
  });

  test("gzip as a content coding is undone, a gzip file is not", async () => {
    const packed = Bun.gzipSync("hello".repeat(1000));
    const coded = server.on("/coded", () => new Response(packed, { headers: { "Content-Encoding": "gzip" } }));
    expect(await text(coded)).toBe("hello".repeat(1000));
    const file = server.on("/file.gz", packed);
    const request = {
      url: file,
      limits: LIMITS,
      reach: OPEN_REACH,
      userAgent: "test/1",
      signal: new AbortController().signal,
    };
    expect(await download(request, ({ body }) => collect(body))).toEqual(Buffer.from(packed));
  });

  test("what is broken fails", async () => {
    const packed = Bun.gzipSync("hello".repeat(1000));
    const coded =
      (bytes: Uint8Array<ArrayBuffer>, coding = "gzip") =>
      () =>
        new Response(bytes, { headers: { "Content-Encoding": coding } });
    expect(await failure(server.on("/cut", coded(packed.slice(0, 20))))).toStartWith("bad-content: Broken gzip");
    expect(await failure(server.on("/plain", coded(Buffer.from("hello"))))).toStartWith("bad-content: Broken gzip");
    expect(await failure(server.on("/br", coded(packed, "br")))).toStartWith("bad-content: Broken brotli");
    expect(await failure(server.on("/sdch", coded(packed, "sdch")))).toBe(
      "bad-content: Content-Encoding sdch is not known",
    );
    expect(await failure(server.on("/500", () => new Response("#EXTINF", { status: 500 })))).toBe(
      "bad-status: HTTP status 500",
    );
    expect(await failure(server.url("/nothing"))).toBe("bad-status: HTTP status 404");
    expect(await failure("http://127.0.0.1:1/")).toStartWith("unreachable: ");
    expect(await failure("ftp://127.0.0.1/")).toStartWith("bad-url: ");
    expect(await failure("http://")).toStartWith("bad-url: ");
  });

  test("too much is a failure, before and after decoding", async () => {
    expect(await failure(server.on("/endless", endless))).toBe("too-large: More than 100000 bytes");
    const bomb = Bun.gzipSync(new Uint8Array(10_000_000));
    const coded = server.on("/bomb", () => new Response(bomb, { headers: { "Content-Encoding": "gzip" } }));
    expect(await failure(coded)).toBe("too-large: More than 100000 bytes");
    expect(await text(server.on("/fits", "x".repeat(100_000)))).toHaveLength(100_000);
  });

  test("redirects are followed, but not for ever, and not to files", async () => {
    const to =
      (location: string, status = 302) =>
      () =>
        new Response("moved", { status, headers: { Location: location } });
    server.on("/end", "hello");
    server.on("/two", to(server.url("/end"), 308));
    expect(await text(server.on("/one", to("two", 301)))).toBe("hello");
    server.requests.length = 0;
    expect(await failure(server.on("/loop", to("/loop")))).toStartWith("too-many-redirects");
    expect(server.requests).toHaveLength(MAX_REDIRECTS + 1);
    expect(await failure(server.on("/file", to("file:///etc/hostname")))).toStartWith("bad-url: ");
  });

  test("a copy that is still good is not sent again", async () => {
    const url = server.on("/tagged", ({ headers }) =>
      headers.get("if-none-match") === '"1"'
        ? new Response(null, { status: 304 })
        : new Response("hello", { headers: { ETag: '"2"' } }),
    );
    expect(await text(url, {}, '"1"')).toBeUndefined();
    expect(await text(url, {}, '"0"')).toBe("hello");
    const request = {
      url,
      limits: LIMITS,
      reach: OPEN_REACH,
      userAgent: "test/1",
      signal: new AbortController().signal,
    };
    expect(await download(request, ({ etag }) => Promise.resolve(etag))).toBe('"2"');
    expect(await failure(server.on("/odd", () => new Response(null, { status: 304 })))).toBe(
      "bad-status: HTTP status 304",
    );
  });
});

describe("time", () => {
  test("runs out when nothing comes at all", async () => {
    expect(await failure(server.on("/silence", silence), { idleMs: 50 })).toBe("timeout: Nothing came for 50 ms");
  });

  test("runs out when a body stalls", async () => {
    const url = server.on("/slow", () => trickle("hello", 10_000));
    expect(await failure(url, { idleMs: 50 })).toBe("timeout: Nothing came for 50 ms");
  });

  test("runs out for a body that comes byte by byte, however steadily", async () => {
    const url = server.on("/steady", () => trickle("x".repeat(100_000), 5));
    expect(await failure(url, { idleMs: 1000, totalMs: 150 })).toBe("timeout: Not complete within 150 ms");
  });

  test("does not run out while it goes on", async () => {
    expect(
      await text(
        server.on("/fine", () => trickle("hello", 150)),
        { idleMs: 700 },
      ),
    ).toBe("hello");
  });

  test("ends at once when nobody wants it any more", async () => {
    const abort = new AbortController();
    const loading = download(
      { url: server.on("/s", silence), limits: LIMITS, reach: OPEN_REACH, userAgent: "test/1", signal: abort.signal },
      ({ body }) => collect(body),
    );
    await until(() => server.requests.length > 0, LIMIT_MS, "the request");
    abort.abort(new Error("enough"));
    expect(loading).rejects.toThrow("enough");
    await loading.catch(() => {});
    await until(() => server.pending === 0, LIMIT_MS, "no connection to be left");
  });
});

describe("a file", () => {
  test("is read, its name taken as it stands", async () => {
    const path = join(directory, "a%20 b.m3u");
    await writeFile(path, "hello");
    expect(await text(`file://${path}`)).toBe("hello");
    expect(await failure(`file://${path}`, { maxBytes: 4 })).toBe("too-large: More than 4 bytes");
  });

  test("that is none fails", async () => {
    expect(await failure("file://a.m3u")).toBe("bad-url: Not an absolute path: a.m3u");
    expect(await failure(`file://${directory}`)).toBe(`bad-url: Not a file: ${directory}`);
    expect(await failure("file:///dev/zero")).toBe("bad-url: Not a file: /dev/zero");
    expect(await failure(`file://${directory}/none`)).toBe(`unreachable: ${directory}/none: no such file or directory`);
  });
});
