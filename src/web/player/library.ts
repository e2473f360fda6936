/** The playlist and the guide as the server has them: loading, and loading again on demand (status.md section 9). */
import { APP_PATH_PREFIX } from "../shared/page-config.ts";
import { Guide } from "./guide.ts";
import { type Playlist, readPlaylist } from "./playlist.ts";
import { Store } from "./store.ts";
import { parseXmltvTime, XmltvPieces } from "./xmltv.ts";

export const PLAYLIST_URL = `${APP_PATH_PREFIX}/playlist.m3u`;
const LOAD_TIMEOUT_MS = 30_000;

interface LibraryState {
  readonly state: "loading" | "ready" | "failed";
  readonly playlist: Playlist;
  /** Grows while it loads; another object each time more is known. */
  readonly guide: { readonly programmes: Guide };
  /** For people, when it failed; empty when the playlist was merely empty. */
  readonly error: string;
}

export class Library {
  readonly store = new Store<LibraryState>({
    state: "loading",
    playlist: { channels: [], groups: [], guideUrl: undefined },
    guide: { programmes: new Guide([], Date.now()) },
    error: "",
  });
  #guideLoad = new AbortController();

  /** Never rejects: what went wrong is in the store. A playlist that is there stays when a new one cannot be had. */
  async load(): Promise<void> {
    const had = this.store.value.playlist.channels.length > 0;
    if (!had) this.store.set({ state: "loading" });
    try {
      const response = await fetch(PLAYLIST_URL, { cache: "no-cache", signal: AbortSignal.timeout(LOAD_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`HTTP ${response.status} ${response.statusText}`);
      const playlist = readPlaylist(await response.text());
      if (playlist.channels.length === 0) throw new Error("");
      this.store.set({ state: "ready", playlist, error: "" });
      void this.#loadGuide(playlist);
    } catch (error) {
      if (!had) this.store.set({ state: "failed", error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** A guide that cannot be had is no misfortune. */
  async #loadGuide({ channels, guideUrl }: Playlist): Promise<void> {
    this.#guideLoad.abort();
    this.#guideLoad = new AbortController();
    const { signal } = this.#guideLoad;
    const programmes = new Guide(channels, Date.now());
    this.store.set({ guide: { programmes } });
    if (guideUrl === undefined) return;
    try {
      const response = await fetch(guideUrl, { cache: "no-cache", signal });
      if (!response.ok || !response.body) return;
      const pieces = new XmltvPieces();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        readPiece(programmes, pieces.push(read.value));
        await nextTask();
      }
      readPiece(programmes, pieces.finish());
    } catch {
      // What has been read so far is shown.
    }
    if (!signal.aborted) this.store.set({ guide: { programmes } });
  }
}

/** Lets the page draw and answer clicks between two pieces. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function readPiece(guide: Guide, piece: string | undefined): void {
  if (piece === undefined) return;
  const root = new DOMParser().parseFromString(`<tv>${piece}</tv>`, "text/xml").documentElement;
  for (const element of root.children) {
    if (element.tagName === "channel") {
      const names = [...element.getElementsByTagName("display-name")].map((name) => name.textContent?.trim() ?? "");
      guide.addChannel(element.getAttribute("id") ?? "", names);
    } else if (element.tagName === "programme") readProgramme(guide, element);
  }
}

function readProgramme(guide: Guide, element: Element): void {
  const startMs = parseXmltvTime(element.getAttribute("start") ?? "");
  const endMs = parseXmltvTime(element.getAttribute("stop") ?? "");
  if (startMs === undefined || endMs === undefined) return;
  const title = element.getElementsByTagName("title")[0]?.textContent?.trim() ?? "";
  guide.addProgramme(element.getAttribute("channel") ?? "", { startMs, endMs, title });
}
