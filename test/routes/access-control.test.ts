import { describe, expect, test } from "bun:test";
import { AccessControl, type AccessControlOptions } from "../../src/routes/access-control.ts";
import type { Exchange, Route } from "../../src/routes/route.ts";
import { router } from "../../src/routes/router.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { TestServer } from "../http/serve.ts";
import { OPEN } from "./routed-server.ts";

const PAGE = { status: 200, headers: [["Content-Type", "text/plain"]], body: "page" } as const;

/** A server behind a accessControl, with what passed it. Its one route answers all but `/none`. */
class Guarded {
  readonly passed: Exchange[] = [];
  readonly log = recordingLog();
  readonly #server: TestServer;

  constructor(options: Partial<AccessControlOptions>, assets?: Route) {
    const accessControl = new AccessControl({ ...OPEN, ...options }, this.log);
    const route: Route = (exchange) => {
      this.passed.push(exchange);
      if (exchange.path !== "/none") exchange.connection.respond(PAGE);
      return exchange.path !== "/none";
    };
    const parts = { accessControl, routes: [route], log: this.log, ...(assets && { assets }) };
    this.#server = new TestServer(router(parts), { errorResponse: (status) => accessControl.errorResponse(status) });
  }

  async ask(target: string, headers: Readonly<Record<string, string>> = {}, method = "GET") {
    using client = await HttpClient.connect({ port: this.#server.listener.port });
    client.request(method, target, headers);
    const head = await client.head();
    return { ...head, body: (await client.readToEnd()).toString() };
  }

  /** The lines behind `New client`. */
  get complaints(): string[] {
    return this.log.lines.filter((line) => !line.includes("New client"));
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
  }
}

test("without options everybody passes, and an answer has no more headers than its own", async () => {
  using guarded = new Guarded({});
  const { raw } = await guarded.ask("/a/b$HD?x=1");
  expect(raw).toBe("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n");
  const [exchange] = guarded.passed;
  expect(exchange).toMatchObject({ path: "/a/b", query: "x=1", isCors: false });
  expect(exchange!.clientAddress).toBe(exchange!.connection.peer);
  expect(guarded.complaints).toEqual([]);
  expect((await guarded.ask("/x", {}, "OPTIONS")).status).toBe(200);
});

test("slashes that a path begins with count as one, for a prefix and for assets too", async () => {
  using guarded = new Guarded({ appPathPrefix: parsePathPrefix("tv"), r2hToken: "t" });
  await guarded.ask("///tv/udp//x?r2h-token=t");
  expect(guarded.passed.map(({ path }) => path)).toEqual<unknown>(["/udp//x"]);
  expect((await guarded.ask("//tv/assets/x")).status).toBe(404);
  expect((await guarded.ask("//tv/x")).status).toBe(401);
});

describe("answers in the order of", () => {
  const ALL = {
    hostname: parsePublicHost("tv.example"),
    r2hToken: "secret",
    corsAllowOrigin: "*",
    appPathPrefix: parsePathPrefix("/tv"),
  };
  const HOST = { Host: "tv.example" };
  test.each([
    ["target", "*", {}, "GET", 400],
    ["target", "http://tv.example/tv/x?r2h-token=secret", HOST, "GET", 400],
    ["Host", "/nowhere", {}, "GET", 400],
    ["Host", "/tv/x", { Host: "evil" }, "OPTIONS", 400],
    ["Host", "/tv/assets/a", {}, "GET", 400],
    ["prefix", "/nowhere", HOST, "OPTIONS", 404],
    ["prefix", "/tvx?r2h-token=secret", HOST, "GET", 404],
    ["prefix", "/assets/a", HOST, "GET", 404],
    ["preflight", "/tv/none", HOST, "OPTIONS", 204],
    ["preflight", "/tv/assets/a", HOST, "OPTIONS", 204],
    ["assets", "/tv/assets/a", HOST, "GET", 200],
    ["assets", "/tv/assets/none", HOST, "GET", 404],
    ["token", "/tv/none", HOST, "GET", 401],
    ["token", "/tv/%61ssets/a", HOST, "GET", 401],
    ["token", "/tv", HOST, "HEAD", 401],
    ["routes", "/tv/none?r2h-token=secret", HOST, "GET", 404],
    ["routes", "/tv/x?r2h-token=secret", HOST, "GET", 200],
  ] as const)("%s: %s with %j, %s: %d", async (_step, target, headers, method, status) => {
    const assets: Route = ({ path, connection }) => {
      if (path !== "/assets/none") connection.respond(PAGE);
      return path !== "/assets/none";
    };
    using guarded = new Guarded(ALL, assets);
    const answer = await guarded.ask(target, headers, method);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(guarded.passed.length).toBe(_step === "routes" ? 1 : 0);
  });

  test("assets: no other route is asked for them, as it could do without the token", async () => {
    using guarded = new Guarded({ r2hToken: "secret" });
    expect((await guarded.ask("/assets/a?r2h-token=secret")).status).toBe(404);
    expect(guarded.passed).toEqual([]);
  });
});

describe("the Host check", () => {
  test("says in the log what it has refused", async () => {
    using guarded = new Guarded({ hostname: parsePublicHost("tv.example:5140") });
    expect((await guarded.ask("/", { Host: "evil.example" })).status).toBe(400);
    expect((await guarded.ask("/", { Host: "" })).status).toBe(400);
    expect(guarded.complaints).toEqual([
      "WARN Client request rejected: Host header mismatch (got: evil.example, expected: tv.example)",
      "WARN Client request rejected: missing Host header (expected: tv.example)",
    ]);
  });
});

describe("the app prefix", () => {
  test.each([
    ["/tv", "/", ""],
    ["/tv?a=1", "/", "a=1"],
    ["/tv/", "/", ""],
    ["/tv$HD", "/", ""],
    ["/tv/x/y?a", "/x/y", "a"],
    ["/tv/tv", "/tv", ""],
  ])("of %s leaves %s and %j", async (target, path, query) => {
    using guarded = new Guarded({ appPathPrefix: parsePathPrefix("/tv") });
    expect((await guarded.ask(target)).status).toBe(200);
    expect(guarded.passed).toMatchObject([{ path, query }]);
  });
});

describe("the token", () => {
  test("missing or wrong is answered 401 and named in the log", async () => {
    using guarded = new Guarded({ r2hToken: "secret", corsAllowOrigin: "https://a.example" });
    const { raw, body } = await guarded.ask("/x");
    expect(raw).toBe(
      "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n" +
        "Access-Control-Allow-Origin: https://a.example\r\nWWW-Authenticate: Bearer\r\n\r\n",
    );
    expect(body).toBe("<!doctype html><title>401</title>Unauthorized");
    await guarded.ask("/x?r2h-token=wrong", { Cookie: "r2h-token=secret" });
    await guarded.ask("/x", { Cookie: "r2h-token=wrong", "User-Agent": "R2HTOKEN/secret" });
    await guarded.ask("/x", { "User-Agent": "R2HTOKEN/wrong" });
    expect(guarded.passed).toEqual([]);
    expect(guarded.complaints).toEqual([
      "WARN Client request rejected: r2h-token not found",
      "WARN Client request rejected: r2h-token mismatch (source: query)",
      "WARN Client request rejected: r2h-token mismatch (source: cookie)",
      "WARN Client request rejected: r2h-token mismatch (source: user-agent)",
    ]);
  });

  test("in the query becomes a cookie, whatever the status, and is taken away", async () => {
    using guarded = new Guarded({ r2hToken: "é $", corsAllowOrigin: "*", appPathPrefix: parsePathPrefix("/tv") });
    const found = await guarded.ask("/tv/x?a=1&r2h-token=%C3%A9%20%24&b");
    expect(found.raw).toBe(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
        "Set-Cookie: r2h-token=%C3%A9%20%24; Path=/tv; HttpOnly; SameSite=Strict\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
    );
    expect(guarded.passed).toMatchObject([{ path: "/x", query: "a=1&b", isCors: true }]);
    const missing = await guarded.ask("/tv/none?r2h-token=%C3%A9%20%24");
    expect([missing.status, missing.headers.get("set-cookie")]).toEqual([404, found.headers.get("set-cookie")]);
  });

  test("in cookie or User-Agent sets no cookie", async () => {
    using guarded = new Guarded({ r2hToken: "secret" });
    for (const headers of [{ Cookie: "r2h-token=secret" }, { "User-Agent": "a R2HTOKEN/secret" }]) {
      const { status, headers: answer } = await guarded.ask("/x", headers);
      expect([status, answer.get("set-cookie")]).toEqual([200, null]);
    }
  });

  test("may look like a label, and the cookie is then for all paths", async () => {
    using guarded = new Guarded({ r2hToken: "a$b" });
    const { status, headers } = await guarded.ask("/x?r2h-token=a$b");
    expect([status, headers.get("set-cookie")]).toEqual([200, "r2h-token=a%24b; Path=/; HttpOnly; SameSite=Strict"]);
    expect(guarded.passed).toMatchObject([{ path: "/x", query: "" }]);
  });

  test("is taken from the query even when there is none to know", async () => {
    using guarded = new Guarded({});
    const { headers } = await guarded.ask("/x?R2H-Token=a&b&r2h-token=c");
    expect(headers.get("set-cookie")).toBeNull();
    expect(guarded.passed).toMatchObject([{ query: "b" }]);
  });

  test("is never in the log", async () => {
    using guarded = new Guarded({ r2hToken: "secret", xff: true, hostname: parsePublicHost("test") });
    for (const target of ["/x", "/x?r2h-token=secret", "/x?r2h-token=secretive", "/x?a=b%3Fr2h-token%3Dsecret", "*"]) {
      for (const headers of [{}, { Cookie: "r2h-token=secret" }, { "User-Agent": "R2HTOKEN/secret" }, { Host: "x" }]) {
        await guarded.ask(target, headers);
      }
    }
    expect(guarded.log.lines.length).toBeGreaterThanOrEqual(20);
    expect(guarded.log.lines.join("\n")).not.toContain("secret");
  });
});

describe("X-Forwarded-For", () => {
  const forwarded = { "X-Forwarded-For": " 192.0.2.7 , 198.51.100.1", Host: "tv.example" };
  test.each([
    [{ xff: true }, true],
    [{ hostname: parsePublicHost("https://tv.example") }, true],
    [{ hostname: parsePublicHost("tv.example") }, false],
    [{}, false],
  ])("with %j is believed: %p", async (options, isBelieved) => {
    using guarded = new Guarded(options);
    await guarded.ask("/x", forwarded);
    const [exchange] = guarded.passed;
    expect(exchange!.clientAddress).toBe(isBelieved ? "192.0.2.7" : exchange!.connection.peer);
    expect(guarded.complaints).toEqual(isBelieved ? ["INFO X-Forwarded-For accepted: 192.0.2.7"] : []);
    expect(guarded.log.lines[0]).toStartWith(`INFO New client ${exchange!.connection.peer} requested`);
  });

  test("that is empty or missing leaves the peer", async () => {
    using guarded = new Guarded({ xff: true });
    await guarded.ask("/x");
    await guarded.ask("/x", { "X-Forwarded-For": ", 192.0.2.7" });
    expect(guarded.passed.map(({ clientAddress }) => clientAddress)).toEqual(
      guarded.passed.map(({ connection }) => connection.peer),
    );
    expect(guarded.complaints).toEqual([]);
  });
});

test("the answer to a preflight has its headers in order", async () => {
  using guarded = new Guarded({ corsAllowOrigin: "https://a.example", r2hToken: "secret" });
  const asked = { "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range" };
  expect((await guarded.ask("/x?r2h-token=secret", asked, "OPTIONS")).raw).toBe(
    "HTTP/1.1 204 No Content\r\nConnection: close\r\nAccess-Control-Allow-Origin: https://a.example\r\n" +
      "Access-Control-Allow-Methods: GET\r\nAccess-Control-Allow-Headers: range\r\n" +
      "Access-Control-Max-Age: 86400\r\nContent-Length: 0\r\n\r\n",
  );
});

test("a request that cannot be read gets the CORS header, once", async () => {
  using guarded = new Guarded({ corsAllowOrigin: "*" });
  const { raw } = await guarded.ask(`/${"x".repeat(2100)}`);
  expect(raw).toBe(
    "HTTP/1.1 414 URI Too Long\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n" +
      "Access-Control-Allow-Origin: *\r\n\r\n",
  );
});
