/** Which requests of a server say that nothing more will come. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { HeaderField } from "../../../src/wire/http/header-fields.ts";
import { isFarewell } from "../../../src/wire/rtsp/notice.ts";

const request = (method: string, headers: readonly HeaderField[] = [], body = "") =>
  ({ kind: "request", method, url: "*", headers, body: Buffer.from(body) }) as const;
const notice = (value: string, method = "ANNOUNCE", name = "x-notice") => request(method, [[name, value]]);

test.each([
  request("TEARDOWN"),
  request("REDIRECT", [["Location", "rtsp://h/"]]),
  request("ANNOUNCE"),
  notice('2101 "End-of-Stream Reached" event-date=20260101T000000.000Z'),
  notice("2101"),
  notice("2306 Continuous Feed Terminated"),
  notice("4400 Error Reading Content Data"),
  notice("5402 Client Session Terminated"),
  notice("5403 Server Shutting Down", "ANNOUNCE", "Notice"),
  notice("End-of-stream"),
  notice("2101", "SET_PARAMETER"),
  request("PLAY_NOTIFY", [["Notify-Reason", "end-of-stream"]]),
])("%j is the end", (each) => {
  expect(isFarewell(each)).toBe(true);
});

test.each([
  request("OPTIONS"),
  request("GET_PARAMETER"),
  request("SET_PARAMETER", [], "a: 1"),
  request("ANNOUNCE", [["Content-Type", "application/sdp"]], "v=0"),
  notice("1103 Playout Stalled"),
  notice("1104 Playout Resumed"),
  notice("2103 Transition"),
  notice("2104 Start-of-Stream Reached"),
  notice("21010"),
  notice("something else"),
  request("PLAY_NOTIFY", [["Notify-Reason", "media-properties-update"]]),
  request("PLAY_NOTIFY"),
])("%j is not", (each) => {
  expect(isFarewell(each)).toBe(false);
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (method, value) => {
      isFarewell(notice(value, method));
      isFarewell(notice(value));
    }),
  );
});
