/** The programmes of a transport stream: which there are, what they are called and consist of, and whether their tables come in time. */
import { Elementary } from "./elementary.ts";
import { PAT_PID } from "./packet.ts";
import { Repetition, type StreamClock } from "./pcr.ts";
import type { PidHealth } from "./pid-health.ts";
import { type ElementaryStream, type Programme, parsePat, parsePmt, SectionReader, sectionCrc } from "./sections.ts";
import { parseSdt, SDT_PID, type Service } from "./services.ts";

/** A PAT section has up to 253 of them; whatever else there is, is looked at no further. */
const MAX_PROGRAMMES = 64;
const MAX_STREAMS = 32;
const MAX_SERVICES = 256;
const TABLE_PERIOD_MS = 500;

export interface ProgrammeHealth extends Programme {
  /** Undefined: no PMT has come. */
  streams: readonly Elementary[] | undefined;
  crc: number | undefined;
  readonly repetition: Repetition;
}

export class Programmes {
  /** PATs, and PMTs of each programme, that did not come in 500 ms. */
  patErrors = 0;
  pmtErrors = 0;
  hasPat = false;
  readonly #entryOf: (pid: number) => PidHealth | undefined;
  readonly #clock: StreamClock;
  readonly #patRepetition: Repetition;
  #patCrc: number | undefined;
  #programmes: readonly ProgrammeHealth[] = [];
  readonly #services = new Map<number, Service>();

  /** @param entryOf finds the entry of a PID; undefined when there is no room for it */
  constructor(entryOf: (pid: number) => PidHealth | undefined, clock: StreamClock) {
    this.#entryOf = entryOf;
    this.#clock = clock;
    this.#patRepetition = new Repetition(TABLE_PERIOD_MS, clock.elapsed);
    this.#read(PAT_PID, (section) => this.#readPat(section));
    this.#read(SDT_PID, (section) => this.#readSdt(section));
  }

  /** In the order of the PAT. */
  get all(): readonly ProgrammeHealth[] {
    return this.#programmes;
  }

  /** Undefined: no SDT has named it. */
  serviceOf(programme: number): Service | undefined {
    return this.#services.get(programme);
  }

  /** To be called when the clock has moved on; `now` in PCR ticks. Returns when it is to be called again, at the latest. */
  checkRepetitions(now: number): number {
    this.patErrors += this.#patRepetition.missed(now);
    let due = this.#patRepetition.due;
    for (const { repetition } of this.#programmes) {
      this.pmtErrors += repetition.missed(now);
      due = Math.min(due, repetition.due);
    }
    return due;
  }

  /** Bytes are missing. */
  restart(): void {
    const now = this.#clock.elapsed;
    this.#patRepetition.restart(now);
    for (const { repetition } of this.#programmes) repetition.restart(now);
  }

  #read(pid: number, deliver: (section: Uint8Array) => void): void {
    const entry = this.#entryOf(pid);
    if (!entry) return;
    entry.stream = undefined;
    entry.tables ??= new SectionReader(deliver);
  }

  #readPat(section: Uint8Array): void {
    const listed = parsePat(section);
    if (!listed) return;
    this.hasPat = true;
    const now = this.#clock.elapsed;
    this.patErrors += this.#patRepetition.seen(now);
    const crc = sectionCrc(section);
    if (crc === this.#patCrc) return;
    this.#patCrc = crc;
    for (const { pmtPid } of this.#programmes) this.#release(pmtPid);
    const known = this.#programmes;
    this.#programmes = listed.slice(0, MAX_PROGRAMMES).map(
      (programme) =>
        known.find(({ number, pmtPid }) => number === programme.number && pmtPid === programme.pmtPid) ?? {
          ...programme,
          streams: undefined,
          crc: undefined,
          repetition: new Repetition(TABLE_PERIOD_MS, now),
        },
    );
    for (const gone of known) if (!this.#programmes.includes(gone)) this.#detach(gone.streams ?? []);
    for (const { pmtPid } of this.#programmes) this.#read(pmtPid, (pmt) => this.#readPmt(pmt));
  }

  /** What is on this PID is no table of ours any more. */
  #release(pid: number): void {
    const entry = this.#entryOf(pid);
    if (entry && pid !== PAT_PID && pid !== SDT_PID) entry.tables = undefined;
  }

  #readPmt(section: Uint8Array): void {
    const map = parsePmt(section);
    const programme = this.#programmes.find(({ number }) => number === map?.programme);
    if (!map || !programme) return;
    this.pmtErrors += programme.repetition.seen(this.#clock.elapsed);
    const crc = sectionCrc(section);
    if (crc === programme.crc) return;
    programme.crc = crc;
    const before = programme.streams ?? [];
    programme.streams = map.streams.slice(0, MAX_STREAMS).map((stream) => this.#attach(stream, before));
    this.#detach(before.filter((stream) => !programme.streams?.includes(stream)));
  }

  #attach(listed: ElementaryStream, before: readonly Elementary[]): Elementary {
    const entry = this.#entryOf(listed.pid);
    const stream = before.find((one) => one.describes(listed)) ?? new Elementary(listed);
    if (entry && !entry.tables && entry.stream !== stream) {
      entry.stream = stream;
      entry.pts = undefined;
    }
    return stream;
  }

  #detach(streams: readonly Elementary[]): void {
    for (const stream of streams) {
      const entry = this.#entryOf(stream.pid);
      if (entry?.stream === stream) entry.stream = entry.pts = undefined;
    }
  }

  #readSdt(section: Uint8Array): void {
    for (const service of parseSdt(section) ?? []) {
      if (this.#services.size < MAX_SERVICES || this.#services.has(service.number))
        this.#services.set(service.number, service);
    }
  }
}
