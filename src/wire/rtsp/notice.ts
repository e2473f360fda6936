/** What a server's own requests say of the stream: ANNOUNCE, notices and the like (rtsp.md section 10.1). */
import { type HeaderField, headerValue } from "../http/header-fields.ts";
import type { RtspRequest } from "./message.ts";

/** End of stream, of a continuous feed, of a ticket; and all of `4xxx` and `5xxx`, which are failures that end a session. */
const END_CODES = ["2101", "2306", "2401"];
const NOTICES = ["x-notice", "notice"];
const END_WORDS = /end[- ]of[- ]stream|terminat|shut(?:ting)?[- ]?down|expired/i;

/** Whether nothing more will come after this request. */
export function isFarewell({ method, headers, body }: RtspRequest): boolean {
  const notice = noticeIn(headers);
  switch (method) {
    case "REDIRECT":
    case "TEARDOWN":
      return true;
    case "PLAY_NOTIFY":
      return END_WORDS.test(headerValue(headers, "notify-reason") ?? "");
    case "ANNOUNCE":
      // With a body it is a new description, which changes nothing for MPEG-TS.
      return notice === undefined ? body.length === 0 : isEnd(notice);
    default:
      return notice !== undefined && isEnd(notice);
  }
}

function noticeIn(headers: readonly HeaderField[]): string | undefined {
  for (const name of NOTICES) {
    const value = headerValue(headers, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function isEnd(notice: string): boolean {
  const code = /^\D{0,8}(\d{4})(?!\d)/.exec(notice)?.[1];
  return code === undefined ? END_WORDS.test(notice) : END_CODES.includes(code) || /^[45]/.test(code);
}
