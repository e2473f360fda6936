import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HISTORY_MS } from "../../src/web/status/history.ts";
import { linesUpTo, StatusModel } from "../../src/web/status/status-model.ts";
import { textsIn } from "../../src/web/status/texts.ts";
import { parseStatusEvent, type ReadStatusEvent } from "../../src/wire/status/event.ts";
import { clientOf, logOf, statusOf, upstreamOf } from "../fakes/status-events.ts";
import type { Event } from "../fakes/status-server.ts";

const KEPT_LINES = 500;
const GAP_MS = 5000;

function parsed(changed: Event = {}): ReadStatusEvent {
  return parseStatusEvent(JSON.stringify(statusOf(changed)))!;
}

/** A model that has seen the events, one a second. */
function after(...events: Event[]): StatusModel {
  const model = new StatusModel();
  events.forEach((event, second) => {
    model.apply(parsed(event), second * 1000);
  });
  return model;
}

test("no event breaks the model, whatever its members are", () => {
  const members = ["clients", "workers", "upstreams", "logs", "version", "logsMode", "uptimeMs"];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...members), fc.jsonValue()), (event) => {
      new StatusModel().apply(parseStatusEvent(JSON.stringify(event))!, 0);
    }),
  );
});

describe("clients", () => {
  const ids = (rows: readonly { client: { clientId: string } }[]) => rows.map(({ client }) => client.clientId.at(-1));

  test("stay in their order, the first to come at the top", () => {
    const model = after({ clients: [clientOf(2), clientOf(1)] }, { clients: [clientOf(3), clientOf(2), clientOf(1)] });
    expect(ids(model.clients.connected)).toEqual(["1", "2", "3"]);
  });

  test("that went are remembered, the last first, as they were last seen", () => {
    const model = after({ clients: [clientOf(1), clientOf(2)] }, { clients: [clientOf(2, { durationMs: 9 })] }, {});
    expect(ids(model.clients.connected)).toEqual([]);
    expect(ids(model.clients.gone)).toEqual(["2", "1"]);
    expect(model.clients.gone[0]?.client.durationMs).toBe(9);
  });

  test("that come again are no longer gone", () => {
    const model = after({ clients: [clientOf(1)] }, {}, { clients: [clientOf(1)] });
    expect(model.clients.gone).toEqual([]);
  });
});

describe("upstreams", () => {
  const row = (...states: Event[]) =>
    after(...states.map((state) => ({ upstreams: [upstreamOf(1, state)] }))).upstreams.rows[0];

  test("are steady while nothing is missing, also when packets are put in order", () => {
    expect(row({}, { rtpReordered: 90, rtpDuplicates: 4 })?.health).toBe("steady");
  });

  test("that lost before the page was opened are steady", () => {
    expect(row({ rtpLost: 5000 }, { rtpLost: 5000 })?.health).toBe("steady");
  });

  test("lose, with the count of the last minute", () => {
    expect(row({ rtpLost: 5 }, { rtpLost: 8, tsContinuityErrors: 2 })).toMatchObject({
      health: "losing",
      lostRecently: 3,
      errorsRecently: 2,
    });
  });

  test("that start their count again have lost what they count now", () => {
    expect(row({ rtpLost: 500 }, { rtpLost: 4 })?.lostRecently).toBe(4);
  });

  test("that open while the page looks have lost all that they count", () => {
    expect(after({}, { upstreams: [upstreamOf(1, { rtpLost: 7 })] }).upstreams.rows[0]?.lostRecently).toBe(7);
  });

  test("are steady again a minute after", () => {
    const states = [{}, { rtpLost: 8 }, ...Array<Event>(60).fill({ rtpLost: 8 })];
    expect(row(...states)?.health).toBe("losing");
    expect(row(...states, { rtpLost: 8 })?.health).toBe("steady");
  });

  test("are silent, or only waiting when a client may hold them back", () => {
    expect(row({ lastDataMs: 3000 })?.health).toBe("silent");
    expect(row({ lastDataMs: 3000, receiver: "stream" })?.health).toBe("waiting");
    expect(row({ lastDataMs: -1 })?.health).toBe("starting");
    expect(row({ lastDataMs: undefined })?.health).toBe("steady");
  });
});

describe("the history", () => {
  test("has one sample a second, however many events come", () => {
    const model = new StatusModel();
    for (let ms = 0; ms < 3000; ms += 100) model.apply(parsed(), ms);
    expect(model.history.seconds).toEqual([0, 0.9, 1.8, 2.7]);
  });

  test("counts loss per second", () => {
    const model = after(
      { upstreams: [upstreamOf(1, { rtpLost: 100 })], clients: [clientOf(1, { droppedPackets: 9 })] },
      { upstreams: [upstreamOf(1, { rtpLost: 103 })], clients: [clientOf(1, { droppedPackets: 14 })] },
    );
    expect(model.history.lost).toEqual([0, 3]);
    expect(model.history.dropped).toEqual([0, 5]);
  });

  test("breaks where no event came", () => {
    const model = after({});
    model.apply(parsed({ totalBandwidth: 7 }), GAP_MS + 1);
    expect(model.history.bandwidth).toEqual([0, null, 7]);
  });

  test("forgets what is older than five minutes, and all when the clock is set back", () => {
    const model = after(...Array<Event>(400).fill({}));
    expect(model.history.seconds.at(0)).toBe(399 - HISTORY_MS / 1000);
    expect(model.history.clients).toHaveLength(model.history.seconds.length);
    model.apply(parsed(), 1000);
    expect(model.history.seconds).toEqual([1]);
  });
});

describe("log lines", () => {
  const messages = (model: StatusModel) => model.logs.rows.map(({ message }) => message);
  const a = { logs: [logOf(3, "a")] };
  const b = { logsMode: "incremental", logs: [logOf(1, "b")] };

  test("are added, replaced or left alone", () => {
    expect(messages(after(a, b, { logsMode: "none" }))).toEqual(["a", "b"]);
    expect(messages(after(a, b, { logs: [] }))).toEqual([]);
  });

  test("are at most 500, the newest", () => {
    const many = { logsMode: "incremental", logs: Array.from({ length: 300 }, (_, at) => logOf(3, `${at}`)) };
    const model = after(many, many);
    expect(model.logs.rows).toHaveLength(KEPT_LINES);
    expect(new Set(model.logs.rows.map(({ key }) => key)).size).toBe(KEPT_LINES);
  });

  test("are shown up to a level", () => {
    const { rows } = after(a, b).logs;
    expect(linesUpTo(rows, 1).map(({ message }) => message)).toEqual(["b"]);
    expect(linesUpTo(rows, undefined)).toEqual(rows);
  });
});

test("the verdict is the worst that is true", () => {
  const slow = { clients: [clientOf(1, { slow: 1 })] };
  const silent = { upstreams: [upstreamOf(1, { lastDataMs: 9000 })] };
  expect(new StatusModel().verdict(false)).toBe("unknown");
  expect(after({}).verdict(false)).toBe("stale");
  expect(after({}).verdict(true)).toBe("idle");
  expect(after({ clients: [clientOf(1)] }).verdict(true)).toBe("fine");
  expect(after(slow).verdict(true)).toBe("clients");
  expect(after({ ...slow, ...silent }).verdict(true)).toBe("upstreams");
});

test("states have their names", () => {
  expect(textsIn("en").clientState(20)).toBe("RTSP playing");
  expect(textsIn("zh-Hant").clientState(6)).toBe("群播");
  expect(textsIn("en").clientState(99)).toBe("Unknown (99)");
});

test("values in texts are not looked at again", () => {
  expect(textsIn("en")("failed", { reason: "{reason} {count}" })).toBe("Not done: {reason} {count}");
});
