/** The status page in a real browser, against a server that says what the test wants. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { TestBrowser } from "../browser.ts";
import { clientOf, logOf, statusOf, upstreamOf } from "../fakes/status-events.ts";
import { StatusServer } from "../fakes/status-server.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 20_000;
const MARKUP = "<img src=x onerror=document.title='owned'>";

let browser: TestBrowser;
let server: StatusServer;

beforeAll(async () => {
  server = await StatusServer.start(statusOf());
  browser = await TestBrowser.launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

/** Opens the page, and in the end expects that nothing went wrong on it. */
async function onPage(options: BrowserContextOptions, visit: (page: Page) => Promise<void>): Promise<void> {
  const { page, problems, close } = await browser.newPage({ locale: "en-US", ...options });
  server.calls.length = 0;
  server.send(statusOf());
  try {
    await page.goto(server.url);
    await page.getByText(/^Connected$|已连接/).waitFor();
    await visit(page);
    expect(problems).toEqual([]);
  } finally {
    await close();
  }
}

const rows = (page: Page) => page.locator("#clients tbody tr");

/** Waits for the next call to the API. */
async function nextCall() {
  await until(() => server.calls.length > 0, WAIT_MS, "a call to the API");
  return server.calls.shift();
}

test("tells how a channel was opened by fast channel change", async () => {
  await onPage({}, async (page) => {
    const fcc = { state: "mcast-active", server: "10.0.0.1:8027", dialect: "huawei", burstBytes: 1_500_000 };
    const upstreams = [
      upstreamOf(1, { fcc: { ...fcc, firstUnicastMs: 12, gapPackets: 0 } }),
      upstreamOf(2, { fcc: { ...fcc, firstUnicastMs: -1, gapPackets: -1 } }),
      upstreamOf(3),
    ];
    server.send(statusOf({ upstreams }));
    await page.getByText("FCC huawei 10.0.0.1:8027: 12 ms to the first packet, burst of 1.50 MB").waitFor();
    await page.getByText("FCC huawei 10.0.0.1:8027: no burst").waitFor();
    expect(await page.getByText(/^FCC /).count()).toBe(2);
  });
});

test("shows who watches, follows the counters, and disconnects", async () => {
  await onPage({}, async (page) => {
    const address = new URL(server.url).origin;
    await page.getByRole("link", { name: `${address}/playlist.m3u` }).waitFor();

    server.send(statusOf({ clients: [clientOf(1), clientOf(2)], totalBandwidth: 2_100_000 }));
    await rows(page).nth(1).waitFor();
    await page.getByText("16.80 Mbit/s").first().waitFor();
    await rows(page).nth(0).getByText("Multicast").first().waitFor();
    const disconnect = page.getByRole("button", { name: "Disconnect 192.168.1.21:51210" });
    await disconnect.focus();

    server.send(
      statusOf({ clients: [clientOf(2), clientOf(1, { slow: 1, droppedBytes: 3_000_000, bytesSent: 7e9 })] }),
    );
    await rows(page).nth(0).getByText("7.00 GB").waitFor();
    await rows(page).nth(0).getByText("Slow").waitFor();
    expect(await rows(page).nth(0).locator(".alarm").textContent()).toBe("3.00 MB");
    expect(await disconnect.evaluate((button) => button === button.ownerDocument.activeElement)).toBeTrue();

    await disconnect.press("Enter");
    expect(await nextCall()).toEqual({
      method: "POST",
      name: "disconnect",
      body: new URLSearchParams({ client_id: String(clientOf(1)["clientId"]) }).toString(),
    });
    await page.getByText("Disconnect requested").waitFor();

    server.send(statusOf({ clients: [clientOf(2)] }));
    await rows(page).nth(1).waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.id")).toBe("clients-title");
    await page.getByLabel("Show ended (1)").check();
    await rows(page).nth(1).getByText("Disconnected").waitFor();
  });
}, 30_000);

test("says in words which upstream has trouble", async () => {
  await onPage({}, async (page) => {
    server.send(statusOf({ upstreams: [upstreamOf(1), upstreamOf(2, { rtpLost: 7 })] }));
    const second = page.locator("#upstreams tbody tr").nth(1);
    await second.getByText("Losing packets").waitFor();
    await second.getByText("Last minute: 7 packets lost").waitFor();
    await page.getByText("Upstreams with trouble: 1").waitFor();
    server.send(statusOf({ upstreams: undefined }));
    await page.getByText("does not report its upstreams").waitFor();
  });
}, 30_000);

test("changes the log level, adds lines, and asks before it acts on the service", async () => {
  await onPage({}, async (page) => {
    server.send(statusOf({ logs: [logOf(3, "first")] }));
    server.send(statusOf({ logsMode: "incremental", logs: [logOf(1, "second")] }));
    await page.locator("#logs li").nth(1).waitFor();
    await page.getByLabel("Level").selectOption("DEBUG");
    expect(await nextCall()).toEqual({ method: "PUT", name: "log-level", body: "level=4" });
    server.send(statusOf({ currentLogLevel: 1, logsMode: "none" }));
    await page.getByText("first", { exact: true }).waitFor({ state: "detached" });
    expect(await page.getByLabel("Level").inputValue()).toBe("ERROR");

    await page.getByRole("button", { name: "Restart workers" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(server.calls).toEqual([]);
    server.answer = { success: false, error: "no supervisor" };
    await page.getByRole("button", { name: "Restart workers" }).click();
    await dialog.getByRole("button", { name: "Restart workers" }).click();
    expect(await nextCall()).toEqual({ method: "POST", name: "restart-workers", body: "" });
    await page.getByText("Not done: no supervisor").waitFor();
    server.answer = { success: true, message: "done" };
  });
}, 30_000);

test("remembers language, theme and unit, and forgets what is the default", async () => {
  await onPage({ colorScheme: "light" }, async (page) => {
    const stored = () => page.evaluate("Object.fromEntries(Object.entries(localStorage))");
    await page.getByLabel("Bandwidth unit").selectOption("byte/s");
    await page.getByLabel("Theme").selectOption("Dark");
    await page.getByLabel("Language").selectOption("简体中文");
    expect(await stored()).toEqual({
      "rtp2httpd-status-bandwidth-unit": "bytes",
      "rtp2httpd-status-locale": "zh-Hans",
      "rtp2httpd-status-theme": "dark",
    });
    await page.reload();
    await page.getByRole("heading", { name: "连接" }).waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("zh-Hans");
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    await page.getByText("0 B/s").first().waitFor();
    await page.getByLabel("语言").selectOption("English");
    await page.getByLabel("Theme").selectOption("Auto");
    await page.getByLabel("Bandwidth unit").selectOption("bit/s");
    expect(await stored()).toEqual({});
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("light");
  });
}, 30_000);

test("connects again when the stream is lost", async () => {
  await onPage({}, async (page) => {
    const before = server.opened;
    server.dropStreams();
    await page.getByText("Reconnecting").waitFor();
    expect(await page.getByRole("button", { name: "Restart workers" }).isDisabled()).toBeTrue();
    await page.getByText("The figures are old.").waitFor();
    await page.getByText("Connected", { exact: true }).waitFor();
    expect(server.opened).toBe(before + 1);
  });
}, 30_000);

test("charts leave room for half a time label on the right", async () => {
  await onPage({}, async (page) => {
    const room = await page
      .locator(".plot")
      .first()
      .evaluate((plot) => {
        const [all, inside] = ["canvas", ".u-over"].map((name) => plot.querySelector(name)!.getBoundingClientRect());
        return all!.right - inside!.right;
      });
    // 14:05 in 11 px.
    expect(room).toBeGreaterThan(16);
  });
}, 30_000);

test("charts tell the time however narrow they are", async () => {
  await onPage({ viewport: { width: 1200, height: 800 } }, async (page) => {
    const inked = await page.locator(".plot").evaluateAll((plots) =>
      plots.map((plot) => {
        const canvas = plot.querySelector("canvas")!;
        const below = plot.querySelector(".u-over")!.getBoundingClientRect().bottom;
        const top = Math.round(below - canvas.getBoundingClientRect().top) + 4;
        const { data } = canvas.getContext("2d")!.getImageData(0, top, canvas.width, canvas.height - top);
        return data.some((value, at) => at % 4 === 3 && value > 0);
      }),
    );
    expect(inked).toEqual([true, true, true]);
  });
}, 30_000);

test("shows markup as text", async () => {
  await onPage({}, async (page) => {
    const client = clientOf(1, { clientAddr: MARKUP, serviceUrl: MARKUP, userAgent: MARKUP });
    const upstream = upstreamOf(1, { url: MARKUP, interface: MARKUP });
    server.send(statusOf({ version: MARKUP, clients: [client], upstreams: [upstream], logs: [logOf(3, MARKUP)] }));
    await page.locator("#logs").getByText(MARKUP).waitFor();
    expect(await page.getByText(MARKUP).count()).toBeGreaterThanOrEqual(6);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("sluice · status");
  });
}, 30_000);

test("fits a phone, with cards instead of a table", async () => {
  await onPage({ viewport: { width: 390, height: 844 } }, async (page) => {
    server.send(
      statusOf({ clients: [clientOf(1), clientOf(2)], upstreams: [upstreamOf(1)], logs: [logOf(3, "x".repeat(300))] }),
    );
    await page.locator("#clients .cards > li").nth(1).waitFor();
    await page.locator("#logs li").waitFor();
    expect(await page.locator("table").count()).toBe(0);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
}, 30_000);

test("says in words that the server refuses its name, and goes on when it does no longer", async () => {
  const { page, problems, close } = await browser.newPage({ locale: "en-US" });
  try {
    server.refusal = 421;
    await page.goto(server.url);
    await page.getByText("Refused", { exact: true }).waitFor();
    await page.getByText("Set allowed-hosts = 127.0.0.1 in its configuration").waitFor();
    await page.getByLabel("Language").selectOption("简体中文");
    await page.getByText("服务器不认识名称 127.0.0.1").waitFor();
    server.refusal = 503;
    await page.getByText(/正在重新连接|已断开/).waitFor();
    server.refusal = undefined;
    server.send(statusOf());
    await page.getByText("已连接", { exact: true }).waitFor();
    expect(await page.getByText("allowed-hosts").count()).toBe(0);
    expect(problems.filter((problem) => !/status of (421|503) .*\/status\/sse/.test(problem))).toEqual([]);
  } finally {
    server.refusal = undefined;
    await close();
  }
});
