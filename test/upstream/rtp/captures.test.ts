/**
 * What a line with Reed–Solomon parity sends comes out without a gap after seeded losses: a line made here, and a real one, whose
 * capture is not ours to publish, where SLUICE_CAPTURES names the folder that has it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { allocate } from "../../../src/system/memory.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { parityOf, sequenceOf } from "../../fakes/fec-encoder.ts";
import { seededRandom } from "../../fakes/random.ts";
import { DatagramSource } from "../../fakes/ts-datagrams.ts";

const MAGIC = "UDPDUMP1";
const FOLDER = process.env["SLUICE_CAPTURES"] ?? "";
const CAPTURE = join(FOLDER, "fec-100-5.udp");
const MEDIA_PORT = 4056;
const GROUP = 100;
const PARITIES = 5;
/** The groups that are whole in it. */
const FIRST_GROUP = 28_377;
const LAST = 29_376;

interface Datagram {
  readonly isMedia: boolean;
  readonly bytes: Uint8Array;
}

/** As the real line: groups of 100 with 5 parity packets, made from the definition. Repair begins with the first parity that comes. */
function madeLine(): Datagram[] {
  const source = new DatagramSource({ carrier: "rtp", streamId: 1, firstSequence: FIRST_GROUP - GROUP });
  const datagrams: Datagram[] = [];
  for (let begin = FIRST_GROUP - GROUP; begin <= LAST; begin += GROUP) {
    const packets = Array.from({ length: GROUP }, () => source.next()[0]!);
    const parity = parityOf("integer", packets, PARITIES);
    datagrams.push(...packets.map((bytes) => ({ isMedia: true, bytes })));
    datagrams.push(...parity.map((bytes) => ({ isMedia: false, bytes })));
  }
  return datagrams;
}

/** Time, UDP port and length of each datagram stand before it. */
function capturedLine(): Datagram[] {
  const file = readFileSync(CAPTURE);
  expect(file.toString("latin1", 0, MAGIC.length)).toBe(MAGIC);
  const datagrams: Datagram[] = [];
  for (let at = MAGIC.length; at < file.length; ) {
    const end = at + 8 + file.readUInt16BE(at + 6);
    datagrams.push({ isMedia: file.readUInt16BE(at + 4) === MEDIA_PORT, bytes: file.subarray(at + 8, end) });
    at = end;
  }
  return datagrams;
}

/** Loses media and parity, never more than can be repaired. */
function lossy(datagrams: readonly Datagram[], rate: number, seed: number, firstGroup: number): Datagram[] {
  const random = seededRandom(seed);
  const lost = new Map<number, number>();
  return datagrams.filter(({ isMedia, bytes }) => {
    const sequence = isMedia ? sequenceOf(bytes) : (bytes[12]! << 8) | bytes[13]!;
    const group = Math.floor((sequence - FIRST_GROUP) / GROUP);
    const before = lost.get(group) ?? 0;
    if (random() >= rate || group < firstGroup || sequence > LAST || before === PARITIES) return true;
    lost.set(group, before + 1);
    return false;
  });
}

function received(datagrams: readonly Datagram[], where: "own port" | "mixed") {
  const payloads: Uint8Array[] = [];
  const input = new Depacketizer({
    append: ({ bytes }, offset, length) => payloads.push(bytes.slice(offset, offset + length)),
    markRandomAccess() {},
  });
  const parity = where === "own port" ? input.expectParity() : input;
  const memory = allocate(2048);
  for (const { isMedia, bytes } of datagrams) {
    memory.bytes.set(bytes);
    (isMedia ? input : parity).datagram(memory, 0, bytes.length);
  }
  input.reorder.reset();
  return { bytes: Buffer.concat(payloads), counts: input.reorder.counts };
}

const LINES: [name: string, line: () => Datagram[]][] = [["a made line", madeLine]];
if (existsSync(CAPTURE)) LINES.push(["a captured line", capturedLine]);

describe.each(LINES)("%s", (_, line) => {
  test("without loss it comes out as it is", () => {
    const all = line();
    const media = all.filter(({ isMedia }) => isMedia).map(({ bytes }) => bytes.subarray(12));
    expect(Buffer.compare(received(all, "own port").bytes, Buffer.concat(media))).toBe(0);
  });

  test.each([0.002, 0.02, 0.04])("with a loss of %d all of it comes out, and nothing else", (rate) => {
    const all = line();
    const whole = received(all, "own port").bytes;
    for (let seed = 1; seed <= 20; seed++) {
      // In mixed mode nothing is kept before the first parity comes.
      const where = seed % 2 === 0 ? "own port" : "mixed";
      const arrivals = lossy(all, rate, seed, where === "own port" ? 0 : 1);
      const { bytes, counts } = received(arrivals, where);
      expect(Buffer.compare(bytes, whole)).toBe(0);
      const media = (datagrams: readonly Datagram[]) => datagrams.filter(({ isMedia }) => isMedia).length;
      expect(counts).toMatchObject({ lost: 0, repaired: media(all) - media(arrivals), refused: 0 });
    }
  });

  test("a group that has lost too much costs what it has lost", () => {
    const lost = Array.from({ length: PARITIES + 1 }, (_, i) => FIRST_GROUP + 310 + i * 7);
    const arrivals = line().filter(({ isMedia, bytes }) => !isMedia || !lost.includes(sequenceOf(bytes)));
    const { bytes, counts } = received(arrivals, "own port");
    const media = arrivals.filter(({ isMedia }) => isMedia).map((each) => each.bytes.subarray(12));
    expect(Buffer.compare(bytes, Buffer.concat(media))).toBe(0);
    expect(counts).toMatchObject({ lost: lost.length, unrepairable: lost.length, repaired: 0, refused: 0 });
  });
});
