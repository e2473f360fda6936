import { describe, expect, test } from "bun:test";
import { Gate } from "../../src/relay/gate.ts";

describe("the gate", () => {
  const LIMIT = 1000;

  test("pauses at three quarters, resumes at half, and counts each pause once", () => {
    const gate = new Gate();
    expect(gate.mayRead(749, LIMIT)).toBe(true);
    expect(gate.mayRead(750, LIMIT)).toBe(false);
    expect(gate.mayRead(900, LIMIT)).toBe(false);
    expect(gate.mayRead(501, LIMIT)).toBe(false);
    expect([gate.isPaused, gate.backpressureEvents]).toEqual([true, 1]);
    expect(gate.mayRead(500, LIMIT)).toBe(true);
    expect([gate.isPaused, gate.backpressureEvents]).toEqual([false, 1]);
    gate.mayRead(800, LIMIT);
    expect(gate.backpressureEvents).toBe(2);
    gate.open();
    expect(gate.isPaused).toBe(false);
  });

  test("goes by the limit of the moment", () => {
    const gate = new Gate();
    expect(gate.mayRead(500, LIMIT)).toBe(true);
    expect(gate.mayRead(500, LIMIT / 2)).toBe(false);
    expect(gate.mayRead(500, LIMIT * 2)).toBe(true);
  });
});
