import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  emitRtspRequest,
  emitRtspResponse,
  parseStartLine,
  type RtspMessage,
  type RtspMessageOutcome,
  RtspMessageParser,
} from "../../../src/wire/rtsp/message.ts";
import { eachByte, headerValue, nearlyRight, pushPieces, testWithHostile, token } from "../pieces.ts";

const MAX_RTSP_BODY_BYTES = 256 * 1024;
const MAX_RTSP_HEADER_COUNT = 128;
const MAX_RTSP_HEADER_BYTES = 64 * 1024;

/** Pushes the pieces of what follows `RTSP/1.0 200 OK`; `consumed` counts from the first byte. */
function parsePieces(pieces: readonly Uint8Array[]): RtspMessageOutcome {
  return pushPieces(new RtspMessageParser({ kind: "response", status: 200, reason: "OK" }), pieces);
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const parse = (text: string) => parsePieces([bytesOf(text)]);
const headerOfSize = (size: number) => `A: ${"x".repeat(size - 7)}\r\n\r\n`;
const counted = (count: number) => `${"A: 1\r\n".repeat(count)}\r\n`;

function complete(text: string): RtspMessage {
  const outcome = parse(text);
  if (outcome.kind !== "complete") throw new Error(`not complete: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

describe("a start line", () => {
  test.each<[line: string, status: number, reason: string]>([
    ["RTSP/1.0 200 OK", 200, "OK"],
    ["RTSP/1.0 200", 200, ""],
    ["RTSP/1.0 200 ", 200, ""],
    ["RTSP/1.0  454 Session\tNot Found", 454, "Session\tNot Found"],
    ["RTSP/1.0 999 \xe4", 999, "\xe4"],
    ["left overRTSP/1.0 301 Moved", 301, "Moved"],
    ["$\0\0RTSP/1.0 100 Continue", 100, "Continue"],
    ["RTSP/1.1 200 OK", 200, "OK"],
    ["RTSP/2.0 200 OK", 200, "OK"],
    ["RTSP/1.0\t200\tOK", 200, "OK"],
  ])("%j is a response", (line, status, reason) => {
    expect(parseStartLine(line)).toEqual({ kind: "response", status, reason });
  });

  test.each<[line: string, method: string, url: string]>([
    ["OPTIONS * RTSP/1.0", "OPTIONS", "*"],
    ["SET_PARAMETER  rtsp://h/a%20b?c=\xe4  RTSP/1.0", "SET_PARAMETER", "rtsp://h/a%20b?c=\xe4"],
    ["ANNOUNCE rtsp://[::1]:8554/ RTSP/1.0", "ANNOUNCE", "rtsp://[::1]:8554/"],
  ])("%j is a request", (line, method, url) => {
    expect(parseStartLine(line)).toEqual({ kind: "request", method, url });
  });

  test.each([
    "",
    "RTSP/1.0",
    "RTSP/1.0 20 OK",
    "RTSP/1.0 2000 OK",
    "RTSP/1.0 099 OK",
    "RTSP/1.0 +20 OK",
    "RTSP/0.9 200 OK",
    "rtsp/1.0 200 OK",
    "RTSP/1.0 200OK",
    "RTSP/1.0 200 O\0K",
    "RTSP/1.0 200 OK\rA: 1",
    "HTTP/1.1 200 OK",
    "OPTIONS RTSP/1.0",
    "OPTIONS rtsp://a b RTSP/1.0",
    "OPTIONS rtsp://h/ RTSP/3.0",
    "O:N rtsp://h/ RTSP/1.0",
    "GET / HTTP/1.1",
  ])("%j is none", (line) => {
    expect(parseStartLine(line)).toBeUndefined();
  });
});

describe("a complete message", () => {
  test("keeps spelling, order and raw bytes", () => {
    expect(complete("cSEQ: 1\r\nX:\t b\xa0 \r\nx :c\nEmpty:\n\r\nnext")).toEqual({
      kind: "response",
      status: 200,
      reason: "OK",
      headers: [
        ["cSEQ", "1"],
        ["X", "b\xa0"],
        ["x", "c"],
        ["Empty", ""],
      ],
      body: new Uint8Array(0),
    });
  });

  test("has its folded lines joined", () => {
    expect(complete("A: 1\r\n  2,\r\n\t3 \r\nB:\r\n 4\r\n \r\n\r\n").headers).toEqual([
      ["A", "1 2, 3"],
      ["B", "4"],
    ]);
  });

  test("has the body that the last Content-Length declares", () => {
    const text = "Content-Length: 1\r\ncontent-length: 4\r\n\r\n$\0\r\n";
    expect(complete(`${text}next`).body).toEqual(bytesOf("$\0\r\n"));
    expect(parse(`${text}next`)).toMatchObject({ consumed: text.length });
    expect(parse(text.slice(0, -1))).toEqual({ kind: "more" });
  });

  test("may be as large as the limits", () => {
    expect(complete(headerOfSize(MAX_RTSP_HEADER_BYTES)).headers).toHaveLength(1);
    expect(complete(counted(MAX_RTSP_HEADER_COUNT)).headers).toHaveLength(MAX_RTSP_HEADER_COUNT);
    const body = "x".repeat(MAX_RTSP_BODY_BYTES);
    expect(complete(`Content-Length: ${body.length}\r\n\r\n${body}`).body).toEqual(bytesOf(body));
  });
});

test.each(["A", ": 1", "A b: 1", "A: 1\0", "A: 1\rB: 2", " A: 1", "=== debug ===", "X\xe4: 1"])(
  "the line %j says nothing, and the others count",
  (line) => {
    expect(complete(`${line}\r\nX: 1\r\n\r\n`).headers).toEqual([["X", "1"]]);
    expect(complete(`X: 1\r\n${line.trimStart()}\r\nContent-Length: 1\r\n\r\n!`).body).toEqual(bytesOf("!"));
  },
);

test.each<[what: string, text: string, reason: string]>([
  ["too many headers", counted(MAX_RTSP_HEADER_COUNT + 1), "head too large"],
  ["too long a header", headerOfSize(MAX_RTSP_HEADER_BYTES + 1), "head too large"],
  ["an endless header", `A: ${"x".repeat(MAX_RTSP_HEADER_BYTES)}`, "head too large"],
  ["an empty length", "Content-Length:\r\n\r\n", "bad content length"],
  ["a negative length", "Content-Length: -1\r\n\r\n", "bad content length"],
  ["a list of lengths", "Content-Length: 5, 5\r\n\r\n", "bad content length"],
  ["a body too large", `Content-Length: ${MAX_RTSP_BODY_BYTES + 1}\r\n\r\n`, "body too large"],
  ["an enormous body", `Content-Length: ${"9".repeat(400)}\r\n\r\n`, "body too large"],
])("%s is an error", (_, text, reason) => {
  expect(parse(text)).toEqual({ kind: "error", reason } as RtspMessageOutcome);
  expect(parsePieces(eachByte(bytesOf(text)))).toEqual({ kind: "error", reason } as RtspMessageOutcome);
});

test("only the given part of the bytes is taken", () => {
  const parser = new RtspMessageParser({ kind: "response", status: 200, reason: "OK" });
  const bytes = bytesOf("junk\nA: 1\r\n\r\n\r\n");
  expect(parser.push(bytes, 5, 9)).toEqual({ kind: "more" });
  expect(parser.push(bytes, 9, 12)).toEqual({ kind: "more" });
  expect(parser.push(bytes, 12)).toMatchObject({ consumed: 1, message: { headers: [["A", "1"]] } });
});

test("so is a body", () => {
  const parser = new RtspMessageParser({ kind: "response", status: 200, reason: "OK" });
  const head = bytesOf("Content-Length: 4\r\n\r\nabXX");
  expect(parser.push(head, 0, head.length - 2)).toEqual({ kind: "more" });
  expect(parser.push(bytesOf("Xcdnext"), 1)).toMatchObject({ consumed: 2, message: { body: bytesOf("abcd") } });
});

describe("for all bytes", () => {
  const header = fc.tuple(
    token.filter((name) => !/^content-length$/i.test(name)),
    headerValue,
  );
  const headers = fc.array(header, { maxLength: 10 });
  const fragment = fc.constantFrom("\r", "\n", "\r\n", "A", ":", " ", "\t", "\xe4", "\0", "A: 1\r\n", "\r\n\r\n");
  const length = fc.constantFrom("Content-Length: 0\r\n", "Content-Length: 3\r\n", "Content-Length: x\r\n");
  const bytes = nearlyRight(fc.oneof(fragment, fragment, length), 20, (text) => `B: 2\r\n${text}\r\n\r\nabcdef`);

  function parseWhole(emitted: Buffer): RtspMessage {
    const text = emitted.toString("latin1");
    const end = text.indexOf("\r\n");
    const startLine = parseStartLine(text.slice(0, end));
    const outcome = startLine && new RtspMessageParser(startLine).push(emitted, end + 2);
    if (outcome?.kind !== "complete") throw new Error(`not complete: ${text}`);
    expect(outcome.consumed).toBe(emitted.length - end - 2);
    return outcome.message;
  }

  test("an emitted request parses to itself", () => {
    fc.assert(
      fc.property(token, fc.stringMatching(/^[!-~\x80-\xff]{1,30}$/), headers, (method, url, fields) => {
        const message = parseWhole(emitRtspRequest(method, url, fields));
        expect(message).toEqual({ kind: "request", method, url, headers: fields, body: new Uint8Array(0) });
      }),
    );
  });

  test("an emitted response parses to itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), headerValue, headers, (status, reason, fields) => {
        const message = parseWhole(emitRtspResponse(status, reason, fields));
        expect(message).toEqual({ kind: "response", status, reason, headers: fields, body: new Uint8Array(0) });
      }),
    );
  });

  test("a header cannot bring another one in", () => {
    const emitted = emitRtspRequest("PLAY", "rtsp://h/", [["Range", "npt=0-\r\nEvil: 1"]]);
    expect(parseWhole(emitted).headers).toEqual([["Range", "npt=0-  Evil: 1"]]);
  });

  testWithHostile(bytes, parsePieces);

  test("nor does any start line throw", () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        parseStartLine(line);
        parseStartLine(`RTSP/1.0 ${line}`);
      }),
      { numRuns: 500 },
    );
  });
});
