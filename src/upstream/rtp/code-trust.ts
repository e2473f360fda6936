/** Which Reed–Solomon code a sender uses: nothing but its parity says so, and one that is not proven is tried (multicast.md section 9.5). */
import { type Blocks, canCode, type FecCode, Generator } from "../../wire/fec/reed-solomon.ts";
import { RTP_HEADER_BYTES } from "../../wire/rtp/packet.ts";

const CODES: readonly FecCode[] = ["integer", "alpha"];
/** A proven code that brings so many wrong repairs one after the other is no longer believed. */
const MAX_REFUSALS = 4;
/** A sender of an unknown code is looked at again after so many whole groups. */
const LOOK_AGAIN_GROUPS = 256;
const NONE: readonly FecCode[] = [];

/** Parity block `index` of a group of which nothing is missing, `bytes` from `offset` on. */
interface WholeGroup {
  readonly dataCount: number;
  readonly blocks: Blocks;
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

export class CodeTrust {
  #state: "unproven" | "proven" | "unknown" = "unproven";
  #proven: FecCode = "alpha";
  #refusals = 0;
  #groupsToSkip = 0;
  readonly #generators = new Map<FecCode, Generator>();
  readonly #scratch = new Uint8Array(65536);

  get state(): "unproven" | "proven" | "unknown" {
    return this.#state;
  }

  /** Whether the next group of which nothing is missing should be shown to `check`. */
  wantsGroup(): boolean {
    return this.#state !== "proven" && this.#groupsToSkip-- <= 0;
  }

  /** What to try for a group, the likely one first. */
  candidates(dataCount: number, parityCount: number): readonly FecCode[] {
    if (this.#state === "unknown") return NONE;
    if (this.#state === "proven") return canCode(this.#proven, dataCount, parityCount) ? [this.#proven] : NONE;
    const likely = dataCount === 100 && parityCount === 5 ? "integer" : "alpha";
    const codes = [likely, ...CODES.filter((code) => code !== likely)] as const;
    return codes.filter((code) => canCode(code, dataCount, parityCount));
  }

  /** Coefficients, which are kept for groups of the same size. */
  generator(code: FecCode, dataCount: number): Generator {
    let generator = this.#generators.get(code);
    if (generator?.dataCount !== dataCount) {
      generator = new Generator(code, dataCount);
      this.#generators.set(code, generator);
    }
    return generator;
  }

  /** Learns from a group of which nothing is missing. Where both codes agree, its bytes are all alike and say nothing. */
  check(group: WholeGroup): void {
    const { dataCount, index } = group;
    const possible = CODES.filter((code) => canCode(code, dataCount, index + 1));
    const answers = possible.map((code) => this.#agrees(code, group));
    const agreeing = possible.filter((_, i) => answers[i]);
    if (possible.length === 0 || answers.includes(undefined) || agreeing.length > 1) return;
    this.#refusals = 0;
    const [code] = agreeing;
    if (code) {
      this.#state = "proven";
      this.#proven = code;
    } else {
      this.#state = "unknown";
      this.#groupsToSkip = LOOK_AGAIN_GROUPS;
    }
  }

  /** Whether a group whose missing packets were decoded with `code` fits parity that was not needed for that. */
  confirms(code: FecCode, group: WholeGroup): boolean {
    if (!this.#agrees(code, group)) return false;
    this.#state = "proven";
    this.#proven = code;
    return true;
  }

  /** Repaired packets were right, by what is known of them. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** Repaired packets were wrong. */
  refused(): void {
    if (this.#state !== "proven" || ++this.#refusals < MAX_REFUSALS) return;
    this.#state = "unproven";
    this.#refusals = 0;
  }

  /** Undefined: a block is missing after all. The headers are left out: some of them may have been rewritten on the way. */
  #agrees(code: FecCode, { dataCount, blocks, index, bytes, offset, length }: WholeGroup): boolean | undefined {
    const generator = this.generator(code, dataCount);
    if (!generator.encode(index, blocks, this.#scratch, RTP_HEADER_BYTES, length)) return undefined;
    for (let column = RTP_HEADER_BYTES; column < length; column++) {
      if (this.#scratch[column] !== bytes[offset + column]) return false;
    }
    return true;
  }
}
