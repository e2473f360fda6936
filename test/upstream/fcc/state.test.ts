/** The table of fcc.md section 6 with the deadlines of section 13, row by row. */
import { describe, expect, test } from "bun:test";
import {
  dueEvent,
  type FccClock,
  type FccEvent,
  type FccState,
  PUBLISHED,
  TRANSITIONS,
} from "../../../src/upstream/fcc/state.ts";

const EVENTS: readonly FccEvent[] = [
  "accepted",
  "declined",
  "notified",
  "unicast-media",
  "group-media",
  "overdue",
  "silent",
  "caught-up",
];

/** In the order of EVENTS; a dot: nothing changes. */
const ROWS: readonly [FccState, string][] = [
  ["requested", "unicast-pending mcast-active mcast-requested . . requested-late . ."],
  ["requested-late", "unicast-late mcast-active mcast-requested mcast-requested mcast-active . mcast-active ."],
  ["unicast-pending", ". . mcast-requested unicast-active . unicast-late . ."],
  ["unicast-late", ". . mcast-requested mcast-requested mcast-active . mcast-active ."],
  ["unicast-active", ". . mcast-requested . . mcast-requested mcast-active ."],
  ["mcast-requested", ". . . . . . mcast-active mcast-active"],
  ["mcast-active", ". . . . . . . ."],
];

test.each(ROWS)("%s goes on as the table says", (state, row) => {
  expect(EVENTS.map((event) => TRANSITIONS[state][event] ?? ".").join(" ")).toBe(row);
});

test("the published numbers are those of the status page", () => {
  expect(ROWS.map(([state]) => PUBLISHED[state])).toEqual([2, 5, 3, 5, 4, 5, 6]);
});

describe("time", () => {
  const NEVER = Number.POSITIVE_INFINITY;
  const clock: FccClock = { askedAt: 0, heardAt: 0, acceptedAt: NEVER, joinedAt: NEVER, hasUnicast: false };
  const limits: [FccState, Partial<FccClock>, number, FccEvent][] = [
    ["requested", {}, 80, "overdue"],
    ["requested", { heardAt: 15_000 }, 15_000, "overdue"],
    ["requested-late", { heardAt: 599 }, 600, "silent"],
    ["unicast-pending", { heardAt: 20, acceptedAt: 20 }, 100, "overdue"],
    ["unicast-late", { acceptedAt: 20 }, 520, "silent"],
    ["unicast-active", { acceptedAt: 20, heardAt: 500, hasUnicast: true }, 1500, "silent"],
    ["unicast-active", { acceptedAt: 20, heardAt: 15_019, hasUnicast: true }, 15_020, "overdue"],
    ["mcast-requested", { heardAt: 500 }, 580, "silent"],
    ["mcast-requested", { heardAt: 500, hasUnicast: true }, 1500, "silent"],
    ["mcast-requested", { heardAt: 5999, joinedAt: 1000, hasUnicast: true }, 6000, "silent"],
  ];

  test.each(limits)("%s %j ends after %i ms", (state, more, ms, event) => {
    expect(dueEvent(state, { ...clock, ...more }, ms - 1)).toBeUndefined();
    expect(dueEvent(state, { ...clock, ...more }, ms)).toBe(event);
  });

  test("ends nothing when the group is alone", () => {
    expect(dueEvent("mcast-active", clock, 1e9)).toBeUndefined();
  });
});
