/** One request for MPEG-TS: looks what is in it, leaves out what the browser cannot decode, and reads no faster than asked. */
import { isHlsType, isTypeSupported, type MediaFailure } from "./backend.ts";
import { TsProbe } from "./ts-probe.ts";
import { chooseTracks, type TrackChoice, TsRetyper } from "./ts-tracks.ts";

/** The server says by then whether it has the channel. */
const HEAD_TIMEOUT_MS = 15_000;
/** A buffer that is full is looked at again after this. */
const FULL_POLL_MS = 250;
const RATE_WINDOW_MS = 2000;
const BITS_PER_BYTE = 8;

interface TsStreamEvents {
  /** Before the first data. */
  tracks(choice: TrackChoice): void;
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** Over about two seconds. */
  rate(bitsPerSecond: number): void;
  isHls(): void;
  end(): void;
  failed(failure: MediaFailure): void;
}

export class TsStream {
  readonly #url: string;
  readonly #events: TsStreamEvents;
  /** Whether the player has enough for now. */
  readonly #isFull: () => boolean;
  readonly #abort = new AbortController();
  readonly #probe = new TsProbe();
  #retyper: TsRetyper | undefined;
  #isProbed = false;
  #windowBytes = 0;
  #windowStartMs = performance.now();

  constructor(url: string, events: TsStreamEvents, isFull: () => boolean) {
    this.#url = url;
    this.#events = events;
    this.#isFull = isFull;
  }

  /** @param ready nothing is given out before; the request does not wait for it */
  async run(ready: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => this.#fail({ kind: "network" }), HEAD_TIMEOUT_MS);
    try {
      const response = await fetch(this.#url, { signal: this.#abort.signal, cache: "no-store" });
      clearTimeout(timer);
      if (!response.ok || !response.body) return this.#fail({ kind: "http", status: response.status });
      if (isHlsType(response.headers.get("Content-Type") ?? "")) {
        this.stop();
        return this.#events.isHls();
      }
      await ready;
      await this.#read(response.body.getReader());
    } catch {
      if (!this.#abort.signal.aborted) this.#fail({ kind: "network" });
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): Promise<void> {
    for (;;) {
      while (this.#isFull() && !this.#abort.signal.aborted) await new Promise((wake) => setTimeout(wake, FULL_POLL_MS));
      const { done, value } = await reader.read();
      if (this.#abort.signal.aborted) return;
      if (done) return this.#isProbed ? this.#events.end() : this.#fail({ kind: "format" });
      this.#measure(value.length);
      this.#take(value);
      if (this.#abort.signal.aborted) return;
    }
  }

  #take(chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#isProbed) {
      this.#give(chunk);
      return;
    }
    const programme = this.#probe.push(chunk);
    if (!programme) return;
    if (programme === "not-ts") {
      this.#fail({ kind: "format" });
      return;
    }
    const choice = chooseTracks(programme, isTypeSupported);
    const { unplayableVideo, unplayableAudio } = choice;
    const isPlayable = !unplayableVideo && (choice.video || choice.audio);
    if (!isPlayable) {
      const codecs = [unplayableVideo, unplayableAudio].filter((codec) => codec !== undefined);
      this.#fail(codecs.length > 0 ? { kind: "unsupported", codecs } : { kind: "format" });
      return;
    }
    this.#isProbed = true;
    if (choice.retyped.size > 0) this.#retyper = new TsRetyper(programme.pmtPid, choice.retyped);
    this.#events.tracks(choice);
    this.#give(this.#probe.bytes);
  }

  #give(bytes: Uint8Array<ArrayBuffer>): void {
    this.#events.data(this.#retyper ? this.#retyper.push(bytes) : bytes);
  }

  #measure(bytes: number): void {
    this.#windowBytes += bytes;
    const spanMs = performance.now() - this.#windowStartMs;
    if (spanMs < RATE_WINDOW_MS) return;
    this.#events.rate((this.#windowBytes * BITS_PER_BYTE * 1000) / spanMs);
    this.#windowBytes = 0;
    this.#windowStartMs = performance.now();
  }

  #fail(failure: MediaFailure): void {
    this.stop();
    this.#events.failed(failure);
  }
}
