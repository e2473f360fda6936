/** A transport stream at a constant rate of one packet a millisecond, whose tables and clocks come as often as a test says. */
import { patSection, pmtSection, psiSection, sectionPackets } from "./psi.ts";

const TS_PACKET_BYTES = 188;
export const MUX_VIDEO_PID = 0x101;
const PMT_PID = 0x100;
const NULL_PID = 0x1fff;
const SDT_PID = 0x11;
const TABLE_SDT = 0x42;
const H264 = 0x1b;
const TICKS_27_MHZ = 27_000;
const TICKS_90_KHZ = 90;
const WRAP = 2 ** 33;

export interface MuxOptions {
  readonly ms: number;
  /** Between two of each, in ms; 0: none. */
  readonly patEvery?: number;
  readonly pmtEvery?: number;
  readonly pcrEvery?: number;
  readonly ptsEvery?: number;
  readonly nullEvery?: number;
  /** Added to the clock from this packet on, unless it is announced. */
  readonly jump?: { readonly at: number; readonly ms: number; readonly isAnnounced?: boolean };
  /** Bytes of a service descriptor: type, provider with length, name with length. */
  readonly service?: readonly number[];
  /** 27 MHz. */
  readonly firstPcr?: number;
}

/** What comes at the same millisecond as something more important comes one later. */
export function muxPackets(options: MuxOptions): Uint8Array[] {
  const { ms, patEvery = 100, pmtEvery = 100, pcrEvery = 40, ptsEvery = 40, nullEvery = 0 } = options;
  const counters = new Map<number, number>();
  const count = (pid: number) => {
    const counter = counters.get(pid) ?? 0;
    counters.set(pid, (counter + 1) & 15);
    return counter;
  };
  const isDue = (at: number, every: number, behind: number) => every > 0 && at % every === behind;
  return Array.from({ length: ms }, (_, at) => {
    if (isDue(at, pcrEvery, 0)) return clockPacket(count(MUX_VIDEO_PID), at, options);
    if (isDue(at, patEvery, 1)) return sectionPackets(0, patSection([[1, PMT_PID]]), { counter: count(0) })[0]!;
    if (isDue(at, pmtEvery, 2)) {
      const section = pmtSection([{ type: H264, pid: MUX_VIDEO_PID }], { pcrPid: MUX_VIDEO_PID });
      return sectionPackets(PMT_PID, section, { counter: count(PMT_PID) })[0]!;
    }
    if (options.service && isDue(at, 500, 3)) return servicePacket(options.service, count(SDT_PID));
    if (isDue(at, ptsEvery, 4)) return timedPacket(count(MUX_VIDEO_PID), at);
    if (isDue(at, nullEvery, 5)) return plainPacket(NULL_PID, 0);
    return plainPacket(MUX_VIDEO_PID, count(MUX_VIDEO_PID));
  });
}

function plainPacket(pid: number, counter: number): Uint8Array {
  const packet = new Uint8Array(TS_PACKET_BYTES).fill(0x55);
  packet.set([0x47, pid >> 8, pid & 0xff, 0x10 | counter]);
  return packet;
}

function clockPacket(counter: number, at: number, { jump, firstPcr = 0 }: MuxOptions): Uint8Array {
  const packet = plainPacket(MUX_VIDEO_PID, counter);
  const jumpedMs = jump && at >= jump.at ? jump.ms : 0;
  const pcr = firstPcr + (at + jumpedMs) * TICKS_27_MHZ;
  const base = ((Math.floor(pcr / 300) % WRAP) + WRAP) % WRAP;
  const isAnnounced = jump?.isAnnounced === true && at === jump.at;
  packet.set([0x30 | counter, 7, isAnnounced ? 0x90 : 0x10], 3);
  const view = new DataView(packet.buffer);
  view.setUint32(6, Math.floor(base / 2));
  view.setUint16(10, ((base % 2) << 15) | 0x7e00 | (pcr % 300));
  return packet;
}

function timedPacket(counter: number, at: number): Uint8Array {
  const packet = plainPacket(MUX_VIDEO_PID, counter);
  packet[1]! |= 0x40;
  const pts = at * TICKS_90_KHZ;
  const stamp = [0x21 | ((pts >> 29) & 0x0e), (pts >> 22) & 0xff, ((pts >> 14) & 0xfe) | 1, (pts >> 7) & 0xff];
  packet.set([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...stamp, ((pts << 1) & 0xfe) | 1], 4);
  return packet;
}

/** A section of a service description table (EN 300 468 section 5.2.3) of service 1. */
export function sdtSection(descriptor: readonly number[]): number[] {
  const length = descriptor.length + 2;
  const service = [0, 1, 0xfc, 0x80 | (length >> 8), length & 0xff, 0x48, descriptor.length, ...descriptor];
  return psiSection(TABLE_SDT, [0, 1, 0xff, ...service]);
}

function servicePacket(descriptor: readonly number[], counter: number): Uint8Array {
  return sectionPackets(SDT_PID, sdtSection(descriptor), { counter })[0]!;
}
