import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { Depacketizer, type MediaSink } from "../../../src/upstream/rtp/depacketizer.ts";
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
    this.input.reorder.reset();
    return this;
  }

  get units(): Uint8Array[] {
    return this.events.filter((event) => event instanceof Uint8Array);
  }

  get counts(): Record<string, unknown> {
    const { strays, malformed, parity, payloadKind } = this.input;
    return { units: this.units.length, strays, malformed, parity, payloadKind };
  }
}

const counted = (counts: Record<string, unknown>) => ({
  ...{ units: 0, strays: 0, malformed: 0, parity: 0, payloadKind: undefined },
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
  const noPayload = Uint8Array.of(0x80, 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

  test.each<[string, Uint8Array, Record<string, unknown>]>([
    ["RTP with MPEG-TS", rtpPacket(ts(7), 1, 0), { units: 1, payloadKind: "mp2t-rtp" }],
    ["RTP with anything else", rtpPacket(Uint8Array.of(1, 2), 1, 0, { payloadType: 96 }), { units: 1 }],
    ["bare MPEG-TS", ts(7), { units: 1, payloadKind: "mp2t-direct" }],
    ["one cell", ts(1), { units: 1, payloadKind: "mp2t-direct" }],
    ["a rest behind the cells", odd, { units: 1, payloadKind: "mp2t-direct" }],
    ["a fourth cell without sync byte", damaged(7, 3), { units: 1, payloadKind: "mp2t-direct" }],
    ["a first cell without sync byte", damaged(7, 0), { strays: 1 }],
    ["a second cell without sync byte", damaged(7, 1), { strays: 1 }],
    ["a third cell without sync byte", damaged(7, 2), { strays: 1 }],
    ["187 bytes", ts(1).subarray(0, 187), { strays: 1 }],
    ["RTP version 1", oldRtp, { strays: 1 }],
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
    ["media, type 98", rtpPacket(parityPayload(99, 0), 1, 0, { payloadType: 98 }), { units: 1 }],
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

  test("a packet that is cut is passed on shorter or dropped, but never read beyond its end", () => {
    const packet = rtpPacket(ts(7), 1, 0, { csrcs: 2, extensionWords: 3 });
    const start = packet.length - 7 * 188;
    for (let length = 0; length < packet.length; length += 7) {
      const units = new Harness().send(packet, packet.subarray(0, length)).endStartup().units;
      expect(units).toEqual([ts(7)]);
      const cut = new Harness().send(packet.subarray(0, length)).endStartup();
      expect(cut.units).toEqual(length > start ? [packet.subarray(start, length)] : []);
      expect(cut.counts).toMatchObject(length < 12 ? { strays: 1 } : { malformed: length <= start ? 1 : 0 });
    }
  });

  test("the kind is that of the latest datagram, and what is no MPEG-TS does not change it", () => {
    const harness = new Harness();
    const datagrams = [ts(1), rtpPacket(ts(1), 1, 0), ts(1), rtpPacket(Uint8Array.of(1), 2, 0), Uint8Array.of(9)];
    const kinds = datagrams.map((datagram) => harness.send(datagram).input.payloadKind);
    expect(kinds).toEqual(["mp2t-direct", "mp2t-rtp", "mp2t-direct", "mp2t-direct", "mp2t-direct"]);
  });

  test("random datagrams never throw, and each is one thing", () => {
    const datagram = fc
      .tuple(fc.constantFrom(0x80, 0x47, 0xbf, 0x00), fc.uint8Array({ maxLength: 400 }))
      .map(([first, bytes]) => {
        if (bytes.length > 0) bytes[0] = first;
        return bytes;
      });
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 40 }), (datagrams) => {
        const { input, units } = new Harness().send(...datagrams).endStartup();
        const { duplicates, late, resyncs } = input.reorder.counts;
        const known = input.strays + input.malformed + input.parity + duplicates + late - resyncs;
        expect(known + units.length).toBe(datagrams.length);
      }),
      { numRuns: 300 },
    );
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
