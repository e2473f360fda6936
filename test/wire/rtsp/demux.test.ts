import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_FRAME_BYTES, RtspDemux, type RtspSink } from "../../../src/wire/rtsp/demux.ts";
import { MAX_START_LINE_BYTES } from "../../../src/wire/rtsp/message.ts";
import { eachByte } from "../pieces.ts";

const MAX_RTSP_BODY_BYTES = 256 * 1024;
const MAX_GARBAGE_BYTES = 256 * 1024;

/** What the sink got, one text for each thing. */
class Recorder implements RtspSink {
  readonly events: string[] = [];
  /** Arrays that frames lay in. */
  readonly places: Uint8Array[] = [];

  frame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
    this.places.push(bytes);
    expect(offset + length).toBeLessThanOrEqual(bytes.length);
    const payload = bytes.subarray(offset, offset + length);
    this.events.push(`frame ${channel} ${Buffer.from(payload).toString("latin1")}`);
  }

  response({ status, body, headers }: Parameters<RtspSink["response"]>[0]): void {
    this.events.push(`response ${status} ${headers.length} ${Buffer.from(body).toString("latin1")}`);
  }

  request({ method, url, headers }: Parameters<RtspSink["request"]>[0]): void {
    this.events.push(`request ${method} ${url} ${headers.length}`);
  }
}

interface Result {
  readonly events: string[];
  readonly failure: string | undefined;
  readonly skipped: number;
}

function demux(pieces: readonly Uint8Array[], channels: [number, number] = [0, 1]): Result {
  const recorder = new Recorder();
  const demuxer = new RtspDemux(recorder);
  demuxer.useChannels(...channels);
  for (const piece of pieces) demuxer.push(piece);
  return { events: recorder.events, failure: demuxer.failure, skipped: demuxer.skippedBytes };
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const frame = (channel: number, payload: string) =>
  `$${String.fromCharCode(channel, payload.length >> 8, payload.length & 0xff)}${payload}`;
const ok = (body = "") => `RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const OPTIONS = "OPTIONS rtsp://h/$x RTSP/1.0\r\nCSeq: 7\r\n\r\n";

/** The same result in one piece and byte by byte. */
function expectEvents(text: string, events: string[], skipped = 0, channels?: [number, number]): void {
  const wanted = { events, failure: undefined, skipped };
  expect(demux([bytesOf(text)], channels)).toEqual(wanted);
  expect(demux(eachByte(bytesOf(text)), channels)).toEqual(wanted);
}

describe("in order", () => {
  test("frames of all channels and lengths", () => {
    const big = "\x80$".repeat(MAX_FRAME_BYTES / 2).padEnd(MAX_FRAME_BYTES, "x");
    expectEvents(frame(0, "a") + frame(1, "") + frame(36, "$$") + frame(255, big), [
      "frame 0 a",
      "frame 1 ",
      "frame 36 $$",
      `frame 255 ${big}`,
    ]);
  });

  test("messages and frames in any order", () => {
    expectEvents(ok("$\0\0\x01") + frame(0, "a") + OPTIONS + ok() + frame(1, "RTSP/1.0 200 OK\r\n\r\n") + ok("b"), [
      "response 200 2 $\0\0\x01",
      "frame 0 a",
      "request OPTIONS rtsp://h/$x 1",
      "response 200 2 ",
      "frame 1 RTSP/1.0 200 OK\r\n\r\n",
      "response 200 2 b",
    ]);
  });

  test("empty lines between messages", () => {
    expectEvents(`\r\n\n${ok()}\r\n${frame(0, "a")}\n${frame(9, "b")}\r\n${OPTIONS}`, [
      "response 200 2 ",
      "frame 0 a",
      "frame 9 b",
      "request OPTIONS rtsp://h/$x 1",
    ]);
  });

  test("a URL with a dollar and the number of a channel is no frame", () => {
    expectEvents(OPTIONS, ["request OPTIONS rtsp://h/$x 1"], 0, ["x".charCodeAt(0), 0]);
  });
});

describe("after garbage", () => {
  test("a response is found in the middle of a line", () => {
    expectEvents(`\x01\x02abc\xff${ok("b")}`, ["response 200 2 b"], 2);
    expectEvents(`v=0\r\no=- 1 1\r\n${ok()}`, ["response 200 2 "], 14);
  });

  test("a server's request is found on a line of its own", () => {
    expectEvents(`v=0\r\n${OPTIONS}`, ["request OPTIONS rtsp://h/$x 1"], 5);
  });

  test("a frame is found if its channel is known", () => {
    expectEvents(`abc${frame(0, "a")}`, ["frame 0 a"], 3);
    expectEvents(`\0$\x02$$\0\0\x01a${frame(7, "b")}`, ["frame 0 a", "frame 7 b"], 4);
    expectEvents(`\0${frame(4, "a")}${frame(5, "b")}`, ["frame 5 b"], 6, [5, 6]);
  });

  test("a known channel may be a printable one", () => {
    expectEvents(`\0abc${frame(65, "a")}`, ["frame 65 a"], 4, [64, 65]);
  });

  test("a long line does not hide the response behind it", () => {
    for (let extra = -20; extra < 5; extra++) {
      const junk = "x".repeat(MAX_START_LINE_BYTES + extra);
      expect(demux([bytesOf(junk + ok())]).events).toEqual(["response 200 2 "]);
    }
  });

  test("there is an end to it", () => {
    const line = `${"x".repeat(1023)}\n`;
    const almost = bytesOf(line.repeat(MAX_GARBAGE_BYTES / 1024 - 1));
    expect(demux([almost, bytesOf(ok()), almost, bytesOf(ok())]).events).toHaveLength(2);
    expect(demux([almost, bytesOf(line + ok())])).toEqual({
      events: [],
      failure: "no RTSP",
      skipped: MAX_GARBAGE_BYTES,
    });
  });
});

test("a malformed message ends it", () => {
  const tooLarge = `RTSP/1.0 200 OK\r\nContent-Length: ${MAX_RTSP_BODY_BYTES + 1}\r\n\r\n`;
  for (const [text, failure] of [
    ["RTSP/1.0 200 OK\r\nContent-Length: x\r\n\r\n", "bad content length"],
    [tooLarge, "body too large"],
  ] as const) {
    const wanted = { events: ["frame 0 a"], failure, skipped: 0 };
    const all = bytesOf(frame(0, "a") + text + frame(0, "b"));
    expect(demux([all])).toEqual(wanted);
    expect(demux(eachByte(all))).toEqual(wanted);
  }
});

test("a sink that stops it gets nothing more", () => {
  for (const cut of [eachByte, (all: Uint8Array) => [all]]) {
    const recorder = new Recorder();
    const demuxer = new RtspDemux({
      frame: (...parameters) => recorder.frame(...parameters),
      request: (request) => recorder.request(request),
      response(response) {
        recorder.response(response);
        demuxer.stop();
      },
    });
    for (const piece of cut(bytesOf(frame(0, "a") + ok() + frame(0, "b") + ok()))) demuxer.push(piece);
    expect(recorder.events).toEqual(["frame 0 a", "response 200 2 "]);
    expect(demuxer.failure).toBeUndefined();
  }
});

test("a frame that lies whole in a piece is not copied, another one lies in the carry", () => {
  const recorder = new Recorder();
  const carry = new Uint8Array(MAX_FRAME_BYTES);
  const demuxer = new RtspDemux(recorder, carry);
  const piece = bytesOf(`??${frame(0, "a")}${frame(0, "b")}${frame(0, "cd")}`);
  demuxer.push(piece, 2, piece.length - 3);
  expect(recorder.events).toEqual(["frame 0 a", "frame 0 b"]);
  expect(recorder.places).toEqual([piece, piece]);
  demuxer.push(piece, piece.length - 1);
  expect(recorder.events.at(-1)).toBe("frame 0 cd");
  expect(recorder.places.at(-1)).toBe(carry);
});

describe("for all bytes", () => {
  const payload = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
  const good = fc.oneof(
    fc.tuple(fc.nat(255), payload).map(([channel, data]) => ({
      text: frame(channel, data),
      event: `frame ${channel} ${data}`,
    })),
    payload.map((data) => ({ text: ok(data), event: `response 200 2 ${data}` })),
    fc.constant({ text: OPTIONS, event: "request OPTIONS rtsp://h/$x 1" }),
  );
  const goods = fc.array(good, { maxLength: 12 });
  const fragment = fc.constantFrom("$", "\0", "\x01", "A", "$\0", "$\x01\0", "\r", "\n", "\r\n", "RTSP/1.0 ", "200 OK");
  const junk = fc.oneof(
    fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join("")),
    payload,
  );
  const mixed = fc
    .array(
      fc.oneof(
        good.map(({ text }) => text),
        junk,
      ),
      { maxLength: 10 },
    )
    .map((parts) => bytesOf(parts.join("")));

  test("what is sent in order arrives in order", () => {
    fc.assert(
      fc.property(goods, (sent) => {
        expectEvents(
          sent.map(({ text }) => text).join(""),
          sent.map(({ event }) => event),
        );
      }),
    );
  });

  test("random and truncated bytes never throw", () => {
    fc.assert(
      fc.property(fc.oneof(mixed, fc.uint8Array({ maxLength: 300 })), fc.nat(300), (all, end) => {
        demux([all]);
        demux([all.subarray(0, end)]);
      }),
      { numRuns: 500 },
    );
  });

  test("split at every byte and at any place gives the same result", () => {
    fc.assert(
      fc.property(mixed, fc.nat(), fc.nat(255), (all, cut, channel) => {
        const channels: [number, number] = [channel, 1];
        const whole = demux([all], channels);
        expect(demux(eachByte(all), channels)).toEqual(whole);
        const at = cut % (all.length + 1);
        expect(demux([all.subarray(0, at), all.subarray(at)], channels)).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });
});
