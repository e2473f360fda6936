/** What is known of one PID of a transport stream. */
import { NO_COUNTER } from "./continuity.ts";
import type { Elementary } from "./elementary.ts";
import type { Repetition } from "./pcr.ts";
import type { SectionReader } from "./sections.ts";

/** In the place of a PID: all that there was no room for. */
export const OTHER_PIDS = -1;

export class PidHealth {
  /** Or `OTHER_PIDS`. */
  readonly pid: number;
  packets = 0;
  continuityErrors = 0;
  scrambled = 0;
  continuity = NO_COUNTER;
  tables: SectionReader | undefined;
  stream: Elementary | undefined;
  /** Until a PTS comes. */
  pts: Repetition | undefined;
  /** The last one, and when it came. */
  pcr: number | undefined;
  pcrAt = 0;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Whether packets that begin nothing need no further look. */
  get isPassing(): boolean {
    return this.pid >= 0 && this.tables === undefined && this.stream?.isSampling !== true;
  }
}
