import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import type { MediaSink } from "../../../src/upstream/rtp/delivery.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { DatagramSource, rtpPacket } from "../../fakes/ts-datagrams.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";
import { TsVerifier } from "../../fakes/ts-verifier.ts";

const STREAM = { streamId: 7 };
const COLLECT_PACKETS = 8;

type Event = Uint8Array | { within: number; preamble: Uint8Array };

/** Records what comes out. */
class Harness {
  readonly events: Event[] = [];
  readonly input: Depacketizer;
  readonly #memory = allocate(70_000);

  constructor() {
    const sink: MediaSink = {
      append: ({ bytes }, offset, length) => this.events.push(bytes.slice(offset, offset + length)),
      markRandomAccess: (within, preamble) => this.events.push({ within, preamble }),
    };
    this.input = new Depacketizer(sink);
  }

  send(...datagrams: Uint8Array[]): this {
    for (const datagram of datagrams) {
      this.#memory.bytes.set(datagram, 100);
      this.input.datagram(this.#memory, 100, datagram.length);
    }
    return this;
  }

  /** Ends the start-up, which holds packets back. */
  endStartup(): this {
    this.input.reset();
    return this;
  }

  get units(): Uint8Array[] {
    return this.events.filter((event) => event instanceof Uint8Array);
  }

  get counts(): Record<string, unknown> {
    const { strays, malformed, parity, control, payloadKind } = this.input;
    return { units: this.units.length, strays, malformed, parity, control, payloadKind };
  }
}

const counted = (counts: Record<string, unknown>) => ({
  ...{ units: 0, strays: 0, malformed: 0, parity: 0, control: 0, payloadKind: undefined },
  ...counts,
});

/** A parity packet's payload (multicast.md section 9.2), at most `length` bytes, whose first byte is given. */
function parityPayload(length: number, first: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([first, 0, 0, 10, 2, 0, 0x05, 0x30, 0x05, 0x30].slice(0, length));
  return bytes;
}

describe("classification (multicast.md section 6)", () => {
  const ts = (cells: number) => tsPackets(STREAM, 10, cells);
  const damaged = (cells: number, cell: number) => {
    const bytes = ts(cells);
    bytes[cell * 188] = 0x46;
    return bytes;
  };
  const odd = new Uint8Array([...ts(2), 0x47, 1, 2]);
  const oldRtp = rtpPacket(ts(7), 1, 0);
  oldRtp[0] = 0x40;
  const rtcp = Uint8Array.of(0x80, 200, 0, 6, ...new Uint8Array(24));
  const noPayload = Uint8Array.of(0x80, 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

  test.each<[string, Uint8Array, Record<string, unknown>]>([
    ["RTP with MPEG-TS", rtpPacket(ts(7), 1, 0), { units: 1, payloadKind: "mp2t-rtp" }],
    ["bare MPEG-TS", ts(7), { units: 1, payloadKind: "mp2t-direct" }],
    ["one cell", ts(1), { units: 1, payloadKind: "mp2t-direct" }],
    ["a rest behind the cells", odd, { units: 1, payloadKind: "mp2t-direct" }],
    ["a fourth cell without sync byte", damaged(7, 3), { units: 1, payloadKind: "mp2t-direct" }],
    ["a first cell without sync byte", damaged(7, 0), { units: 1, payloadKind: "mp2t-direct" }],
    ["a second cell without sync byte", damaged(7, 1), { units: 1, payloadKind: "mp2t-direct" }],
    ["a third cell without sync byte", damaged(7, 2), { units: 1, payloadKind: "mp2t-direct" }],
    ["three cells, one without sync byte", damaged(3, 1), { strays: 1 }],
    ["187 bytes", ts(1).subarray(0, 187), { strays: 1 }],
    ["RTP version 1, of which the MPEG-TS is found", oldRtp, { units: 1, payloadKind: "mp2t-direct" }],
    ["RTCP", rtcp, { control: 1 }],
    ["an empty RTCP report", Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9), { control: 1 }],
    ["an empty RTCP report and BYE", Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9, 0x80, 203, 0, 0), { control: 1 }],
    ["RTCP of many blocks", Uint8Array.of(0x9f, 201, 0, 6, ...new Uint8Array(24).fill(0xff)), { control: 1 }],
    ["RTCP with padding", Uint8Array.of(0xa0, 202, 0, 3, ...new Uint8Array(11), 200), { control: 1 }],
    ["RTCP that is cut off", Uint8Array.of(0x80, 201, 0, 7, 0, 0, 0, 9), { strays: 1 }],
    ["11 bytes of RTP", noPayload.subarray(0, 11), { strays: 1 }],
    ["nothing", new Uint8Array(0), { strays: 1 }],
    ["RTP without payload", noPayload, { malformed: 1 }],
    ["padding only", rtpPacket(new Uint8Array(0), 1, 0, { padding: 4 }), { malformed: 1 }],
    ["parity, type 97", rtpPacket(parityPayload(1340, 0), 1, 0, { payloadType: 97 }), { parity: 1 }],
    ["parity, type 127", rtpPacket(parityPayload(1340, 0x47), 1, 0, { payloadType: 127 }), { parity: 1 }],
    ["parity that begins like one cell", rtpPacket(ts(1), 1, 0, { payloadType: 97 }), { parity: 1 }],
    ["a short one", rtpPacket(parityPayload(300, 0x47), 1, 0, { payloadType: 97 }), { parity: 1 }],
    ["media, type 97", rtpPacket(ts(2), 1, 0, { payloadType: 97 }), { units: 1, payloadKind: "mp2t-rtp" }],
    ["media, type 127", rtpPacket(ts(7), 1, 0, { payloadType: 127 }), { units: 1, payloadKind: "mp2t-rtp" }],
    ["one RTP packet of anything else", rtpPacket(parityPayload(99, 0), 1, 0, { payloadType: 98 }), { strays: 1 }],
  ])("%s", (_, datagram, counts) => {
    expect(new Harness().send(datagram).endStartup().counts).toEqual(counted(counts));
  });

  test("a payload is passed on without header, CSRC list, extension and padding", () => {
    const shapes = [
      {},
      { csrcs: 15 },
      { extensionWords: 0 },
      { extensionWords: 9, csrcs: 2, padding: 255 },
      { padding: 1 },
    ];
    for (const shape of shapes) {
      expect(new Harness().send(rtpPacket(ts(7), 1, 0, shape)).endStartup().units).toEqual([ts(7)]);
    }
  });

  test("a packet that is cut gives its whole cells or is dropped, but is never read beyond its end", () => {
    const packet = rtpPacket(ts(7), 1, 0, { csrcs: 2, extensionWords: 3 });
    const start = packet.length - 7 * 188;
    for (let length = 0; length < packet.length; length += 7) {
      const units = new Harness().send(packet, packet.subarray(0, length)).endStartup().units;
      expect(units).toEqual([ts(7)]);
      const cut = new Harness().send(packet.subarray(0, length)).endStartup();
      const all = Buffer.concat(cut.units);
      expect(all.length).toBeLessThanOrEqual(Math.max(0, length - start));
      expect([all.length % 188, Buffer.compare(all, ts(7).subarray(0, all.length))]).toEqual([0, 0]);
      expect(cut.counts).toMatchObject({ malformed: length >= 12 && length <= start ? 1 : 0 });
    }
  });

  test("random datagrams never throw, and each is one thing", () => {
    const datagram = fc
      .tuple(fc.constantFrom(0x80, 0x47, 0xbf, 0x00), fc.uint8Array({ maxLength: 400 }))
      .map(([first, bytes]) => {
        if (bytes.length > 0) bytes[0] = first;
        return bytes;
      });
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 20 }), (datagrams) => {
        const { input, units } = new Harness().send(...datagrams).endStartup();
        const { duplicates, late } = input.reorder.counts;
        const known = input.strays + input.malformed + input.parity + input.control + duplicates + late;
        expect(known + units.length).toBe(datagrams.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a strange datagram", () => {
  const OTHER = { ssrc: 0x0bad };
  const strange: Record<string, (i: number, next: number) => Uint8Array> = {
    "a sender report": () => Uint8Array.of(0x80, 200, 0, 6, ...new Uint8Array(24)),
    "a receiver report that fits in": (_, next) => Uint8Array.of(0x81, 201, next >> 8, next, ...new Uint8Array(28)),
    "sound of another sender": (i) => rtpPacket(new Uint8Array(400), i * 77, 0, { ...OTHER, payloadType: 14 }),
    "sound of the same sender": (i) => rtpPacket(new Uint8Array(400), i * 77, 0, { payloadType: 14 }),
    "parity of any type": (i) => rtpPacket(parityPayload(400, 0), i, 0, { ...OTHER, payloadType: 96 }),
    "a packet of another programme": (_, next) => rtpPacket(tsPackets({ streamId: 9 }, 0, 7), next ^ 0x4000, 0, OTHER),
    "a packet from far ahead": (_, next) => rtpPacket(tsPackets({ streamId: 9 }, 0, 7), (next + 9000) & 0xffff, 0),
    "bare MPEG-TS": () => tsPackets({ streamId: 9 }, 0, 7),
    "a word": () => Buffer.from("hello"),
  };

  test.each(Object.keys(strange))("moves nothing: %s", (name) => {
    for (const firstSequence of [0, 1000, 33_000, 40_000, 65_500]) {
      const source = new DatagramSource({ carrier: "rtp", streamId: 3, firstSequence });
      const alone = new DatagramSource({ carrier: "rtp", streamId: 3, firstSequence });
      const harness = new Harness();
      const undisturbed = new Harness();
      for (let i = 0; i < 300; i++) {
        harness.input.tick(i * 5);
        undisturbed.input.tick(i * 5);
        harness.send(...source.next());
        undisturbed.send(...alone.next());
        if (i % 20 === 9) harness.send(strange[name]!(i, (firstSequence + i + 1) & 0xffff));
      }
      expect(harness.endStartup().units).toEqual(undisturbed.endStartup().units);
      expect(harness.input.reorder.counts).toMatchObject({ lost: 0, late: 0, resyncs: 0 });
      const { strays, control } = harness.input;
      expect(strays + control).toBe(15);
    }
  });

  test("is not taken for the stream, when it comes first", () => {
    const source = new DatagramSource({ carrier: "rtp", streamId: 3, firstSequence: 40_000 });
    const harness = new Harness().send(rtpPacket(new Uint8Array(400), 7, 0, { ...OTHER, payloadType: 14 }));
    for (let i = 0; i < 20; i++) harness.send(...source.next());
    expect(harness.endStartup().units).toHaveLength(20);
  });
});

describe("a source that restarts", () => {
  const before = () => new DatagramSource({ carrier: "rtp", streamId: 3, firstSequence: 30_000 });
  /** All that is sent before and after, with so many ms between the datagrams. */
  const restart = (next: (i: number) => Uint8Array, gapMs: number) => {
    const harness = new Harness();
    const source = before();
    for (let i = 0; i < 40; i++) {
      harness.input.tick(i * gapMs);
      harness.send(...source.next());
    }
    for (let i = 0; i < 100; i++) {
      harness.input.tick((40 + i) * gapMs);
      harness.send(next(i));
    }
    return harness.endStartup();
  };
  const ts = (i: number) => tsPackets({ streamId: 8 }, i * 7, 7);

  test.each<[string, (i: number) => Uint8Array]>([
    ["under another name, with lower numbers", (i) => rtpPacket(ts(i), 5 + i, 0, { ssrc: 5 })],
    ["under another name, with higher numbers", (i) => rtpPacket(ts(i), 31_000 + i, 0, { ssrc: 5 })],
    ["under the same name, far ahead", (i) => rtpPacket(ts(i), 45_000 + i, 0)],
    ["as bare MPEG-TS", ts],
  ])("%s is followed, and nothing of it is lost", (_, next) => {
    for (const gapMs of [0.5, 5, 30]) {
      const harness = restart(next, gapMs);
      expect(harness.units.slice(40)).toEqual(Array.from({ length: 100 }, (_, i) => ts(i)));
      expect(harness.counts).toMatchObject({ strays: 0, malformed: 0 });
    }
  });

  test("is told from one that begins beside another, which is left alone", () => {
    const harness = new Harness();
    const source = before();
    for (let i = 0; i < 200; i++) {
      harness.input.tick(i * 20);
      harness.send(...source.next(), rtpPacket(ts(2 * i), 2 * i, 0, { ssrc: 5 }));
      harness.send(rtpPacket(ts(2 * i + 1), 2 * i + 1, 0, { ssrc: 5 }));
    }
    expect(harness.endStartup().units).toHaveLength(200);
    expect(harness.input.strays).toBe(400);
  });
});

describe("a stream of neither RTP nor MPEG-TS", () => {
  const sound = (i: number) => Uint8Array.from({ length: 417 }, (_, at) => (at === 0 ? i * 13 : at * i + 1));

  test("passes as it comes, when enough of it has come and nothing else", () => {
    const harness = new Harness();
    for (let i = 0; i < 100; i++) harness.send(sound(i));
    const { units } = harness;
    expect(units).toEqual(Array.from({ length: units.length }, (_, i) => sound(100 - units.length + i)));
    expect(units.length).toBeGreaterThan(60);
    expect(harness.input.passesBytes).toBe(true);
  });

  test("gives way to MPEG-TS", () => {
    const harness = new Harness();
    for (let i = 0; i < 100; i++) harness.send(sound(i));
    const source = new DatagramSource({ carrier: "udp", streamId: 3 });
    for (let i = 0; i < 10; i++) harness.send(...source.next());
    expect([harness.input.passesBytes, harness.input.payloadKind]).toEqual([false, "mp2t-direct"]);
  });

  test("is not passed once there was media", () => {
    const harness = new Harness().send(tsPackets({ streamId: 3 }, 0, 7));
    for (let i = 0; i < 100; i++) harness.send(sound(i));
    expect(harness.units).toHaveLength(1);
  });

  test("over RTP passes from the second packet on that goes on where the first was, with the first", () => {
    const harness = new Harness();
    for (let i = 0; i < 10; i++) harness.send(rtpPacket(sound(i), 70 + i, 0, { payloadType: 96 }));
    expect(harness.endStartup().units).toEqual(Array.from({ length: 10 }, (_, i) => sound(i)));
  });
});

describe("a stream", () => {
  const start = { carrier: "rtp", streamId: 3, interval: 20, firstSequence: 65_500 } as const;

  function play(source: DatagramSource, datagrams: number): Harness {
    const harness = new Harness();
    for (let i = 0; i < datagrams; i++) harness.send(...source.next());
    return harness.endStartup();
  }

  function verified(harness: Harness): TsVerifier {
    const verifier = new TsVerifier(start.streamId);
    for (const unit of harness.units) verifier.push(unit);
    verifier.end();
    return verifier;
  }

  test("with swaps and duplicates comes out clean, in all header shapes, with strays between", () => {
    const source = new DatagramSource({
      ...start,
      fault: (i) => (i % 9 === 4 ? { delayBy: 3 } : i % 5 === 2 ? "duplicate" : undefined),
      shape: (i) => ({ csrcs: i % 3, padding: i % 4, ...(i % 2 === 0 && { extensionWords: i % 5 }) }),
    });
    const harness = new Harness();
    for (let i = 0; i < 210; i++) {
      harness.send(...source.next(), Uint8Array.of(i, i, i));
      harness.send(rtpPacket(parityPayload(300, 0x47), i * 7, 0, { payloadType: 127 }));
    }
    const verifier = verified(harness.endStartup());
    expect(verifier.counts).toMatchObject({ packets: 210 * 7, first: 0 });
    expect(verifier.clean).toBe(true);
    expect(harness.counts).toMatchObject({ strays: 210, parity: 210, malformed: 0 });
  });

  test("that loses packets loses exactly those", () => {
    const lost = verified(
      play(new DatagramSource({ ...start, fault: (i) => (i % 10 === 5 ? "drop" : undefined) }), 100),
    );
    expect(lost.lost).toBe(10 * 7);
    lost.lost = 0;
    expect(lost.clean).toBe(true);
  });

  test.each(["rtp", "udp"] as const)("over %s marks each key frame just before the unit that holds it", (carrier) => {
    const harness = play(new DatagramSource({ ...start, carrier }), 40);
    const marks = harness.events.flatMap((event, i) => (event instanceof Uint8Array ? [] : [[event, i] as const]));
    // Every 20 packets, the key frame is the third: 280 packets hold 14.
    expect(marks).toHaveLength(14);
    marks.forEach(([mark, i], n) => {
      const unit = harness.events[i + 1] as Uint8Array;
      const counter = 20 * n + 2;
      expect(mark.within).toBe((counter % 7) * 188);
      expect(unit.subarray(mark.within, mark.within + 188)).toEqual(tsPackets(start, counter, 1));
      expect(mark.preamble).toHaveLength(376);
    });
  });

  test("over bare UDP is passed on at once, over RTP after the start-up", () => {
    const udp = new DatagramSource({ ...start, carrier: "udp" });
    expect(new Harness().send(...udp.next()).units).toHaveLength(1);
    const rtp = new DatagramSource(start);
    const harness = new Harness();
    for (let i = 1; i < COLLECT_PACKETS; i++) harness.send(...rtp.next());
    expect(harness.units).toHaveLength(0);
    expect(harness.send(...rtp.next()).units).toHaveLength(COLLECT_PACKETS);
  });
});
