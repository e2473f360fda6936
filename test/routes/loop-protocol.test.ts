/** A protocol is a room and one row: this one is defined here, added to the table, and every part of the relay serves it. */

import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StreamInfo, Upstream, UpstreamAbout, UpstreamParent } from "../../src/relay/upstream.ts";
import { UpstreamError } from "../../src/relay/upstream.ts";
import { allocate, type Memory } from "../../src/system/memory.ts";
import type { Planner } from "../../src/upstream/planner.ts";
import { PROTOCOLS, type Protocol } from "../../src/upstream/plans.ts";
import { shownUrl } from "../../src/upstream/shown-url.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import { TS_PACKET_BYTES, tsPackets } from "../fakes/ts-packets.ts";
import { until } from "../fakes/until.ts";
import { MediaServer } from "./media-server.ts";

const WAIT_MS = 5000;
const UNIT = 7 * TS_PACKET_BYTES;
const UNITS = 50;
const MS_PER_UNIT = 2;

const FILM = tsPackets({ streamId: 9 }, 0, UNITS * 7);
const directory = mkdtempSync(join(tmpdir(), "loop-"));
await Bun.write(join(directory, "film"), FILM);

let opened = 0;
let server = new MediaServer();
afterEach(() => {
  server[Symbol.dispose]();
  opened = 0;
});
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

/** Plays a file over and over, in real time. */
class LoopUpstream implements Upstream {
  readonly about: UpstreamAbout;
  readonly info: StreamInfo = { metadata: [["R2H-Upstream-Protocol", "loop"]] };
  readonly rtp = undefined;
  readonly tickMs = 5;
  readonly #parent: UpstreamParent;
  #media: Memory | undefined;
  #startedAt = 0;
  #sent = 0;
  #isClosed = false;

  constructor(file: string, about: UpstreamAbout, parent: UpstreamParent) {
    opened++;
    this.about = about;
    this.#parent = parent;
    void this.#load(file);
  }

  tick(now: number): void {
    if (!this.#media) return;
    for (const due = (now - this.#startedAt) / MS_PER_UNIT; this.#sent < due; this.#sent++) {
      const at = (this.#sent * UNIT) % this.#media.bytes.length;
      if (at === 0) this.#parent.markRandomAccess(0, new Uint8Array(0));
      this.#parent.append(this.#media, at, UNIT);
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  async #load(file: string): Promise<void> {
    try {
      const bytes = await Bun.file(join(directory, file)).bytes();
      const media = allocate(bytes.length);
      media.bytes.set(bytes);
      if (this.#isClosed) return;
      this.#media = media;
      this.#startedAt = performance.now();
      this.#parent.entered(CLIENT_STATE.multicastActive);
    } catch {
      this.#parent.ended(new UpstreamError("no-film", `${this.about.url}: no such film`, 404));
    }
  }
}

const loopPlanner = (): Planner => {
  return ({ url, method }) => {
    const [, file = ""] = /^loop:\/\/([a-z]+)/.exec(url) ?? [];
    if (file === "") return { status: 404 };
    const about: UpstreamAbout = { kind: "loop", url: shownUrl(url), interfaceName: undefined, receiver: "stream" };
    const isHead = method === "HEAD";
    return {
      key: isHead ? undefined : `loop ${file}`,
      overflow: "skip",
      about,
      firstState: CLIENT_STATE.connecting,
      countsAsClient: !isHead,
      canSnapshot: true,
      accessLog: { serviceType: "loop", url },
      open: (parent) => {
        const upstream = new LoopUpstream(file, about, parent);
        if (isHead) {
          parent.opened();
          parent.ended(undefined);
        }
        return upstream;
      },
    };
  };
};

const LOOP: Protocol = { schemes: ["loop"], planner: loopPlanner, isServable: (rest) => /^[a-z]/.test(rest) };

function start(settings: ConstructorParameters<typeof MediaServer>[0] = {}): MediaServer {
  server[Symbol.dispose]();
  server = new MediaServer({ ...settings, protocols: [...PROTOCOLS, LOOP] });
  return server;
}

/** What the loop plays from a place on. */
function played(from: number, length: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil((from + length) / FILM.length) }, () => FILM)).subarray(
    from,
    from + length,
  );
}

test("a client gets the bytes of one of its URLs, in order, with its metadata", async () => {
  const relay = start({ settings: { corsAllowOrigin: "*" } });
  using client = await relay.request("/loop/film?r2h-token=x");
  const head = await client.head(WAIT_MS);
  expect([head.status, head.headers.get("r2h-upstream-protocol")]).toEqual([200, "loop"]);
  expect(head.headers.get("access-control-allow-origin")).toBe("*");
  const bytes = await client.read(2 * FILM.length, WAIT_MS);
  expect(Buffer.compare(bytes, played(0, bytes.length))).toBe(0);
  const { clients, upstreams } = relay.clients.report(performance.now());
  expect(clients).toMatchObject([{ state: CLIENT_STATE.multicastActive, upstream: "loop" }]);
  expect(upstreams).toMatchObject([{ kind: "loop", clients: 1 }]);
  client.close();
  await relay.idle();
  expect(relay.complaints).toEqual([]);
});

test("clients of the same key share one upstream; a newcomer begins at its last random access point", async () => {
  const relay = start();
  using first = await relay.request("/loop/film");
  await first.head(WAIT_MS);
  await first.read(UNIT, WAIT_MS);
  using second = await relay.request("/loop/film?x=1");
  await second.head(WAIT_MS);
  expect([opened, relay.hub.size, relay.clientLimit.count]).toEqual([1, 1, 2]);
  const bytes = await second.read(2 * FILM.length, WAIT_MS);
  expect(Buffer.compare(bytes, played(0, bytes.length))).toBe(0);
  first.close();
  await until(() => relay.clientLimit.count === 1, WAIT_MS, "the first to be gone");
  const more = await second.read(FILM.length, WAIT_MS);
  expect(Buffer.compare(more, played(0, more.length))).toBe(0);
  second.close();
  await relay.idle();
});

test("HEAD is answered with what is known, and takes no place", async () => {
  const relay = start({ settings: { maxClients: 1 } });
  using playing = await relay.request("/loop/film");
  await playing.head(WAIT_MS);
  using client = await relay.request("/loop/film", "HEAD");
  const { status, headers } = await client.head(WAIT_MS);
  expect([status, headers.get("content-type"), headers.get("r2h-upstream-protocol")]).toEqual([
    200,
    "video/mp2t",
    "loop",
  ]);
  expect(await client.readToEnd(WAIT_MS)).toBeEmpty();
  client.close();
  await until(() => relay.hub.size === 1, WAIT_MS, "its stream to be closed");
  expect(relay.clientLimit.count).toBe(1);
});

test("its failures are answers with the status that it gives", async () => {
  const relay = start();
  for (const [target, status] of [
    ["/loop/", 404],
    ["/loop/123", 404],
    ["/loop/nothing", 404],
  ] as const) {
    using client = await relay.request(target);
    expect((await client.head(WAIT_MS)).status).toBe(status);
    client.close();
  }
  expect(opened).toBe(1);
  await relay.idle();
});

test("without its row its URLs are nobody's", async () => {
  server[Symbol.dispose]();
  server = new MediaServer();
  using client = await server.request("/loop/film");
  expect((await client.head(WAIT_MS)).status).toBe(404);
  expect(opened).toBe(0);
});
