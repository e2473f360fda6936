/** What the reader chose and the browser remembers: language, theme, unit (status.md section 1). */
import { browserLocale, LOCALES, type Locale } from "../shared/locale.ts";
import { readStored, writeStored } from "../shared/stored.ts";
import { BANDWIDTH_UNITS, type BandwidthUnit } from "./format.ts";

const LOCALE_KEY = "rtp2httpd-status-locale";
const UNIT_KEY = "rtp2httpd-status-bandwidth-unit";
export const THEME_KEY = "rtp2httpd-status-theme";

/** Television streams are named by their bit rate. */
const DEFAULT_UNIT: BandwidthUnit = "bits";

export function readLocale(): Locale {
  return readStored(LOCALE_KEY, LOCALES, browserLocale(navigator.languages));
}

export function storeLocale(locale: Locale): void {
  writeStored(LOCALE_KEY, locale, browserLocale(navigator.languages));
}

export function readUnit(): BandwidthUnit {
  return readStored(UNIT_KEY, BANDWIDTH_UNITS, DEFAULT_UNIT);
}

export function storeUnit(unit: BandwidthUnit): void {
  writeStored(UNIT_KEY, unit, DEFAULT_UNIT);
}
