/** What the player remembers in the browser's storage (status.md section 16). */
import { browserLocale, LOCALES, type Locale } from "../shared/locale.ts";
import { readStored, readText, writeStored, writeText } from "../shared/stored.ts";
import { isConstrained, isDesktop } from "./platform.ts";
import type { Channel } from "./playlist.ts";

const PREFIX = "rtp2httpd-player-";
export const THEME_KEY = `${PREFIX}theme`;
const LOCALE_KEY = `${PREFIX}locale`;
const APPEARANCE_KEY = `${PREFIX}appearance`;
const PIP_KEY = `${PREFIX}picture-in-picture-mode`;
const SEAMLESS_KEY = `${PREFIX}seamless-switch`;
const VOLUME_KEY = `${PREFIX}volume`;
const MUTED_KEY = `${PREFIX}muted`;
const SIDEBAR_KEY = `${PREFIX}sidebar-visible`;
const CHANNEL_KEY = `${PREFIX}last-channel-id`;
const SOURCES_KEY = `${PREFIX}last-source-index`;

export const APPEARANCES = ["fancy", "simple"] as const;
export type Appearance = (typeof APPEARANCES)[number];
export const PIP_MODES = ["document", "video"] as const;
export type PipMode = (typeof PIP_MODES)[number];

const defaultAppearance: Appearance = isConstrained() ? "simple" : "fancy";

export function readLocale(): Locale {
  return readStored(LOCALE_KEY, LOCALES, browserLocale(navigator.languages));
}

export function writeLocale(locale: Locale): void {
  writeStored(LOCALE_KEY, locale, browserLocale(navigator.languages));
}

export function readAppearance(): Appearance {
  return readStored(APPEARANCE_KEY, APPEARANCES, defaultAppearance);
}

export function writeAppearance(appearance: Appearance): void {
  writeStored(APPEARANCE_KEY, appearance, defaultAppearance);
}

export function readPipMode(): PipMode {
  return readStored(PIP_KEY, PIP_MODES, "document");
}

export function writePipMode(mode: PipMode): void {
  writeStored(PIP_KEY, mode, "document");
}

/** Whether what is seen goes on until the next channel plays. */
export function readSeamless(): boolean {
  const value = readJson(SEAMLESS_KEY);
  return typeof value === "boolean" ? value : isDesktop();
}

export function writeSeamless(isSeamless: boolean): void {
  writeText(SEAMLESS_KEY, isSeamless === isDesktop() ? undefined : JSON.stringify(isSeamless));
}

/** 0 to 1 */
export function readVolume(): number {
  const volume = readJson(VOLUME_KEY);
  return typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : 1;
}

export function writeVolume(volume: number): void {
  writeText(VOLUME_KEY, volume === 1 ? undefined : JSON.stringify(volume));
}

export function readMuted(): boolean {
  return readJson(MUTED_KEY) === true;
}

export function writeMuted(isMuted: boolean): void {
  writeText(MUTED_KEY, isMuted ? "true" : undefined);
}

export function readSidebar(): boolean {
  return readJson(SIDEBAR_KEY) !== false;
}

export function writeSidebar(isVisible: boolean): void {
  writeText(SIDEBAR_KEY, isVisible ? undefined : "false");
}

/** The number of the channel that was watched last. */
export function readLastChannel(): number | undefined {
  const number = Number(readJson(CHANNEL_KEY));
  return number > 0 ? number : undefined;
}

export function writeLastChannel({ number }: Channel): void {
  writeText(CHANNEL_KEY, JSON.stringify(String(number)));
}

/** The source of the channel that worked last; 0 if none is known. */
export function readLastSource({ number, sources }: Channel): number {
  const index = readSources()[number];
  return typeof index === "number" && sources[index] ? index : 0;
}

export function writeLastSource({ number }: Channel, index: number): void {
  const { [number]: _forgotten, ...others } = readSources();
  const all = index === 0 ? others : { ...others, [number]: index };
  writeText(SOURCES_KEY, Object.keys(all).length === 0 ? undefined : JSON.stringify(all));
}

function readSources(): Readonly<Record<number, unknown>> {
  const sources = readJson(SOURCES_KEY);
  return typeof sources === "object" && sources !== null ? (sources as Record<number, unknown>) : {};
}

/** Older versions, other programs and people write there too: whatever is no JSON is as if it were not there. */
function readJson(key: string): unknown {
  try {
    return JSON.parse(readText(key) ?? "null");
  } catch {
    return undefined;
  }
}
