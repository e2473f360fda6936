import { describe, expect, test } from "bun:test";
import { AccessControl, type AccessControlOptions } from "../../src/routes/access-control.ts";
import type { ControlRoute, Exchange, Route } from "../../src/routes/route.ts";
import { router } from "../../src/routes/router.ts";
import { parseAllowedHost } from "../../src/wire/url/allowed-hosts.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { TestServer } from "../http/serve.ts";
import { OPEN } from "./routed-server.ts";

const PAGE = { status: 200, headers: [["Content-Type", "text/plain"]], body: "page" } as const;

/** A server behind a accessControl, with what passed it. Its routes answer all but `/none`; one has control below `/control/`. */
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
    const control: ControlRoute = {
      owns: (path) => path.startsWith("/control/"),
      answer: (exchange) => exchange.connection.respond(PAGE),
    };
    const parts = { accessControl, routes: [control, route], log: this.log, ...(assets && { assets }) };
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
});

test.each(["/x", "/none", "/control/x", "*", "http://tv.example/x", "http://tv.example"])(
  "OPTIONS of %s is answered before any route is asked, also without token",
  async (target) => {
    for (const options of [{}, { r2hToken: "secret" }]) {
      using guarded = new Guarded(options);
      for (const method of ["OPTIONS", "options"]) {
        const { raw, body } = await guarded.ask(target, {}, method);
        expect(raw + body).toBe(
          "HTTP/1.1 204 No Content\r\nConnection: close\r\nAllow: GET, HEAD, POST, OPTIONS\r\nContent-Length: 0\r\n\r\n",
        );
      }
      expect([guarded.passed, guarded.complaints]).toEqual([[], []]);
    }
  },
);

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
    ["target", "tv.example:80", HOST, "CONNECT", 400],
    ["target", "rtsp://tv.example/tv/x", HOST, "OPTIONS", 400],
    ["Host", "http://evil/tv/x?r2h-token=secret", HOST, "GET", 400],
    ["Host", "http://user:password@tv.example/tv/x?r2h-token=secret", HOST, "GET", 400],
    ["Host", "*", { Host: "evil" }, "OPTIONS", 400],
    ["server", "*", HOST, "OPTIONS", 204],
    ["prefix", "http://tv.example/nowhere", { Host: "evil" }, "GET", 404],
    ["token", "http://tv.example/tv/x", { Host: "evil" }, "GET", 401],
    ["routes", "http://tv.example/tv/x?r2h-token=secret", { Host: "evil" }, "GET", 200],
    ["routes", "HTTPS://TV.example:5140/tv/x?r2h-token=secret", {}, "GET", 200],
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
  test("refuses what is no host, whoever may be asked for", async () => {
    using guarded = new Guarded({});
    for (const host of ["h".repeat(256), "a".repeat(7900), 'h"', "h/x", "a b"]) {
      expect((await guarded.ask("/", { Host: host })).status).toBe(400);
    }
    expect((await guarded.ask("/", { Host: "h".repeat(255) })).status).toBe(200);
    expect(guarded.complaints).toEqual(Array(5).fill("WARN Client request rejected: malformed Host header"));
  });

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

test("a whole URL names the host that everything else judges", async () => {
  using guarded = new Guarded({});
  const statusOf = async (target: string, headers: Record<string, string>) =>
    (await guarded.ask(target, headers, "POST")).status;
  expect(await statusOf("http://192.0.2.1/control/x", { Host: "evil.example" })).toBe(200);
  expect(await statusOf("http://evil.example/control/x", { Host: "192.0.2.1" })).toBe(421);
  expect(await statusOf("http://192.0.2.1:5140/x", { Host: "a", Origin: "http://192.0.2.1:5140" })).toBe(200);
  expect(await statusOf("http://192.0.2.1:5140/x", { Host: "evil", Origin: "http://evil" })).toBe(403);
  await guarded.ask("http://192.0.2.1:5140/y?z#", { Host: "evil.example" });
  expect(guarded.passed.at(-1)).toMatchObject({ path: "/y", query: "z#" });
  expect(guarded.passed.at(-1)!.request.header("host")).toBe("192.0.2.1:5140");
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
        "Set-Cookie: r2h-token=%C3%A9%20%24; Path=/tv; HttpOnly; SameSite=Lax\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
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
    expect([status, headers.get("set-cookie")]).toEqual([200, "r2h-token=a%24b; Path=/; HttpOnly; SameSite=Lax"]);
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

describe("pages of others", () => {
  const BROWSER = { Host: "nas:5140", Origin: "http://nas:5140" };
  const EVIL = { Host: "nas:5140", Origin: "http://evil.example" };
  const PORT = { Host: "127.0.0.1:5140", "Sec-Fetch-Site": "same-site", Origin: "http://127.0.0.1:8123" };
  const APP = { Host: "nas:5140", Origin: "https://app.example" };
  const IMAGE = { Host: "nas:5140", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" };
  const LINK = { ...IMAGE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
  const cors = { corsAllowOrigin: "https://app.example" };
  const any = { corsAllowOrigin: "*" };

  test.each([
    ["a program", {}, {}, "POST", "/control/x", 200],
    ["a page of ours", {}, BROWSER, "POST", "/control/x", 200],
    ["a page of ours behind https", {}, { "Sec-Fetch-Site": "same-origin" }, "DELETE", "/control/x", 200],
    ["another site", {}, EVIL, "POST", "/control/x", 403],
    ["another site", {}, EVIL, "PUT", "/x", 403],
    ["another port", {}, PORT, "POST", "/control/x", 403],
    ["a page without an origin", {}, { ...BROWSER, Origin: "null" }, "POST", "/control/x", 403],
    ["another site, reading", {}, EVIL, "GET", "/control/x", 200],
    ["another site, embedding", {}, IMAGE, "GET", "/control/x", 403],
    ["another site, linking", {}, LINK, "GET", "/control/x", 200],
    ["another site with the token", { r2hToken: "t" }, { ...EVIL, Cookie: "r2h-token=t" }, "POST", "/control/x", 403],
    ["another site with leave", cors, APP, "POST", "/x", 200],
    ["another site with leave", cors, APP, "POST", "/control/x", 403],
    ["another site with leave, reading", cors, { ...IMAGE, ...APP }, "GET", "/control/x", 200],
    ["another site without", cors, EVIL, "POST", "/x", 403],
    ["every site with leave", any, EVIL, "POST", "/x", 200],
    ["every site with leave", any, EVIL, "POST", "/control/x", 403],
    ["a service worker", any, { ...BROWSER, "Service-Worker": "script" }, "GET", "/x", 403],
  ] as const)("%s, with %j: %j, %s %s, %d", async (_who, options, headers, method, target, status) => {
    using guarded = new Guarded(options);
    expect((await guarded.ask(target, headers, method)).status).toBe(status);
  });

  test.each([
    [{}, IMAGE, true],
    [{}, { ...IMAGE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" }, true],
    [{}, LINK, false],
    [{}, {}, false],
    [any, IMAGE, false],
    [cors, { ...IMAGE, Referer: "https://app.example/" }, false],
    [cors, IMAGE, true],
  ])("with %j and %j an embed of others: %p", async (options, headers, isForeignEmbed) => {
    using guarded = new Guarded(options);
    await guarded.ask("/x", headers);
    expect(guarded.passed).toMatchObject([{ isForeignEmbed }]);
  });

  test("are told what to set, in case that they are ours after all", async () => {
    using guarded = new Guarded({});
    const { body, headers } = await guarded.ask("/control/x", EVIL, "POST");
    expect(headers.get("content-type")).toBe("application/json");
    const reason =
      "ages of http://evil.example may not do this. If that is this relay behind a proxy, let the proxy pass Host on, " +
      "or set allowed-hosts = HOST[:PORT]";
    expect(JSON.parse(body)).toEqual({ success: false, error: `P${reason}.` });
    expect(guarded.complaints).toEqual([`WARN Client request rejected: p${reason}`]);
  });
});

describe("names that anybody could have given us", () => {
  const xff = { xff: true };
  const names = (...texts: string[]) => ({ allowedHosts: texts.map((text) => parseAllowedHost(text)!) });
  test.each([
    [{}, { Host: "rebound.example:5140" }, 421],
    [{}, { Host: "nas.lan:5140" }, 200],
    [{}, {}, 200],
    [{ r2hToken: "t" }, { Host: "rebound.example", Cookie: "r2h-token=t" }, 200],
    [{ hostname: parsePublicHost("tv.example") }, { Host: "tv.example:5140" }, 200],
    [names("tv.example"), { Host: "tv.example:5140" }, 200],
    [names("*"), { Host: "tv.example" }, 200],
    // A page can say what it likes there.
    [{}, { Host: "rebound.example", "X-Forwarded-Host": "nas" }, 421],
    [xff, { Host: "rebound.example", "X-Forwarded-Host": "nas" }, 421],
    [xff, { Host: "127.0.0.1:5140", "X-Forwarded-Host": "rebound.example, nas" }, 421],
    [{ ...xff, ...names("tv.example") }, { Host: "127.0.0.1:5140", "X-Forwarded-Host": "tv.example" }, 200],
  ] as const)("with %j and %j: %d for control", async (options, headers, status) => {
    using guarded = new Guarded(options);
    for (const method of ["GET", "HEAD", "POST"]) {
      expect((await guarded.ask("/control/x", headers, method)).status).toBe(status);
      // Television comes under any name.
      expect((await guarded.ask("/x", headers, method)).status).toBe(200);
    }
  });

  test("are refused with the words to set", async () => {
    using guarded = new Guarded({});
    const { body, raw } = await guarded.ask("/control/x", { Host: "TV.example:5140" });
    expect(raw).toBe("HTTP/1.1 421 Misdirected Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
    expect(JSON.parse(body)).toEqual({
      success: false,
      error:
        "This relay does not know itself as tv.example: set allowed-hosts = tv.example (or hostname, or r2h-token), " +
        "or open it by its address.",
    });
  });

  test("pass the check of Host if they are allowed beside the one", async () => {
    using guarded = new Guarded({ hostname: parsePublicHost("tv.example"), ...names("nas.example") });
    expect((await guarded.ask("/x", { Host: "nas.example" })).status).toBe(200);
    expect((await guarded.ask("/x", { Host: "evil.example" })).status).toBe(400);
  });
});

describe("the cookie is for https alone", () => {
  test.each([
    [{}, { "X-Forwarded-Proto": "https" }, false],
    [{ xff: true }, { "X-Forwarded-Proto": "https" }, true],
    [{ xff: true }, { "X-Forwarded-Proto": "HTTPS, http" }, true],
    [{ xff: true }, { "X-Forwarded-Proto": "http" }, false],
    [{ xff: true }, {}, false],
    [{ hostname: parsePublicHost("https://tv.example") }, { Host: "tv.example" }, true],
    [{ hostname: parsePublicHost("https://tv.example") }, { Host: "tv.example:443" }, true],
    [{ hostname: parsePublicHost("https://tv.example:8443") }, { Host: "tv.example:8443" }, true],
    [{ hostname: parsePublicHost("https://tv.example") }, { Host: "tv.example", "X-Forwarded-Proto": "http" }, false],
    // Past the proxy, where a browser would not take it.
    [{ hostname: parsePublicHost("https://tv.example") }, { Host: "tv.example:5140" }, false],
    [{ hostname: parsePublicHost("http://tv.example") }, { Host: "tv.example" }, false],
    [{ hostname: parsePublicHost("tv.example") }, { Host: "tv.example" }, false],
  ] as const)("with %j and %j: %p", async (options, headers, isSecure) => {
    using guarded = new Guarded({ r2hToken: "t", ...options });
    const { headers: answer } = await guarded.ask("/x?r2h-token=t", headers);
    const cookie = "r2h-token=t; Path=/; HttpOnly; SameSite=Lax";
    expect(answer.get("set-cookie")).toBe(isSecure ? `${cookie}; Secure` : cookie);
  });
});
