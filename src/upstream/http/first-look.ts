/** Reads the first bytes of a body to see what it is, and gives them back (http-proxy.md section 6). */
import { allocate } from "../../system/memory.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ByteSource } from "./body.ts";
import { type BodyKind, FirstBytes } from "./first-bytes.ts";
import type { ContentCoding } from "./playlist-handling.ts";

/** How long the head of an answer waits for the first bytes of its body. */
const LOOK_TIMEOUT_MS = 2000;
const READ_BYTES = 512;

interface LookedAt extends ByteSource {
  /** Gives back what was read first, to be read again. */
  unread(piece: Uint8Array): void;
}

/** Used at once, by whoever looks. */
const area = allocate(READ_BYTES);

export class FirstLook {
  readonly #source: LookedAt;
  readonly #bytes: FirstBytes;
  /** Of the body; the next one may begin another answer. */
  readonly #length: number;
  readonly #decided: (kind: BodyKind) => void;
  readonly #timer: Timer;
  #state: "looking" | "over" = "looking";

  /** @param decided is told once what it is, perhaps at once; the source can then be read from its first byte */
  constructor(source: LookedAt, framing: BodyFraming, coding: ContentCoding, decided: (kind: BodyKind) => void) {
    this.#source = source;
    this.#bytes = new FirstBytes(framing, coding);
    this.#length = framing.kind === "length" ? framing.length : Number.POSITIVE_INFINITY;
    this.#decided = decided;
    this.#timer = setTimeout(() => this.#end(this.#bytes.kindSoFar), LOOK_TIMEOUT_MS);
  }

  /** There may be more to read. */
  readable(): void {
    while (this.#state === "looking") {
      const left = this.#length - this.#bytes.rawBytes;
      const count = left === 0 ? -1 : this.#source.read(area, 0, Math.min(READ_BYTES, left));
      if (count === 0) {
        this.#source.waitReadable();
        return;
      }
      if (count > 0) this.#bytes.take(area.bytes.slice(0, count));
      const kind = count < 0 ? this.#bytes.kindSoFar : this.#bytes.kind;
      if (kind) this.#end(kind);
    }
  }

  close(): void {
    this.#state = "over";
    clearTimeout(this.#timer);
  }

  #end(kind: BodyKind): void {
    this.close();
    if (this.#bytes.rawBytes > 0) this.#source.unread(this.#bytes.raw);
    this.#decided(kind);
  }
}
