/**
 * Makes pictures of the pages: `bun test/screenshots.ts OUTDIR [URL]`. With the URL of a running demo those of README.md
 * (`OUTDIR` is `src/web/pictures`), which takes a minute; without it, the status page with a household as we invented it.
 * Chromium and ffmpeg (for WebP) must be in PATH.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { formatTime } from "../src/web/status/format.ts";
import { TestBrowser, type WatchedPage } from "./browser.ts";
import { clientOf, logOf, statusOf, upstreamOf, workerOf } from "./fakes/status-events.ts";
import { type Event, StatusServer } from "./fakes/status-server.ts";

const MAX_BYTES = 70_000;
/** Until the charts of a running demo show something. */
const WATCH_MS = 70_000;
/** Until all of a page that was touched has faded in. */
const FADE_MS = 600;
const HISTORY_SECONDS = 290;

const EVENING_MS = 1_795_533_000_000;

const SCREEN = { width: 1280, height: 800 };
const COMPUTER =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const TELEPHONE =
  "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };

/** Of the invented household. */
const VIEWS: Readonly<Record<string, BrowserContextOptions>> = {
  "status-dark": { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
  "status-light": { viewport: { width: 1440, height: 1000 }, colorScheme: "light" },
  "status-phone": { ...PHONE, colorScheme: "dark" },
};

/** An evening: a picture that stutters, somebody on a weak wireless link, the others undisturbed. */
function household(second: number): Event {
  const wave = (phase: number) => 1_050_000 + Math.round(90_000 * Math.sin(second / 9 + phase));
  const lost = 17 + 3 * Math.max(second - 255, 0) + 40 * Number(second > 120);
  const clients = [
    clientOf(1, { currentBandwidth: wave(0) }),
    clientOf(2, { currentBandwidth: wave(2), userAgent: "Kodi/21.1 (Linux; Android 12)" }),
    clientOf(3, {
      slow: 1,
      queueBytes: 244_000,
      queueBytesHighwater: 290_000,
      droppedBytes: 1_842_400,
      droppedPackets: 1400 + 2 * second,
      currentBandwidth: 610_000,
      userAgent: "Lavf/61.7.100",
    }),
    clientOf(4, {
      state: 29,
      upstream: "http",
      serviceUrl: "http://cdn.example/live/news.m3u8",
      backpressureEvents: 3,
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0",
    }),
    clientOf(5, {
      state: 13,
      upstream: "rtsp-tcp",
      serviceUrl: "rtsp://10.0.0.9/cinema",
      bytesSent: 0,
      durationMs: 400,
    }),
  ].slice(0, second < 60 ? 3 : second < 200 ? 4 : 5);
  return statusOf({
    uptimeMs: 93_784_000 + second * 1000,
    clients,
    totalBandwidth: wave(0) + wave(2) + wave(4) + 610_000,
    totalBytesSent: 482_345_678_901 + second * 4_000_000,
    workers: [
      workerOf(0),
      workerOf(1, { activeClients: 3, pool: { total: 1024, used: 790, max: 1024, utilization: 77.1 } }),
    ],
    upstreams: [
      upstreamOf(1, { bandwidth: wave(0), clients: 2 }),
      upstreamOf(2, { rtpLost: lost, rtpReordered: 4, tsContinuityErrors: Math.round(lost * 0.7), bandwidth: wave(2) }),
      upstreamOf(3, { bandwidth: wave(4), rtpReordered: 210, rtpDuplicates: 2 }),
      upstreamOf(4, { kind: "http", url: "http://cdn.example/live/news.m3u8", receiver: "stream", workerId: 1 }),
    ],
    logsMode: second === 0 ? "full" : "none",
    logs: second === 0 ? evening() : [],
  });
}

function evening(): Event[] {
  const lines: [level: number, message: string][] = [
    [3, "sluice 0.1.0 serves http://192.168.1.1:5140/ with 2 workers"],
    [3, "[Worker 0] 192.168.1.21:51210 GET /udp/239.10.0.1:5004"],
    [3, "[Worker 0] Joined 239.10.0.1:5004 on eth0"],
    [4, "[Worker 0] First key frame of 239.10.0.1:5004 after 412 ms"],
    [3, "[Worker 1] 192.168.1.24:54210 GET /http/cdn.example/live/news.m3u8"],
    [2, "[Worker 0] 239.10.0.2:5004 lost 31 packets in the last second"],
    [2, "[Worker 0] 192.168.1.23:53210 is too slow for 239.10.0.3:5004"],
    [1, "[Worker 1] RTSP server 10.0.0.7 does not answer: connection refused"],
  ];
  return lines.map(([level, message], at) => logOf(level, message, EVENING_MS + at * 7300));
}

/** Plays five minutes in a moment: the page's clock is ours. */
async function playEvening(page: Page, server: StatusServer): Promise<void> {
  const updated = page.locator(".details div:last-child dd");
  for (let second = 1; second <= HISTORY_SECONDS; second++) {
    await page.clock.setFixedTime(EVENING_MS + second * 1000);
    server.send(household(second));
    await updated.filter({ hasText: formatTime(EVENING_MS + second * 1000) }).waitFor();
  }
}

/** WebP as good as fits. */
async function saveSmall(picture: Uint8Array, path: string): Promise<number> {
  const source = `${path}.png`;
  await Bun.write(source, picture);
  try {
    for (const quality of [88, 78, 66, 50]) {
      const options = ["-c:v", "libwebp", "-quality", String(quality), "-compression_level", "6"];
      const child = Bun.spawn(["ffmpeg", "-v", "error", "-y", "-i", source, ...options, path]);
      if ((await child.exited) !== 0) throw new Error("ffmpeg could not write WebP");
      if (Bun.file(path).size <= MAX_BYTES) break;
    }
    return Bun.file(path).size;
  } finally {
    await rm(source);
  }
}

async function save({ page, problems, close }: WatchedPage, name: string): Promise<void> {
  const bytes = await saveSmall(await page.screenshot(), join(directory!, `${name}.webp`));
  console.log(`${name}.webp: ${Math.ceil(bytes / 1000)} KB${problems.map((problem) => `\n  ${problem}`).join("")}`);
  if (process.env["FULL_PAGE"]) await page.screenshot({ path: join(directory!, `${name}-full.png`), fullPage: true });
  await close();
}

async function showHousehold(browser: TestBrowser): Promise<void> {
  for (const [name, view] of Object.entries(VIEWS)) {
    await using server = await StatusServer.start(household(0));
    const watched = await browser.newPage({ locale: "en", ...view });
    await watched.page.goto(server.url);
    await playEvening(watched.page, server);
    await save(watched, name);
  }
}

/** The status page shows those who watch for the other two pictures. */
async function showDemo(browser: TestBrowser, relay: string): Promise<void> {
  const open = async (path: string, options: BrowserContextOptions) => {
    const watched = await browser.newPage({ locale: "en", viewport: SCREEN, ...options });
    await watched.page.goto(relay.replace(/\/$/, "") + path);
    return watched;
  };
  const status = await open("/status", { colorScheme: "light" });
  const player = await open("/player#sluice%20four", { colorScheme: "dark", userAgent: COMPUTER });
  const phone = await open("/player#sluice%20two", {
    ...PHONE,
    hasTouch: true,
    colorScheme: "dark",
    userAgent: TELEPHONE,
  });
  await Bun.sleep(WATCH_MS);
  await save(status, "status");
  await player.page.mouse.move(300, 300);
  await Bun.sleep(FADE_MS);
  await save(player, "player");
  await phone.page.locator(".side").getByRole("tab", { name: "Guide" }).tap();
  await Bun.sleep(FADE_MS);
  await save(phone, "player-phone");
}

const [directory, url] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: bun test/screenshots.ts OUTDIR [URL]");
await mkdir(directory, { recursive: true });
await using browser = await TestBrowser.launch();
await (url === undefined ? showHousehold(browser) : showDemo(browser, url));
