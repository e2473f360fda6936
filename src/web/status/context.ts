/** What every part of the page needs: its texts, the chosen units, and whether the server can be reached. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Locale } from "../shared/locale.ts";
import type { Theme } from "../shared/theme.ts";
import type { BandwidthUnit } from "./format.ts";
import type { ApiResult } from "./status-api.ts";
import type { Texts } from "./texts.ts";

export interface PageContext {
  readonly locale: Locale;
  readonly theme: Theme;
  readonly unit: BandwidthUnit;
  readonly text: Texts;
  readonly isConnected: boolean;
  /** The server refuses the name in the page's address. */
  readonly isMisdirected: boolean;
  /** Says the result of a request to the server: `done` when it went well, else why not. */
  report(result: ApiResult, done: string): void;
}

const Context = createContext<PageContext | undefined>(undefined);

export const PageContextProvider = Context.Provider;

export function usePage(): PageContext {
  const page = useContext(Context);
  if (page === undefined) throw new Error("outside of the page");
  return page;
}
