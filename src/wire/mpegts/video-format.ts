/** What the headers of a video stream say of its pictures. */
export interface VideoFormat {
  /** Shown, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Pictures a second, of two fields each where it is interlaced; undefined: not said. */
  readonly frameRate: number | undefined;
  /** May hold interlaced pictures. */
  readonly isInterlaced: boolean;
}
