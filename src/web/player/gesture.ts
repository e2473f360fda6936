/** Touch gestures on the picture: which one it is, and what it means when the finger leaves (status.md section 12). All in CSS pixels. */

/** The direction is decided after so much. */
const LOCK_PX = 12;
export const DOUBLE_TAP_MS = 300;
export const DOUBLE_TAP_PX = 40;
const MIN_CHANNEL_PX = 48;
const MAX_CHANNEL_PX = 120;
const CHANNEL_SHARE = 0.15;
/** Of the height, for the whole range of the volume. */
const VOLUME_SHARE = 0.6;
/** A whole width of dragging. */
const SEEK_SPAN_S = 120;
const MIN_SEEK_S = 1;

export interface GestureArea {
  readonly width: number;
  readonly height: number;
  readonly canSeek: boolean;
  /** Else the whole width changes channels. */
  readonly canSetVolume: boolean;
}

export type Gesture =
  /** Moved so little that it is a tap. */
  | { readonly kind: "tap" }
  /** `by` is 0 as long as the finger has not gone far enough. */
  | { readonly kind: "channel"; readonly by: -1 | 0 | 1 }
  | { readonly kind: "volume"; readonly by: number }
  | { readonly kind: "seek"; readonly byS: number }
  | { readonly kind: "none" };

/** One finger from its start on. */
export class TouchDrag {
  readonly #area: GestureArea;
  readonly #x: number;
  readonly #y: number;
  #direction: "horizontal" | "vertical" | undefined;

  constructor(area: GestureArea, x: number, y: number) {
    this.#area = area;
    this.#x = x;
    this.#y = y;
  }

  /** What it would mean if the finger left here. */
  at(x: number, y: number): Gesture {
    const dx = x - this.#x;
    const dy = y - this.#y;
    if (!this.#direction && Math.hypot(dx, dy) < LOCK_PX) return { kind: "tap" };
    this.#direction ??= Math.abs(dx) > Math.abs(dy) ? "horizontal" : "vertical";
    if (this.#direction === "horizontal") return this.#seek(dx);
    const { width, height, canSetVolume } = this.#area;
    if (canSetVolume && this.#x > width / 2) return { kind: "volume", by: -dy / (height * VOLUME_SHARE) };
    const far = Math.min(MAX_CHANNEL_PX, Math.max(MIN_CHANNEL_PX, height * CHANNEL_SHARE));
    return { kind: "channel", by: Math.abs(dy) < far ? 0 : dy < 0 ? -1 : 1 };
  }

  #seek(dx: number): Gesture {
    if (!this.#area.canSeek) return { kind: "none" };
    const byS = (dx / this.#area.width) * SEEK_SPAN_S;
    return Math.abs(byS) < MIN_SEEK_S ? { kind: "none" } : { kind: "seek", byS };
  }
}
