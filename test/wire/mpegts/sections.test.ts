import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parsePat, parsePmt, SectionReader } from "../../../src/wire/mpegts/sections.ts";
import {
  type PmtStream,
  patSection,
  pmtSection,
  psiSection,
  sectionPackets,
  tablePacket,
  withCrc,
} from "../../fakes/psi.ts";
import { PMT_PID, tsPacket, VIDEO_PID } from "../../fakes/ts-packets.ts";

const PID = 0x100;
const SHORT = pmtSection([{ type: 0x1b, pid: 0x101 }]);
const LONG = pmtSection(
  Array.from({ length: 60 }, (_, i) => ({ type: 0x0f, pid: 0x200 + i, descriptors: [0x0a, 1, i] })),
);

/** The sections that come out, and over how many packets each was spread. */
function read(packets: readonly Uint8Array[]): { sections: number[][]; packets: number[] } {
  const found = { sections: [] as number[][], packets: [] as number[] };
  const reader = new SectionReader((section, count) => {
    found.sections.push([...section]);
    found.packets.push(count);
  });
  for (const packet of packets) reader.push(packet, 0);
  return found;
}

const sectionsOf = (packets: readonly Uint8Array[]) => read(packets).sections;

/** Cuts a section at these places, each part in a packet of its own. */
function cutPackets(section: readonly number[], cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts, section.length];
  return edges.slice(1).map((end, i) => {
    const part = section.slice(edges[i]!, end);
    return tablePacket(PID, i === 0 ? [0, ...part] : part, { counter: i, isStart: i === 0, exact: true });
  });
}

describe("SectionReader", () => {
  test("a section that is cut at any byte is the same", () => {
    for (let cut = 1; cut < SHORT.length; cut++) {
      expect(read(cutPackets(SHORT, [cut]))).toEqual({ sections: [SHORT], packets: [2] });
    }
    const everyByte = Array.from({ length: SHORT.length - 1 }, (_, i) => i + 1);
    expect(read(cutPackets(SHORT, everyByte))).toEqual({ sections: [SHORT], packets: [SHORT.length] });
  });

  test("a long section in parts of any length is the same", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 183 }), { minLength: 1 }), (lengths) => {
        const cuts: number[] = [];
        for (let at = 0, i = 0; at < LONG.length; i++) {
          at += lengths[i % lengths.length]!;
          if (at < LONG.length) cuts.push(at);
        }
        expect(read(cutPackets(LONG, cuts))).toEqual({ sections: [LONG], packets: [cuts.length + 1] });
      }),
    );
  });

  test("several sections follow each other in packets, behind a pointer, until stuffing", () => {
    const tail = SHORT.slice(10);
    const packets = [
      tablePacket(PID, [9, ...new Array<number>(9).fill(0x02), ...SHORT, ...SHORT.slice(0, 10)], {
        exact: true,
        counter: 15,
      }),
      tablePacket(PID, [tail.length, ...tail, ...LONG.slice(0, 50)], { exact: true, counter: 0 }),
      ...[50, 230].map((at, i) =>
        tablePacket(PID, LONG.slice(at, at + 180), { counter: 1 + i, isStart: false, exact: true }),
      ),
      tablePacket(PID, [LONG.length - 410, ...LONG.slice(410), ...SHORT], { counter: 3 }),
    ];
    expect(LONG.length).toBeGreaterThan(410);
    expect(read(packets)).toEqual({ sections: [SHORT, SHORT, LONG, SHORT], packets: [1, 2, 4, 1] });
  });

  test("a packet may come twice, and packets without payload count for nothing", () => {
    const [first, second, third] = sectionPackets(PID, LONG) as [Uint8Array, Uint8Array, Uint8Array];
    const empty = Uint8Array.from(first);
    empty.set([0x47, 0x01, 0, 0x20 | 7, 183]);
    expect(read([first, first, second, empty, second, third, third])).toEqual({ sections: [LONG], packets: [3] });
    expect(sectionsOf([...cutPackets(SHORT, [5]), ...cutPackets(SHORT, [5])])).toEqual([SHORT, SHORT]);
  });

  test("a multiplexer that does not count is believed where a section begins", () => {
    const [packet] = sectionPackets(PID, SHORT);
    expect(sectionsOf([packet!, packet!, packet!])).toEqual([SHORT, SHORT, SHORT]);
  });

  test("a loss, an error and a scrambled packet end a section, and the next one is read", () => {
    const packets = sectionPackets(PID, LONG);
    const next = sectionPackets(PID, SHORT, { counter: packets.length });
    const changed = (byte: number, bits: number) =>
      packets.map((packet, i) => packet.with(byte, packet[byte]! | (i === 1 ? bits : 0)));
    expect(sectionsOf([...packets.toSpliced(1, 1), ...next])).toEqual([SHORT]);
    expect(sectionsOf([...changed(1, 0x80), ...next])).toEqual([SHORT]);
    expect(sectionsOf([...changed(3, 0x80), ...next])).toEqual([SHORT]);
    expect(sectionsOf([packets[0]!, ...sectionPackets(PID, SHORT, { pointer: 20, counter: 5 })])).toEqual([SHORT]);
    expect(sectionsOf(packets.slice(1))).toEqual([]);
  });

  test("any byte that is wrong is noticed", () => {
    fc.assert(
      fc.property(fc.nat(LONG.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        expect(sectionsOf(sectionPackets(PID, LONG.with(at, LONG[at]! ^ bits)))).toEqual([]);
      }),
    );
  });

  test("a wrong section does not hide the one behind it", () => {
    expect(sectionsOf(sectionPackets(PID, [...SHORT.with(9, 0x55), ...SHORT]))).toEqual([SHORT]);
  });

  test("lengths: 1021 for tables of the standard, 4093 for private ones, and never without a CRC", () => {
    const ofLength = (table: number, length: number) => psiSection(table, new Array<number>(length - 9).fill(7));
    for (const section of [ofLength(2, 1021), ofLength(0x80, 1022), ofLength(0x80, 4093)]) {
      expect(sectionsOf(sectionPackets(PID, section))).toEqual([section]);
    }
    for (const section of [ofLength(2, 1022), ofLength(0x80, 4094)]) {
      expect(sectionsOf(sectionPackets(PID, section))).toEqual([]);
    }
    const withoutCrc = [0x70, 0x30, 5, 1, 2, 3, 4, 5];
    const tooShort = withCrc([2, 0xb0, 4]);
    const empty = [2, 0xb0, 0];
    expect(sectionsOf(sectionPackets(PID, [...withoutCrc, ...tooShort, ...empty, ...SHORT]))).toEqual([SHORT]);
  });

  test("is open while a section goes on, until reset", () => {
    const reader = new SectionReader(() => {});
    const [first, second] = sectionPackets(PID, LONG);
    reader.push(first!, 0);
    expect(reader.isOpen).toBe(true);
    reader.reset();
    expect(reader.isOpen).toBe(false);
    expect(reader.push(second!, 0)).toBe(false);
    expect(reader.isOpen).toBe(false);
  });

  test("random packets never throw, and all that comes out has a right CRC", () => {
    const random = fc
      .tuple(fc.uint8Array({ minLength: 188, maxLength: 188 }), fc.nat(15), fc.constantFrom(0, 1, 0x40, 0x41))
      .map(([bytes, counter, flags]) => {
        bytes.set([0x47, flags, 0, 0x10 | counter]);
        return bytes;
      });
    const known = fc.constantFrom(...sectionPackets(PID, LONG), ...sectionPackets(PID, SHORT, { pointer: 100 }));
    fc.assert(
      fc.property(fc.array(fc.oneof(random, known), { maxLength: 12 }), (packets) => {
        for (const section of sectionsOf(packets)) {
          expect(withCrc(section.slice(0, -4))).toEqual(section);
          parsePat(Uint8Array.from(section));
          parsePmt(Uint8Array.from(section));
        }
      }),
      { numRuns: 500 },
    );
  });
});

const pid13 = fc.integer({ min: 1, max: 0x1ffe });

describe("parsePat", () => {
  test("lists the programmes, the network's entry aside", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 0xffff }), pid13), { maxLength: 250 }), (programmes) => {
        const expected = programmes.map(([number, pmtPid]) => ({ number, pmtPid }));
        expect(parsePat(Uint8Array.from(patSection([[0, 0x10], ...programmes])))).toEqual(expected);
      }),
    );
  });

  test("does not read other tables, nor one that does not apply yet, nor the second part of one", () => {
    const pat = Uint8Array.from(patSection([[1, PID]]));
    expect(parsePat(pat)).toEqual([{ number: 1, pmtPid: PID }]);
    expect(parsePat(Uint8Array.from(SHORT))).toBeUndefined();
    expect(parsePat(pat.with(5, 0xc0))).toBeUndefined();
    expect(parsePat(pat.with(6, 1))).toBeUndefined();
  });
});

describe("parsePmt", () => {
  const descriptors = fc.array(fc.nat(255), { maxLength: 12 });
  const streams: fc.Arbitrary<PmtStream[]> = fc.array(fc.record({ type: fc.nat(255), pid: pid13, descriptors }), {
    maxLength: 55,
  });

  test("lists the streams, whatever descriptors lie between them", () => {
    fc.assert(
      fc.property(streams, descriptors, fc.nat(0xffff), (list, info, programme) => {
        const map = parsePmt(Uint8Array.from(pmtSection(list, { programme, info })));
        expect(map?.programme).toBe(programme);
        expect(map?.streams.map((stream) => ({ ...stream, descriptors: [...stream.descriptors] }))).toEqual(
          list as never,
        );
      }),
    );
  });

  test("finds all of 60 streams over several packets", () => {
    const packets = sectionPackets(PID, LONG);
    expect(packets.length).toBeGreaterThan(2);
    expect(parsePmt(Uint8Array.from(sectionsOf(packets)[0]!))?.streams.map(({ pid }) => pid)).toEqual(
      Array.from({ length: 60 }, (_, i) => 0x200 + i),
    );
  });

  test("does not read other tables, nor one that is too short or does not apply yet", () => {
    const pmt = Uint8Array.from(SHORT);
    expect(parsePmt(Uint8Array.from(psiSection(2, [0xe1, 0, 0xf0])))).toBeUndefined();
    expect(parsePmt(Uint8Array.from(psiSection(2, [0xe1, 0, 0xf0, 0])))).toEqual({ programme: 1, streams: [] });
    expect(parsePmt(pmt.with(0, 0))).toBeUndefined();
    expect(parsePmt(pmt.with(5, 0xc0))).toBeUndefined();
  });

  test("keeps descriptors inside of the section, whatever length they claim", () => {
    const map = parsePmt(Uint8Array.from(SHORT).with(SHORT.length - 4 - 1, 200));
    expect(map?.streams).toEqual([{ type: 0x1b, pid: 0x101, descriptors: new Uint8Array(0) }]);
  });
});

test("the tables of the test packets are read", () => {
  const [pat] = sectionsOf([tsPacket({ streamId: 1 }, 0)]);
  const [pmt] = sectionsOf([tsPacket({ streamId: 1 }, 1)]);
  expect(parsePat(Uint8Array.from(pat!))).toEqual([{ number: 1, pmtPid: PMT_PID }]);
  expect(parsePmt(Uint8Array.from(pmt!))?.streams).toMatchObject([{ type: 0x1b, pid: VIDEO_PID }]);
});
