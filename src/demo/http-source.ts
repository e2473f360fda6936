/** A small HTTP server on loopback: plays one clip for ever, live or from a time in the past, and serves the programme guide. */

import { ClipLoop, type LoopClip } from "../wire/mpegts/loop.ts";
import { TS_PACKET_BYTES } from "../wire/mpegts/packet.ts";
import { asByteString } from "../wire/text/byte-string.ts";
import { PaceClock } from "./pace-clock.ts";
import { type Playback, positionTicks, soughtPlayback } from "./playback.ts";

const MAX_STREAMS = 16;
const LOOPBACK = "127.0.0.1";
const MEDIA_PATH = "/live";
const GUIDE_PATH = "/guide.xml";
const TICK_MS = 20;
/** Requests have no body. */
const MAX_BODY_BYTES = 0;

export class HttpSource {
  readonly #clip: LoopClip;
  readonly #guide: (nowMs: number) => string;
  readonly #server: Bun.Server<undefined>;
  #streams = 0;

  /**
   * Listens on a free port until `stop`. Throws the system's error when there is no loopback interface.
   * @param guide makes the programme guide for a Unix time
   */
  constructor(clip: LoopClip, guide: (nowMs: number) => string) {
    this.#clip = clip;
    this.#guide = guide;
    this.#server = Bun.serve({
      hostname: LOOPBACK,
      port: 0,
      maxRequestBodySize: MAX_BODY_BYTES,
      fetch: (request) => this.#answer(request),
    });
  }

  get mediaUrl(): string {
    return `http://${LOOPBACK}:${this.#server.port}${MEDIA_PATH}`;
  }

  get guideUrl(): string {
    return `http://${LOOPBACK}:${this.#server.port}${GUIDE_PATH}`;
  }

  stop(): void {
    // Whatever is still open ends with the process.
    this.#server.stop(true).catch(() => {});
  }

  #answer({ method, url }: Request): Response {
    const { pathname, search } = new URL(url);
    if (method !== "GET" && method !== "HEAD") return new Response(null, { status: 405 });
    if (pathname === GUIDE_PATH) {
      return new Response(this.#guide(Date.now()), { headers: { "Content-Type": "application/xml" } });
    }
    if (pathname !== MEDIA_PATH) return new Response(null, { status: 404 });
    const init = { headers: { "Content-Type": "video/mp2t", "Cache-Control": "no-store" } };
    if (method === "HEAD") return new Response(null, init);
    if (this.#streams === MAX_STREAMS) return new Response(null, { status: 503 });
    return new Response(this.#media(soughtPlayback(asByteString(search.slice(1)), Date.now())), init);
  }

  /** Waits until the client has taken a piece before it makes another. Left early when the client goes. */
  async *#media({ startMs, endMs }: Playback): AsyncGenerator<Uint8Array> {
    this.#streams++;
    try {
      const loop = new ClipLoop(this.#clip, positionTicks(startMs));
      const origin = loop.nextDueTicks();
      const length = endMs === undefined ? Number.POSITIVE_INFINITY : positionTicks(endMs - startMs);
      const clock = new PaceClock(performance.now());
      for (let ticks = 0; ; await Bun.sleep(TICK_MS)) {
        ticks = Math.min(length, clock.advance(performance.now()));
        const piece = packetsUntil(loop, origin + ticks);
        if (piece.length > 0) yield piece;
        if (ticks === length) return;
      }
    } finally {
      this.#streams--;
    }
  }
}

/** The packets that are due by then. */
function packetsUntil(loop: ClipLoop, dueTicks: number): Uint8Array {
  const packets: Uint8Array[] = [];
  while (loop.nextDueTicks() <= dueTicks) {
    const packet = new Uint8Array(TS_PACKET_BYTES);
    loop.emitNext(packet, 0);
    packets.push(packet);
  }
  return Buffer.concat(packets);
}
