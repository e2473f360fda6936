/** How often servers are reminded, and with which request. */

import { afterEach, describe, expect, jest, test } from "bun:test";
import { Keepalive } from "../../../src/upstream/rtsp/keepalive.ts";

describe("keepalives", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([
    [undefined, 30_000],
    [600, 30_000],
    [60, 30_000],
    [10, 5000],
    [1, 500],
  ])("of a session that lasts %s s come every %d ms", (timeoutS, ms) => {
    jest.useFakeTimers();
    let sent = 0;
    const keepalive = new Keepalive(() => void ++sent);
    keepalive.start(undefined, timeoutS);
    jest.advanceTimersByTime(ms - 1);
    expect(sent).toBe(0);
    jest.advanceTimersByTime(1 + 2 * ms);
    expect(sent).toBe(3);
    keepalive.stop();
    jest.advanceTimersByTime(2 * ms);
    expect(sent).toBe(3);
  });

  test("change their method once, although several are refused", () => {
    const methods: string[] = [];
    const keepalive = new Keepalive((method) => void methods.push(method));
    keepalive.start(["PLAY", "GET_PARAMETER"], undefined);
    keepalive.send();
    keepalive.send();
    expect(keepalive.accepts(501, "GET_PARAMETER")).toBe(true);
    keepalive.send();
    expect(keepalive.accepts(454, "GET_PARAMETER")).toBe(true);
    expect(keepalive.accepts(200, "OPTIONS")).toBe(true);
    expect(keepalive.accepts(454, "OPTIONS")).toBe(false);
    expect(keepalive.accepts(500, "GET_PARAMETER")).toBe(false);
    expect(methods).toEqual(["GET_PARAMETER", "GET_PARAMETER", "OPTIONS"]);
    keepalive.stop();
  });

  test("are OPTIONS for a server that does not know the other", () => {
    const methods: string[] = [];
    const keepalive = new Keepalive((method) => void methods.push(method));
    keepalive.start(["OPTIONS", "PLAY"], undefined);
    keepalive.send();
    keepalive.stop();
    expect(methods).toEqual(["OPTIONS"]);
  });
});
