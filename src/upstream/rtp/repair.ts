/** Repairs what is lost (multicast.md section 9): finds out of which kind the parity is that comes, and lets its decoder work. */
import type { MediaHistory } from "../../relay/upstream.ts";
import type { Memory } from "../../system/memory.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { emptyParityPacket, parseParityPacket } from "../../wire/fec/parity-packet.ts";
import { emptyXorParity, parseXorParity } from "../../wire/fec/smpte-2022-1.ts";
import { PacketWindow } from "./packet-window.ts";
import { ReedSolomonRepair } from "./reed-solomon-repair.ts";
import type { HoleRepair, ReorderBuffer } from "./reorder.ts";
import { SmpteRepair } from "./smpte-repair.ts";

/** Half of it is for packets that wait, half for those that have been delivered. */
const WINDOW_PACKETS = 512;

export class Repair implements HoleRepair, DatagramSink {
  /** Datagrams that are no parity, or contradict other parity. */
  ignored = 0;
  readonly #reorder: ReorderBuffer;
  readonly #history: MediaHistory | undefined;
  readonly #parity = emptyParityPacket();
  readonly #xor = emptyXorParity();
  /** Undefined while nothing is kept. */
  #window: PacketWindow | undefined;
  #decoder: ReedSolomonRepair | SmpteRepair | undefined;

  /** @param history what is delivered need not be copied if it can be read again there */
  constructor(reorder: ReorderBuffer, history: MediaHistory | undefined) {
    this.#reorder = reorder;
    this.#history = history;
  }

  /** `active` once parity has come that can be understood, `unknown` when it proves to be wrong. */
  get state(): "inactive" | "active" | "unknown" {
    if (!this.#decoder) return "inactive";
    return this.#decoder.isUnknown ? "unknown" : "active";
  }

  /** The kind of parity, for people. */
  get about(): string {
    return this.#decoder?.about ?? "none";
  }

  /** Parity is to be expected: packets are kept from now on, so that the first parity finds them. */
  expect(): void {
    if (this.#window) return;
    const { counts } = this.#reorder;
    counts.repaired = counts.unrepairable = counts.refused = 0;
    this.#window = this.#keep(WINDOW_PACKETS);
  }

  /** Takes a datagram of the media's port that says to be parity, or any that came to a port for parity. */
  datagram(memory: Memory, offset: number, length: number): void {
    if (parseParityPacket(memory.bytes, offset, length, this.#parity)) this.#takeReedSolomon(memory);
    else if (parseXorParity(memory.bytes, offset, length, this.#xor)) this.#takeSmpte(memory);
    else this.ignored++;
  }

  held(sequence: number): void {
    this.#decoder?.held(sequence);
  }

  mayRepair(hole: number, newest: number): boolean {
    return this.#decoder?.mayRepair(hole, newest) ?? false;
  }

  tick(): void {
    this.#decoder?.tick();
  }

  reset(): void {
    this.#decoder?.reset();
  }

  #takeReedSolomon(memory: Memory): void {
    if (!(this.#decoder instanceof ReedSolomonRepair) && this.#mayChange()) {
      this.#decoder = new ReedSolomonRepair(this.#reorder, this.#window!);
    }
    const isTaken = this.#decoder instanceof ReedSolomonRepair && this.#decoder.accept(this.#parity, memory);
    if (!isTaken) this.ignored++;
  }

  #takeSmpte(memory: Memory): void {
    if (!(this.#decoder instanceof SmpteRepair) && this.#mayChange()) {
      this.#decoder = new SmpteRepair(this.#reorder, this.#window!, (packets) => this.#enlarge(packets));
    }
    const isTaken = this.#decoder instanceof SmpteRepair && this.#decoder.accept(this.#xor, memory);
    if (!isTaken) this.ignored++;
  }

  /** Parity of a kind that has proven to be right is not given up for another. */
  #mayChange(): boolean {
    if (this.#decoder?.isProven) return false;
    this.expect();
    return true;
  }

  #enlarge(packets: number): PacketWindow {
    let size = WINDOW_PACKETS;
    while (size < 2 * packets) size *= 2;
    this.#window = this.#keep(size);
    return this.#window;
  }

  #keep(size: number): PacketWindow {
    const window = new PacketWindow(size, this.#history);
    this.#reorder.keepDelivered(window, this);
    return window;
  }
}
