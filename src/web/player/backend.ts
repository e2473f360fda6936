/** What plays media in a `<video>`: one interface, so that another library can take a backend's place. */
import type { Codec } from "../../wire/mpegts/codec.ts";
import type { IsTypeSupported } from "./codecs.ts";

export type MediaFailure =
  /** The server's answer was no media. */
  | { readonly kind: "http"; readonly status: number }
  | { readonly kind: "network" }
  /** Neither MPEG-TS nor HLS. */
  | { readonly kind: "format" }
  /** The browser decodes this codec not at all: trying again is of no use. */
  | { readonly kind: "unsupported"; readonly codecs: readonly string[] }
  /** The browser's decoder gave up on these pictures. */
  | { readonly kind: "decode" }
  /** A live stream ended. */
  | { readonly kind: "ended" };

/** What is known of the media that play; fields come as they are found out. */
export interface MediaDetails {
  readonly video?: Codec | undefined;
  readonly audio?: Codec | undefined;
  readonly framesPerSecond?: number | undefined;
  readonly audioChannels?: number | undefined;
  readonly bitsPerSecond?: number | undefined;
}

export interface BackendEvents {
  details(details: MediaDetails): void;
  /** The picture plays on without sound. */
  unplayableAudio(codec: string): void;
  /** The answer is an HLS playlist, though the URL did not look like one: another backend must take it. */
  isHls(): void;
  failed(failure: MediaFailure): void;
}

export interface MediaBackend {
  /** Plays at once when the element is set to; comes once in a backend's life. */
  load(url: string): void;
  /** Ends requests and lets go of the element. */
  destroy(): void;
}

/** Media that are kept behind the playing position, in seconds, and what remains when they are trimmed (status.md section 13). */
export const MAX_BEHIND_S = 180;
export const MIN_BEHIND_S = 120;
/** So much is read ahead; then the server is made to wait. */
export const MAX_AHEAD_S = 60;

const PLAYLIST_TYPES = /^(?:application\/(?:vnd\.apple\.mpegurl|x-mpegurl)|audio\/(?:x-)?mpegurl)/i;

export function isHlsUrl(url: string): boolean {
  return /\.m3u8?$/i.test(url.split(/[?#]/, 1)[0] ?? "");
}

export function isHlsType(contentType: string): boolean {
  return PLAYLIST_TYPES.test(contentType);
}

export const isTypeSupported: IsTypeSupported = (mimeType) => {
  const source = window.MediaSource ?? (window as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource;
  return source?.isTypeSupported(mimeType) ?? false;
};
