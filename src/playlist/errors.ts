/** What can go wrong with a playlist or a programme guide: the last good copy stays in use, and it is tried again. */

type PlaylistFailure =
  | "bad-url"
  | "unreachable"
  /** The operator does not want it to be reached. */
  | "forbidden"
  | "bad-status"
  | "too-many-redirects"
  | "timeout"
  | "too-large"
  /** It arrived, and is not what it should be. */
  | "bad-content"
  /** A worker has died of it. */
  | "suspect"
  /** No file can be made to keep it in. */
  | "no-room";

export class PlaylistError extends Error {
  readonly code: PlaylistFailure;

  constructor(code: PlaylistFailure, message: string) {
    super(message);
    this.code = code;
  }
}
