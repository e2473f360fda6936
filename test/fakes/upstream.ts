/** Upstreams that bring what the test says, consumers that take what it lets them, and a stream for both. */
import { Budget } from "../../src/relay/budget.ts";
import type { Consumer, DropCounts } from "../../src/relay/consumer.ts";
import type { Cursor } from "../../src/relay/cursor.ts";
import { Stream, type StreamParent } from "../../src/relay/stream.ts";
import { USUAL_TICK_MS } from "../../src/relay/tick.ts";
import type {
  Overflow,
  StreamInfo,
  StreamState,
  Upstream,
  UpstreamAbout,
  UpstreamParent,
  UpstreamPlan,
} from "../../src/relay/upstream.ts";
import { type RecordingLog, recordingLog } from "./recording-log.ts";

export const FAKE_ABOUT: UpstreamAbout = {
  kind: "fake",
  url: "fake://upstream",
  interfaceName: undefined,
  receiver: "stream",
};

export class FakeUpstream implements Upstream {
  readonly about = FAKE_ABOUT;
  readonly rtp = undefined;
  info: StreamInfo = { metadata: [["X-Upstream", "fake"]] };
  tickMs = USUAL_TICK_MS;
  ticks = 0;
  closes = 0;
  onTick: ((now: number) => void) | undefined;
  onClose: (() => void) | undefined;
  parent!: UpstreamParent;

  tick(now: number): void {
    if (this.closes > 0) throw new Error("ticks after its end");
    this.ticks++;
    this.onTick?.(now);
  }

  close(): void {
    this.closes++;
    this.onClose?.();
  }
}

/** A plan that opens `upstream`, or whatever `open` does. */
export function fakePlan(
  upstream: FakeUpstream,
  options: {
    readonly key?: string;
    readonly overflow?: Overflow;
    readonly open?: (parent: UpstreamParent) => void;
  } = {},
): UpstreamPlan {
  return {
    key: options.key,
    overflow: options.overflow ?? "skip",
    about: FAKE_ABOUT,
    open: (parent) => {
      upstream.parent = parent;
      options.open?.(parent);
      return upstream;
    },
  };
}

/** Takes as many bytes as it has room for, remembers all that it is told, and throws where it should. */
export class FakeConsumer implements Consumer {
  room = Number.POSITIVE_INFINITY;
  /** Lengths of what was taken, write by write. */
  readonly chunks: number[] = [];
  readonly infos: StreamInfo[] = [];
  readonly states: StreamState[] = [];
  readonly pauses: boolean[] = [];
  /** The counts of packets that it was told. */
  readonly drops: number[] = [];
  readonly ends: (Error | undefined)[] = [];
  /** The method that throws. */
  throwsIn: keyof Consumer | undefined;
  onWrite: (() => void) | undefined;
  onEnd: (() => void) | undefined;
  readonly #taken: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return Buffer.concat(this.#taken);
  }

  opened(info: StreamInfo): void {
    this.infos.push(info);
    this.#trap("opened");
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.infos.length !== 1) throw new Error(`written to after ${this.infos.length} calls of opened`);
    if (this.ends.length > 0) throw new Error("written to after the end");
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.chunks.push(taken);
    this.#taken.push(bytes.slice(offset, offset + taken));
    this.#trap("write");
    this.onWrite?.();
    return taken;
  }

  entered(state: StreamState): void {
    this.states.push(state);
    this.#trap("entered");
  }

  paused(isPaused: boolean): void {
    this.pauses.push(isPaused);
    this.#trap("paused");
  }

  dropped({ droppedPackets }: DropCounts): void {
    this.drops.push(droppedPackets);
    this.#trap("dropped");
  }

  end(cause: Error | undefined): void {
    this.ends.push(cause);
    this.#trap("end");
    this.onEnd?.();
  }

  #trap(name: keyof Consumer): void {
    if (this.throwsIn === name) throw new Error(`fault in ${name}`);
  }
}

/** What a stream needs, without a heartbeat: who wakes it lets it tick at `now`. */
export class FakeStreamParent implements StreamParent {
  readonly budget: Budget;
  readonly log: RecordingLog = recordingLog();
  readonly closes: Stream[] = [];
  now = 1000;

  /** @param slots value of `-b` */
  constructor(slots = 16_384) {
    this.budget = new Budget(slots);
  }

  wake(stream: Stream): void {
    stream.tick(this.now);
  }

  closed(stream: Stream): void {
    this.closes.push(stream);
  }
}

/** A stream that is open, with its first consumer. */
export class FakeStream {
  readonly parent: FakeStreamParent;
  readonly upstream = new FakeUpstream();
  readonly stream: Stream;
  readonly first: Cursor;

  constructor(options: { consumer?: Consumer; overflow?: Overflow; parent?: FakeStreamParent } = {}) {
    this.parent = options.parent ?? new FakeStreamParent();
    this.stream = new Stream(fakePlan(this.upstream, { overflow: options.overflow ?? "skip" }), this.parent);
    this.first = this.stream.attach(options.consumer ?? new FakeConsumer(), false);
    this.stream.start(this.parent.now);
  }

  join(consumer: Consumer, fastStart = false): Cursor {
    return this.stream.attach(consumer, fastStart);
  }

  tick(now: number): void {
    this.parent.now = now;
    this.stream.tick(now);
  }

  /** Everybody leaves; answers what is left of the memory. */
  leave(): { usedBytes: number; streams: number; closes: number } {
    for (const cursor of [...this.stream.cursors]) this.stream.detach(cursor);
    const { usedBytes, streams } = this.parent.budget;
    return { usedBytes, streams, closes: this.upstream.closes };
  }
}

/** What `leave` answers when nothing is left. */
export const NOTHING_LEFT = { usedBytes: 0, streams: 0, closes: 1 } as const;
