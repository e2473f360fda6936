/** What everybody may know of what is being played. */
import type { MediaDetails, MediaFailure } from "./backend.ts";
import type { TimeRange } from "./catchup.ts";
import type { Channel } from "./playlist.ts";

type Phase =
  | "idle"
  /** Media are asked for, or awaited. */
  | "loading"
  | "playing"
  | "paused"
  /** The browser waits for a click before it plays. */
  | "blocked"
  | "failed";

export interface SessionState {
  readonly phase: Phase;
  readonly channel: Channel | undefined;
  readonly sourceIndex: number;
  /** Undefined when live. */
  readonly catchup: TimeRange | undefined;
  /** Whether playback is kept at the live edge. */
  readonly isFollowing: boolean;
  readonly failure: MediaFailure | undefined;
  /** Of the last request, on the page's server. */
  readonly url: string;
  /** The codec of a sound that the browser does not decode. */
  readonly silentCodec: string | undefined;
  readonly details: MediaDetails;
  readonly retries: number;
}

/** What a new request begins with. */
export const NOTHING_PLAYED = {
  failure: undefined,
  silentCodec: undefined,
  details: {},
} satisfies Partial<SessionState>;
