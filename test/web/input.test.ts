/** Keys, fingers and the timeline: what a movement means. */
import { describe, expect, test } from "bun:test";
import { mediaBadges } from "../../src/web/player/badges.ts";
import { type GestureArea, TouchDrag } from "../../src/web/player/gesture.ts";
import { keyAction } from "../../src/web/player/keys.ts";
import { shareAt, timeAt, timelineOf } from "../../src/web/player/timeline.ts";

const DEFAULT_SPAN_MS = 3 * 3_600_000;

const key = (name: string, held = {}) =>
  keyAction({ key: name, ctrlKey: false, altKey: false, metaKey: false, ...held });

test("keys of keyboards and remote controls; shortcuts stay the browser's", () => {
  expect(key("7")).toEqual({ do: "digit", digit: "7" });
  for (const name of ["ArrowUp", "PageDown", "ChannelDown"]) expect(key(name)).toEqual({ do: "step", by: -1 });
  for (const name of ["ArrowDown", "PageUp", "ChannelUp"]) expect(key(name)).toEqual({ do: "step", by: 1 });
  expect([key("ArrowLeft"), key("ArrowRight")]).toEqual([
    { do: "seek", byS: -5 },
    { do: "seek", byS: 5 },
  ]);
  expect([key("m"), key("F"), key("s"), key(" ")]).toEqual(
    (["mute", "full-screen", "sidebar", "toggle-play"] as const).map((name) => ({ do: name })),
  );
  expect([key("x"), key("f", { ctrlKey: true }), key("1", { altKey: true }), key("m", { metaKey: true })]).toEqual(
    Array(4).fill(undefined),
  );
});

describe("TouchDrag", () => {
  const area: GestureArea = { width: 400, height: 500, canSeek: true, canSetVolume: true };
  const drag = (x: number, y: number, toX: number, toY: number, other: Partial<GestureArea> = {}) =>
    new TouchDrag({ ...area, ...other }, x, y).at(toX, toY);

  test("little movement is a tap", () => expect(drag(10, 10, 18, 17)).toEqual({ kind: "tap" }));

  test("up and down on the left changes channels beyond 15 % of the height", () => {
    expect(drag(100, 200, 100, 126)).toEqual({ kind: "channel", by: 0 });
    expect(drag(100, 200, 100, 124)).toEqual({ kind: "channel", by: -1 });
    expect(drag(100, 200, 100, 276)).toEqual({ kind: "channel", by: 1 });
    expect(drag(100, 200, 100, 240, { height: 100 })).toEqual({ kind: "channel", by: 0 });
    expect(drag(100, 200, 100, 321, { height: 2000 })).toEqual({ kind: "channel", by: 1 });
  });

  test("up and down on the right is the volume, where that can be set", () => {
    expect(drag(300, 400, 300, 100)).toEqual({ kind: "volume", by: 1 });
    expect(drag(300, 400, 300, 100, { canSetVolume: false })).toEqual({ kind: "channel", by: -1 });
  });

  test("sideways seeks, where that can be", () => {
    expect(drag(100, 100, 300, 110)).toEqual({ kind: "seek", byS: 60 });
    expect(drag(100, 100, 115, 100, { width: 4000 })).toEqual({ kind: "none" });
    expect(drag(100, 100, 300, 100, { canSeek: false })).toEqual({ kind: "none" });
  });

  test("the direction stays as it began", () => {
    const finger = new TouchDrag(area, 100, 100);
    finger.at(120, 100);
    expect(finger.at(110, 400).kind).toBe("seek");
  });
});

test("the timeline spans the programme, else the last hours; nobody seeks into the future", () => {
  const now = 10 * DEFAULT_SPAN_MS;
  const programme = { startMs: now - 1000, endMs: now + 3000, title: "" };
  expect(timelineOf(undefined, now)).toEqual({ startMs: now - DEFAULT_SPAN_MS, endMs: now });
  expect([now - 5000, now, now + 9000].map((ms) => shareAt(programme, ms))).toEqual([0, 0.25, 1]);
  expect([-1, 0.1, 0.9].map((share) => timeAt(programme, share, now))).toEqual([now - 1000, now - 600, now]);
});

test("badges say what is known", () => {
  expect(mediaBadges({}, 0, 0)).toEqual([]);
  const details = {
    framesPerSecond: 50,
    video: "H.264",
    audio: "AAC",
    audioChannels: 6,
    bitsPerSecond: 8_440_000,
  } as const;
  expect(mediaBadges(details, 1920, 1080)).toEqual(["1080p", "50 fps", "H.264", "AAC", "5.1", "8.4 Mbit/s"]);
  expect(mediaBadges({ framesPerSecond: 29.97002997 }, 3840, 1600)).toEqual(["4K", "29.97 fps"]);
});
