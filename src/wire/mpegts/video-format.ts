/** What the headers of a video stream say of its pictures. */
import type { Codec } from "./codec.ts";

export interface VideoFormat {
  /** That the headers show, where they say more than the tables. */
  readonly codec?: Codec;
  /** Shown, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Pictures a second, of two fields each where it is interlaced; undefined: not said. */
  readonly frameRate: number | undefined;
  /** May hold interlaced pictures. */
  readonly isInterlaced: boolean;
}
