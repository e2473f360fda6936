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
    keepalive.start(timeoutS);
    jest.advanceTimersByTime(ms - 1);
    expect(sent).toBe(0);
    jest.advanceTimersByTime(1 + 2 * ms);
    expect(sent).toBe(3);
    keepalive.stop();
    jest.advanceTimersByTime(2 * ms);
    expect(sent).toBe(3);
  });

  test.each([
    ["refused", (keepalive: Keepalive) => keepalive.answered("GET_PARAMETER", true)],
    ["not answered", () => {}],
  ])("change their method once GET_PARAMETER is %s, and stay with OPTIONS", (_, answer) => {
    const methods: string[] = [];
    const keepalive = new Keepalive((method) => void methods.push(method));
    for (let i = 0; i < 2; i++) {
      keepalive.send();
      keepalive.answered("GET_PARAMETER", false);
    }
    keepalive.send();
    keepalive.send();
    answer(keepalive);
    keepalive.send();
    keepalive.answered("GET_PARAMETER", true);
    keepalive.answered("OPTIONS", true);
    keepalive.send();
    expect(methods).toEqual([...Array(4).fill("GET_PARAMETER"), "OPTIONS", "OPTIONS"]);
  });
});
