/** Decides when an RTP packet is delivered: in order, once, and when a hole is given up (multicast.md section 8). */
import type { Memory } from "../../system/memory.ts";
import { type RtpPacket, sequenceDifference } from "../../wire/rtp/packet.ts";
import { PacketWindow } from "./packet-window.ts";

/** Takes payloads in order. */
export interface PayloadSink {
  payload(memory: Memory, offset: number, length: number): void;
}

/** Gives back packets that never came, from the packets that `ReorderBuffer.keepDelivered` keeps for it. */
export interface HoleRepair {
  /** A packet has come that must wait for an earlier one. */
  held(sequence: number): void;
  /** Whether the packet `hole`, which has not come, may still be given back. `newest` is the latest that has come. */
  mayRepair(hole: number, newest: number): boolean;
  /** Once in each tick of a stream that flows. */
  tick(): void;
  /** What was kept is gone, and what comes now is another stream. */
  reset(): void;
}

/** A hole is given up when a packet so far ahead comes … */
const HOLE_MAX_PACKETS = 32;
/** … or at this age, for streams of few packets. */
const HOLE_MAX_MS = 500;
/** Of a packet that may be repaired: parity comes behind the packets that it is reckoned from. */
const REPAIR_MAX_MS = 2000;
/** Packets collected at the start, because a switch may forward the very first one late … */
const COLLECT_PACKETS = 8;
/** … but no longer than this: a channel change is waiting for a picture. */
const COLLECT_MS = 4;
/** A source that restarted with lower numbers is followed when nothing but ascending late packets came for this long … */
const RESYNC_MS = 1000;
/** … and at least so many of them. */
const RESYNC_PACKETS = 64;

export interface ReorderCounts {
  /** Sequence numbers that never came in time. */
  lost: number;
  /** Packets that came behind a later one, in time. */
  reordered: number;
  /** Packets that were there already. */
  duplicates: number;
  /** Packets behind what was already delivered: very late, or duplicates of delivered ones. */
  late: number;
  /** Times that a restarted source was followed. */
  resyncs: number;
  /** While packets can be repaired: those that were given back, … */
  repaired?: number;
  /** … those of `lost` that could not be, … */
  unrepairable?: number;
  /** … and those that a repair has brought but that did not prove to be right. */
  refused?: number;
}

export class ReorderBuffer {
  readonly counts: ReorderCounts = { lost: 0, reordered: 0, duplicates: 0, late: 0, resyncs: 0 };
  readonly #sink: PayloadSink;
  #phase: "idle" | "collecting" | "active" = "idle";
  /** Next sequence number to deliver. */
  #next = 0;
  /** The newest sequence number that is held, if any is. */
  #newest = 0;
  /** Packets that wait for an earlier one, and with `keepDelivered` those that have been delivered. */
  #window = new PacketWindow(HOLE_MAX_PACKETS);
  #holeMaxPackets = HOLE_MAX_PACKETS;
  /** Set while delivered packets are kept. */
  #repair: HoleRepair | undefined;
  /** While active, if nothing delivered is kept: the shortest way, for nearly all packets. */
  #passesUncopied = false;
  /** Packets that wait. */
  #held = 0;
  #now = 0;
  /** When collecting began, or when the current hole was first seen. */
  #waitingSince = 0;
  #deliveredAt = 0;
  #lateRun = 0;
  #lastLate = 0;

  constructor(sink: PayloadSink) {
    this.#sink = sink;
  }

  /** The sequence number that is to be delivered next; undefined before the first delivery. */
  get awaited(): number | undefined {
    return this.#phase === "active" ? this.#next : undefined;
  }

  /** The latest packet that has come; meaningless before the first delivery. */
  get newest(): number {
    return this.#held > 0 ? this.#newest : (this.#next - 1) & 0xffff;
  }

  /** So long after they came, `tick` delivers packets that are held back, even if nothing more comes. Undefined: none are. */
  get flushInMs(): number | undefined {
    if (this.#phase === "collecting") return COLLECT_MS;
    return this.#held > 0 ? HOLE_MAX_MS : undefined;
  }

  /**
   * From now on delivered packets stay in `window`, where `repair` finds them; nobody else may change it. A half of it is
   * theirs; the other half is for packets that wait, so that a hole may wait for more packets than usual, as long as
   * `repair` has hope. Costs a copy of every packet, unless the window has a history.
   */
  keepDelivered(window: PacketWindow, repair: HoleRepair): void {
    if (window.size < 2 * this.#holeMaxPackets) throw new RangeError(`a window of ${window.size} packets is too small`);
    for (let ahead = -this.#holeMaxPackets; ahead < this.#holeMaxPackets; ahead++) {
      const sequence = (this.#next + ahead) & 0xffff;
      const packet = this.#window.get(sequence);
      if (packet) window.put(packet, packet.memory, 0, packet.length);
    }
    this.#window = window;
    this.#holeMaxPackets = window.size / 2;
    this.#repair = repair;
    this.#passesUncopied = false;
  }

  /**
   * Takes a packet that has been repaired, as `push` takes one that has come.
   * @returns false when it is there already, or its turn is over
   */
  insert(packet: RtpPacket, memory: Memory, offset: number, length: number): boolean {
    const ahead = sequenceDifference(packet.sequence, this.#next);
    if (this.#phase !== "active" || ahead < 0 || ahead >= this.#holeMaxPackets) return false;
    if (ahead > 0) return this.#hold(packet, memory, offset, length);
    if (this.#window.has(packet.sequence)) return false;
    this.#pass(packet, memory, offset, length);
    this.#deliverRun();
    return true;
  }

  /** Gives up what is as late as it may be and has no hope of repair. To be called when that may have changed. */
  giveUpHopeless(): void {
    while (this.#held > 0 && sequenceDifference(this.#newest, this.#next) >= HOLE_MAX_PACKETS && this.#isHopeless()) {
      this.#advance();
      this.#deliverRun();
    }
  }

  /** Whether nothing can give back the next packet. */
  #isHopeless(): boolean {
    return this.#repair?.mayRepair(this.#next, this.#newest) !== true;
  }

  /** Takes what `parseRtp` found in `length` bytes at `offset`. A packet in order passes without a copy. */
  push(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    const { sequence } = packet;
    if (sequence === this.#next && this.#held === 0 && this.#passesUncopied) {
      this.#next = (sequence + 1) & 0xffff;
      this.#deliveredAt = this.#now;
      this.#sink.payload(memory, packet.payloadStart, packet.payloadEnd - packet.payloadStart);
    } else if (sequence === this.#next && this.#held === 0 && this.#phase === "active") {
      this.#pass(packet, memory, offset, length);
    } else if (this.#phase === "active") this.#pushActive(packet, memory, offset, length);
    else this.#collect(packet, memory, offset, length);
  }

  /** Called before the packets of each tick; `now` in ms. */
  tick(now: number): void {
    this.#now = now;
    if (this.#phase === "collecting" && now - this.#waitingSince >= COLLECT_MS) this.#activate();
    else if (this.#phase === "active") {
      this.#repair?.tick();
      const ageMs = now - this.#waitingSince;
      if (this.#held > 0 && ageMs >= HOLE_MAX_MS && (ageMs >= REPAIR_MAX_MS || this.#isHopeless())) {
        this.#skipHole();
        this.#deliverRun();
      }
    }
  }

  /** Delivers what is held back and starts anew: the source is gone or will be another. */
  reset(): void {
    while (this.#held > 0) {
      this.#skipHole();
      this.#deliverRun();
    }
    this.#window.clear();
    this.#repair?.reset();
    this.#phase = "idle";
    this.#passesUncopied = false;
    this.#lateRun = 0;
  }

  #collect(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    const { sequence } = packet;
    if (this.#phase === "idle") {
      this.#phase = "collecting";
      this.#waitingSince = this.#now;
      this.#next = this.#newest = sequence;
    }
    const ahead = sequenceDifference(sequence, this.#next);
    // A jump too far for the window: what was collected belongs to another time.
    if (ahead >= this.#holeMaxPackets || ahead <= -this.#holeMaxPackets) {
      this.reset();
      this.#collect(packet, memory, offset, length);
      return;
    }
    // All that is held must fit one window, or two packets would claim the same slot.
    if (sequenceDifference(this.#newest, sequence) >= this.#holeMaxPackets) {
      this.counts.late++;
      return;
    }
    if (!this.#hold(packet, memory, offset, length)) return;
    if (ahead < 0) this.#next = sequence;
    if (this.#held >= COLLECT_PACKETS) this.#activate();
  }

  #activate(): void {
    this.#phase = "active";
    this.#passesUncopied = !this.#repair;
    this.#deliveredAt = this.#now;
    this.#lateRun = 0;
    this.#deliverRun();
  }

  #pushActive(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    const { sequence } = packet;
    if (sequenceDifference(sequence, this.#next) < 0) {
      this.#late(packet, memory, offset, length);
      return;
    }
    this.#lateRun = 0;
    while (this.#held > 0 && sequenceDifference(sequence, this.#next) >= this.#holeMaxPackets) this.#advance();
    this.#jump(sequence);
    this.#deliverRun();
    if (sequence === this.#next) {
      if (this.#held > 0) this.counts.reordered++;
      this.#pass(packet, memory, offset, length);
      this.#deliverRun();
      return;
    }
    const isOvertaken = this.#held > 0 && sequenceDifference(sequence, this.#newest) < 0;
    if (this.#hold(packet, memory, offset, length)) {
      if (isOvertaken) this.counts.reordered++;
      if (this.#repair) this.#repairHole(sequence, this.#repair);
    }
  }

  #repairHole(sequence: number, repair: HoleRepair): void {
    repair.held(sequence);
    this.giveUpHopeless();
  }

  /** Delivers the packet that is next, from where it is. */
  #pass(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    this.#next = (packet.sequence + 1) & 0xffff;
    this.#deliveredAt = this.#now;
    const position = this.#repair && this.#window.position;
    this.#sink.payload(memory, packet.payloadStart, packet.payloadEnd - packet.payloadStart);
    if (this.#repair) this.#window.putDelivered(packet, memory, offset, length, position);
  }

  /** With nothing held, the numbers up to the window before `sequence` are lost all at once. */
  #jump(sequence: number): void {
    const beyond = sequenceDifference(sequence, this.#next) - (this.#holeMaxPackets - 1);
    if (beyond <= 0) return;
    this.#countLost(beyond);
    if (beyond >= this.#window.size) this.#window.clear();
    else for (let i = 0; i < beyond; i++) this.#forgetOutdated((this.#next + i) & 0xffff);
    this.#next = (this.#next + beyond) & 0xffff;
  }

  /** Follows a source that has restarted with lower numbers; else counts a packet that came too late. */
  #late(packet: RtpPacket, memory: Memory, offset: number, length: number): void {
    const { sequence } = packet;
    this.counts.late++;
    const ascends = this.#lateRun > 0 && sequenceDifference(sequence, this.#lastLate) > 0;
    this.#lateRun = ascends ? this.#lateRun + 1 : 1;
    this.#lastLate = sequence;
    if (this.#lateRun < RESYNC_PACKETS || this.#now - this.#deliveredAt < RESYNC_MS) return;
    this.counts.resyncs++;
    this.reset();
    this.#collect(packet, memory, offset, length);
  }

  /** False for a duplicate. */
  #hold(packet: RtpPacket, memory: Memory, offset: number, length: number): boolean {
    const { sequence } = packet;
    if (this.#window.has(sequence)) {
      this.counts.duplicates++;
      return false;
    }
    this.#window.put(packet, memory, offset, length);
    if (this.#held++ === 0) {
      this.#waitingSince = this.#now;
      this.#newest = sequence;
    } else if (sequenceDifference(sequence, this.#newest) > 0) this.#newest = sequence;
    return true;
  }

  /** Delivers the packets that follow without a hole. */
  #deliverRun(): void {
    while (this.#held > 0 && this.#window.has(this.#next)) this.#advance();
  }

  /** Moves on by one: delivers the packet if it is there, else counts it as lost. */
  #advance(): void {
    const sequence = this.#next;
    const packet = this.#window.get(sequence);
    // First, so that a sink that throws leaves us at the next packet.
    this.#next = (sequence + 1) & 0xffff;
    if (packet) {
      if (!this.#repair) this.#window.forget(sequence);
      this.#held--;
      this.#deliveredAt = this.#now;
      this.#waitingSince = this.#now;
      this.#sink.payload(packet.memory, packet.payloadStart, packet.payloadEnd - packet.payloadStart);
    } else {
      this.#countLost(1);
      this.#forgetOutdated(sequence);
    }
  }

  #countLost(packets: number): void {
    this.counts.lost += packets;
    if (this.#repair) this.counts.unrepairable = (this.counts.unrepairable ?? 0) + packets;
  }

  /** Nothing takes the slot of a lost packet: what was kept there must not be found when the numbers come around again. */
  #forgetOutdated(lost: number): void {
    this.#window.forget((lost - this.#window.size) & 0xffff);
  }

  /** Gives up the packets before the first one that is held. */
  #skipHole(): void {
    while (this.#held > 0 && !this.#window.has(this.#next)) this.#advance();
  }
}
