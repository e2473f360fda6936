/** The languages of the pages, and which of them a browser's user reads (status.md section 16). */

export const LOCALES = ["en", "zh-Hans", "zh-Hant"] as const;
export type Locale = (typeof LOCALES)[number];

/** Each in its own language, as language menus show them. */
export const LOCALE_NAMES: Readonly<Record<Locale, string>> = {
  en: "English",
  "zh-Hans": "简体中文",
  "zh-Hant": "繁體中文",
};

/** The first of the browser's languages that we speak; English when there is none. */
export function browserLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return /\b(hant|tw|hk|mo)\b/i.test(language) ? "zh-Hant" : "zh-Hans";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}
