/** What a list says of a channel's archive (m3u.md section 6). */
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";

export interface CatchupAttributes {
  /** `catchup`, else `catchup-type`, in lower case; `shift` where there is only `timeshift` or `tvg-rec`. Empty without any. */
  readonly mode: string;
  readonly source: ByteString;
  /** For how many days it reaches back, where only `timeshift` or `tvg-rec` says so; else empty. */
  readonly olderDays: string;
}

type ValueOf = (name: string) => ByteString | undefined;

const EMPTY = asByteString("");
export const NO_CATCHUP: CatchupAttributes = { mode: "", source: EMPTY, olderDays: "" };

/** An entry with another mode does not mean its list's source. */
const TAKING_SOURCES: readonly string[] = ["append", "default", "vod"];
/** A positive number, small enough to be days. */
const DAYS = /^[1-9]\d{0,3}$/;

/**
 * @param own of the entry
 * @param inherited of the list's header
 */
export function readCatchup(own: ValueOf, inherited: ValueOf): CatchupAttributes {
  const ownMode = trimAsciiBlanks(own("catchup") || own("catchup-type") || EMPTY).toLowerCase();
  const given = ownMode || trimAsciiBlanks(inherited("catchup") ?? EMPTY).toLowerCase();
  const canInherit = ownMode === "" || TAKING_SOURCES.includes(ownMode);
  const source = own("catchup-source") ?? (canInherit ? inherited("catchup-source") : undefined) ?? EMPTY;
  const timeshift = own("timeshift") ?? EMPTY;
  const older = DAYS.exec(timeshift || (own("tvg-rec") ?? EMPTY))?.[0] ?? "";
  if (given === "" && source === "" && older === "") return NO_CATCHUP;
  // `tvg-rec="1"` only marks that there is an archive.
  const isMark = older === "1" && timeshift === "";
  const hasDays = (own("catchup-days") ?? inherited("catchup-days")) !== undefined;
  return {
    mode: given || (older !== "" && source === "" ? "shift" : ""),
    source,
    olderDays: isMark || hasDays ? "" : older,
  };
}
