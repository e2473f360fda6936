/** Pages of others in a real browser try all that they can, and nothing happens; our own go on, also behind a proxy. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frame, Page } from "playwright-core";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { TestBrowser } from "../browser.ts";
import { forVariant, type Sluice, type Start } from "../e2e/harness.ts";
import { isNginxInstalled, Nginx } from "../fakes/nginx.ts";
import { until } from "../fakes/until.ts";
import { playing } from "./viewer.ts";

const START_MS = 60_000;
const TEST_MS = 90_000;
const WAIT_MS = 20_000;
const EVIL = "evil.example";
/** Ours by its domain, and reached by plain http: there a browser says no more than `Origin`. */
const HOME = "nas.lan";
const REBOUND = "rebound.example";
const PUBLIC = "tv.example";

/** What a script would do if it ran as one of our pages. It tells its server that it runs at all. */
const attackFrom = (beacon: string) =>
  `new Image().src = "${beacon}"; fetch("/status/api/restart-workers", { method: "POST" });`;

/** The server of the foreign pages, which is also an upstream. It remembers what was asked for. */
class EvilServer {
  readonly seen: string[] = [];
  readonly #server: Bun.Server<undefined>;
  readonly #files: ReadonlyMap<string, Blob>;

  constructor(files: ReadonlyMap<string, Blob>) {
    this.#files = files;
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  get port(): number {
    return this.#server.port!;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }

  #answer({ url }: Request): Response {
    const { pathname, search } = new URL(url);
    this.seen.push(pathname + search);
    const file = this.#files.get(pathname);
    if (file) return new Response(file);
    const script = attackFrom(`http://${EVIL}:${this.port}/owned${pathname}`);
    const [type, body] = DOCUMENTS[pathname]?.(script) ?? ["text/html", "<!doctype html><title>evil</title>"];
    const headers = { "Set-Cookie": "r2h-token=evil; Path=/", "Service-Worker-Allowed": "/", "Alt-Svc": "clear" };
    const policy = "sandbox allow-scripts allow-same-origin allow-top-navigation";
    return new Response(body, { headers: { "Content-Type": type, "Content-Security-Policy": policy, ...headers } });
  }
}

type Document = (script: string) => [type: string, body: string];
const html = (script: string) => `<!doctype html><title>page</title><script>${script}</script>`;
const svg = (script: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg"><script>${script.replace("&", "")}</script></svg>`;
const xhtml = (script: string) =>
  `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${script}</script></body></html>`;
/** Files that a browser would run, and what each is called. */
const DOCUMENTS: Readonly<Record<string, Document>> = {
  "/page.html": (script) => ["text/html; charset=utf-8", html(script)],
  "/odd.html": (script) => ["Text/HTML;charset=utf-8, text/html", html(script)],
  "/unknown.html": (script) => ["unknown/unknown", html(script)],
  "/plain.html": (script) => ["text/plain", html(script)],
  "/picture.svg": (script) => ["image/svg+xml", svg(script)],
  "/list.xml": (script) => ["application/xml", xhtml(script)],
  "/feed.xml": (script) => ["application/rss+xml", xhtml(script)],
  "/page.xhtml": (script) => ["application/xhtml+xml", xhtml(script)],
  "/paper.pdf": (script) => [
    "application/pdf",
    `%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(${script})>>>>endobj`,
  ],
  "/list.m3u8": (script) => ["text/html", html(script)],
  "/worker.js": (script) => ["text/javascript", script],
  "/pixel.png": () => ["image/png", "\x89PNG"],
};

/** Runs in a foreign page: gives every order in every way that a page has, and says what it was able to read. */
async function attack(base: string): Promise<string[]> {
  const readable: string[] = [];
  const read = (path: string, init?: RequestInit) =>
    fetch(base + path, { signal: AbortSignal.timeout(4000), ...init })
      .then((answer) => answer.body?.getReader().read())
      .then(() => readable.push(path))
      .catch(() => {});
  const orders = ["restart-workers", "reload-config", "clear-logs", "disconnect", "log-level"];
  const body = new URLSearchParams({ level: "0", client_id: "x" });
  for (const name of orders) {
    const path = `/status/api/${name}`;
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "GET"]) {
      await read(path, { method, ...(method === "GET" ? {} : { body }) });
    }
    await fetch(base + path, { method: "POST", mode: "no-cors", body }).catch(() => {});
    await fetch(base + path, {
      method: "POST",
      mode: "no-cors",
      credentials: "include",
      referrerPolicy: "no-referrer",
    });
    navigator.sendBeacon(base + path, body);
    const form = Object.assign(document.createElement("form"), { method: "post", action: base + path, target: "hole" });
    document.body.append(Object.assign(document.createElement("iframe"), { name: "hole" }), form);
    form.submit();
    for (const tag of ["img", "script", "video"] as const) {
      document.body.append(Object.assign(document.createElement(tag), { src: base + path }));
    }
  }
  for (const path of ["/status", "/player", "/status/sse", "/playlist.m3u", "/"]) await read(path);
  const events = new EventSource(`${base}/status/sse`, { withCredentials: true });
  await new Promise((resolve) => {
    events.onmessage = () => readable.push("events");
    events.onerror = resolve;
    setTimeout(resolve, 4000);
  });
  events.close();
  return readable;
}

/** What a page of ours gets when it gives an order. */
const order = (page: Page | Frame, path = "/status/api/log-level") =>
  page.evaluate(
    async (url) => (await fetch(url, { method: "PUT", body: new URLSearchParams({ level: "4" }) })).status,
    path,
  );

async function makeFiles(directory: string): Promise<Map<string, Blob>> {
  const { clip } = MULTICAST_CHANNELS[2]!;
  const output = ["-c", "copy", "-f", "hls", "-hls_time", "4", "-hls_list_size", "0", join(directory, "hls.m3u8")];
  const child = Bun.spawn(["ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "mpegts", "-i", clip, ...output]);
  expect(await child.exited).toBe(0);
  const files = new Map([["/one.ts", new Blob([await Bun.file(clip).bytes()], { type: "video/mp2t" })]]);
  for (const name of new Bun.Glob("hls*").scanSync(directory)) {
    const type = name.endsWith(".ts") ? "video/mp2t" : "application/vnd.apple.mpegurl";
    files.set(`/${name}`, new Blob([await Bun.file(join(directory, name)).bytes()], { type }));
  }
  return files;
}

function define(start: Start): void {
  let directory: string;
  let evil: EvilServer;
  let browser: TestBrowser;
  let sluice: Sluice;
  /** Arguments with which every relay here serves the same channels. */
  let channels: string[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "sluice-foreign-"));
    evil = new EvilServer(await makeFiles(directory));
    const entries = ["hls.m3u8", "one.ts", "page.html"].map(
      (name) => `#EXTINF:-1,${name.split(".", 1)[0]}\nhttp://${evil.address}/${name}\n`,
    );
    await Bun.write(join(directory, "list.m3u"), `#EXTM3U\n${entries.join("")}`);
    channels = ["-m", "50", "-M", `file://${join(directory, "list.m3u")}`];
    sluice = await start({ args: channels });
    browser = await TestBrowser.launch([EVIL, HOME, REBOUND, PUBLIC]);
  }, START_MS);

  afterAll(async () => {
    await browser?.close();
    await evil?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Expects that nobody has ordered anything while `use` lasts, and that no script ran that told so. */
  async function expectNothing(relay: Sluice, use: () => Promise<void>): Promise<void> {
    const [workers, since, seen] = [relay.workers.slice(), relay.log.length, evil.seen.length];
    await use();
    expect(relay.workers).toEqual(workers);
    expect(
      relay.log.slice(since).filter((line) => /asked for by|Log level|Restarting|logs cleared/i.test(line)),
    ).toEqual([]);
    expect(evil.seen.slice(seen).filter((path) => path.startsWith("/owned"))).toEqual([]);
  }

  const requests = (relay: Sluice, since: number, what: string) =>
    relay.log.slice(since).filter((line) => line.includes("New client") && line.includes(what)).length;

  async function onPage(url: string, use: (page: Page) => Promise<void>): Promise<void> {
    const { page, close } = await browser.newPage();
    try {
      await page.goto(url);
      await use(page);
    } finally {
      await close();
    }
  }

  test(
    "a page of ours gives orders, a program too",
    async () => {
      for (const host of ["127.0.0.1", HOME]) {
        await onPage(`http://${host}:${sluice.port}/status`, async (page) => {
          await page.getByText("Connected", { exact: true }).waitFor();
          expect(await order(page)).toBe(200);
        });
      }
      const url = `${sluice.url}/status/api/clear-logs`;
      const child = Bun.spawn(["curl", "-sS", "--noproxy", "*", "-X", "POST", url], { stdout: "pipe" });
      expect(await new Response(child.stdout).json()).toEqual({ success: true, message: "Logs cleared" });
    },
    TEST_MS,
  );

  test.each([
    ["another site, to this machine", EVIL, "127.0.0.1"],
    ["another site, by plain http", EVIL, HOME],
    ["another port of the same host", HOME, HOME],
  ])(
    "%s: no order is taken, nothing can be read",
    async (_what, from, to) => {
      const since = sluice.log.length;
      await expectNothing(sluice, () =>
        onPage(`http://${from}:${evil.port}/attack`, async (page) => {
          expect(await page.evaluate(attack, `http://${to}:${sluice.port}`)).toEqual([]);
          await until(() => requests(sluice, since, "(method: POST)") >= 15, WAIT_MS, "the orders");
        }),
      );
      expect(requests(sluice, since, "/status/sse")).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  test(
    "every site with leave to watch may read, but not order, nor frame",
    async () => {
      await using open = await start({ args: [...channels, "-O", "*"] });
      const since = open.log.length;
      await expectNothing(open, () =>
        onPage(`http://${EVIL}:${evil.port}/attack`, async (page) => {
          const readable = await page.evaluate(attack, open.url);
          expect(readable).toContain("/playlist.m3u");
          await until(() => requests(open, since, "(method: PUT)") >= 5, WAIT_MS, "the orders");
          const media = await page.evaluate(
            async ([url, path]) => {
              const answer = await fetch(`${url}/http/${path}/hls.m3u8`);
              const image = document.createElement("img");
              const loaded = new Promise((resolve) => {
                image.onload = image.onerror = () => resolve(undefined);
              });
              image.src = `${url}/http/${path}/pixel.png`;
              await loaded;
              return [answer.status, (await answer.text()).slice(0, 7)];
            },
            [open.url, evil.address] as const,
          );
          expect(media).toEqual([200, "#EXTM3U"]);
        }),
      );
      expect(evil.seen).toContain("/pixel.png");
    },
    TEST_MS,
  );

  test(
    "a foreign page frames none of ours, but the one origin that has leave",
    async () => {
      await using named = await start({ args: [...channels, "-O", `http://${EVIL}:${evil.port}`] });
      const framed = async (relay: Sluice, path: string) => {
        let titles: string[] = [];
        await onPage(`http://${EVIL}:${evil.port}/frame`, async (page) => {
          await page.evaluate((url) => {
            const frame = Object.assign(document.createElement("iframe"), { src: url });
            const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
            document.body.append(frame);
            return loaded;
          }, relay.url + path);
          titles = await Promise.all(
            page
              .frames()
              .slice(1)
              .map((frame) => frame.evaluate(() => document.URL)),
          );
        });
        return titles;
      };
      for (const path of ["/status", "/player", "/"]) {
        expect(await framed(sluice, path)).toEqual(["chrome-error://chromewebdata/"]);
        expect(await framed(named, path)).toEqual([expect.stringContaining(named.url + path)]);
      }
    },
    TEST_MS,
  );

  describe.each(Object.keys(DOCUMENTS))("what another server calls %s", (path) => {
    test(
      "runs nowhere",
      async () => {
        await expectNothing(sluice, async () => {
          const url = `${sluice.url}/http/${evil.address}${path}`;
          const asked = evil.seen.length;
          const { page, close } = await browser.newPage();
          try {
            // Some are downloads.
            const top = await page.goto(url).catch((error: Error) => error.message);
            if (typeof top === "string") expect(top).toMatch(/Download is starting|ERR_ABORTED|ERR_BLOCKED/);
            else expect(await page.evaluate(() => self.origin)).toBe("null");
            expect(evil.seen.length).toBeGreaterThan(asked);

            // What it sets is marked as its own, and goes nowhere else.
            for (const cookie of await page.context().cookies(url)) {
              expect([cookie.name, cookie.path]).toEqual([expect.stringMatching(/^r2hc~/), `/http/${evil.address}`]);
            }

            // Another port of the same host may frame media.
            await page.goto(`http://127.0.0.1:${evil.port}/opener`);
            const since = sluice.log.length;
            await page.evaluate((address) => {
              const tags = [
                ["iframe", "src"],
                ["embed", "src"],
                ["object", "data"],
              ] as const;
              for (const [tag, attribute] of tags) {
                const element = document.createElement(tag);
                element.setAttribute(attribute, `${address}?${tag}`);
                document.body.append(element);
              }
            }, url);
            // Without a viewer, Chromium does not even ask for a PDF in the others.
            for (const place of path.endsWith(".pdf") ? ["iframe"] : ["iframe", "embed", "object"]) {
              await until(() => requests(sluice, since, `${path}?${place}`) > 0, WAIT_MS, `the ${place}`);
            }
            // What has run has told so before this is answered.
            await page.evaluate(() => fetch("/after"));
          } finally {
            await close();
          }
        });
      },
      TEST_MS,
    );
  });

  test(
    "a channel that answers HTML is a download",
    async () => {
      await expectNothing(sluice, async () => {
        const { page, close } = await browser.newPage();
        const download = page.waitForEvent("download");
        await page.goto(`${sluice.url}/page`).catch(() => {});
        await download;
        await close();
      });
    },
    TEST_MS,
  );

  test(
    "no page makes a service worker of what is proxied",
    async () => {
      await expectNothing(sluice, () =>
        onPage(`${sluice.url}/status`, async (page) => {
          const outcomes = await page.evaluate(
            (urls) =>
              Promise.all(
                urls.map((url) => navigator.serviceWorker.register(url, { scope: "/" }).then(String, String)),
              ),
            [`/http/${evil.address}/worker.js`, `/http/${evil.address}/page.html`],
          );
          for (const outcome of outcomes) expect(outcome).toMatch(/Error/);
        }),
      );
    },
    TEST_MS,
  );

  test(
    "a foreign page opens no upstream by what it embeds, but by a link",
    async () => {
      await onPage(`http://${EVIL}:${evil.port}/embed`, async (page) => {
        const url = `${sluice.url}/http/${evil.address}/embedded`;
        const since = sluice.log.length;
        await page.evaluate(async (address) => {
          for (const tag of ["img", "video", "audio", "iframe", "embed", "script"] as const) {
            document.body.append(Object.assign(document.createElement(tag), { src: `${address}/${tag}` }));
          }
          await fetch(address, { mode: "no-cors" }).catch(() => {});
        }, url);
        await until(() => requests(sluice, since, "/embedded/") >= 6, WAIT_MS, "the requests");
        expect(evil.seen.filter((path) => path.startsWith("/embedded"))).toEqual([]);
        await page.evaluate((address) => {
          document.body.append(Object.assign(document.createElement("a"), { href: address, textContent: "link" }));
        }, `${sluice.url}/http/${evil.address}/linked`);
        await page.getByText("link").click();
        await until(() => evil.seen.includes("/linked"), WAIT_MS, "the link to be followed");
      });
    },
    TEST_MS,
  );

  test(
    "a name that was made to lead here sees no status and gives no order",
    async () => {
      const { page, close } = await browser.newPage();
      const old = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("evil") });
      await page.goto(`http://${REBOUND}:${old.port}/attack`);
      const { port } = old;
      await old.stop(true);
      await using rebound = await start({ port: port!, args: channels });
      await expectNothing(rebound, async () => {
        const statuses = await page.evaluate(async () => {
          const ask = async (path: string, init: RequestInit = {}) => (await fetch(path, init)).status;
          const disguised = { "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "http" };
          return [
            await ask("/status/sse"),
            await ask("/status/sse", { headers: disguised }),
            await ask("/status/api/restart-workers", { method: "POST" }),
            await ask("/status/api/restart-workers", { method: "POST", headers: disguised }),
            await ask("/playlist.m3u"),
          ];
        });
        expect(statuses).toEqual([421, 421, 421, 421, 200]);
      });
      await close();
    },
    TEST_MS,
  );

  test(
    "the status page says under a strange name what to set, and that helps",
    async () => {
      await onPage(`http://${PUBLIC}:${sluice.port}/status`, async (page) => {
        await page.getByText(`Set allowed-hosts = ${PUBLIC} in its configuration`).waitFor();
      });
      await using allowed = await start({ args: [...channels, "--allowed-hosts", PUBLIC] });
      await onPage(`http://${PUBLIC}:${allowed.port}/status`, async (page) => {
        await page.getByText("Connected", { exact: true }).waitFor();
        expect(await order(page)).toBe(200);
      });
    },
    TEST_MS,
  );

  test(
    "a link from elsewhere brings the cookie along, what is embedded does not",
    async () => {
      await using guarded = await start({ args: [...channels, "-T", "secret"] });
      await onPage(`${guarded.url}/status?r2h-token=secret`, async (page) => {
        await page.getByText("Connected", { exact: true }).waitFor();
        await page.goto(`http://${EVIL}:${evil.port}/link`);
        const since = guarded.log.length;
        await expectNothing(guarded, async () => {
          await page.evaluate(attack, guarded.url);
          await until(() => requests(guarded, since, "(method: POST)") >= 15, WAIT_MS, "the orders");
        });
        await page.evaluate((url) => {
          document.body.append(Object.assign(document.createElement("a"), { href: url, textContent: "status" }));
        }, `${guarded.url}/status`);
        await page.getByText("status").click();
        await page.getByText("Connected", { exact: true }).waitFor();
        expect(await order(page)).toBe(200);
      });
    },
    TEST_MS,
  );

  describe.skipIf(!isNginxInstalled && process.env["CI"] !== "true")("behind nginx, below a path", () => {
    test.each([
      ["that passes Host on", [], "proxy_set_header Host $http_host;"],
      ["that names the host elsewhere", ["-X"], "proxy_set_header X-Forwarded-Host $http_host;"],
      ["that says nothing, but the relay knows", ["--allowed-hosts", "HOST"], ""],
    ] as const)(
      "%s: status, orders and television",
      async (_what, options, directives) => {
        await using behind = await start({ args: [] });
        const { port } = behind;
        await behind.stop();
        await using nginx = await Nginx.proxy(port, directives);
        const args = options.map((option) => option.replace("HOST", `${HOME}:${nginx.port}`));
        await using relay = await start({ port, args: [...channels, "--app-path-prefix", "/tv", ...args] });
        const url = `http://${HOME}:${nginx.port}/tv`;
        await onPage(`${url}/status`, async (page) => {
          await page.getByText("Connected", { exact: true }).waitFor();
          expect(await order(page, "/tv/status/api/log-level")).toBe(200);
        });
        // Without any name, links of lists lead past the proxy.
        if (directives !== "") await onPage(`${url}/player#hls`, playing);
        const since = relay.log.length;
        await expectNothing(relay, () =>
          onPage(`http://${EVIL}:${evil.port}/attack`, async (page) => {
            expect(await page.evaluate(attack, url)).toEqual([]);
            await until(() => requests(relay, since, "(method: POST)") >= 15, WAIT_MS, "the orders");
          }),
        );
      },
      TEST_MS,
    );
  });

  test.each(["hls", "one"])(
    "the player plays the proxied channel %s",
    async (name) => {
      const { page, problems, close } = await browser.newPage();
      await page.goto(`${sluice.url}/player#${name}`);
      await playing(page);
      await close();
      expect(problems).toEqual([]);
    },
    TEST_MS,
  );
}

forVariant("source", "foreign pages", define);
