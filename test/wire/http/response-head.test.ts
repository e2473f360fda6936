import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emitMessageHead } from "../../../src/wire/http/header-fields.ts";
import { type ResponseHeadOutcome, ResponseHeadParser } from "../../../src/wire/http/response-head.ts";
import { eachByte, headerValue, nearlyRight, pushPieces, testWithHostile, token } from "../pieces.ts";

const MAX_RESPONSE_HEADER_COUNT = 256;
const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;

function parsePieces(pieces: readonly Uint8Array[], method = "GET"): ResponseHeadOutcome {
  return pushPieces(new ResponseHeadParser(method), pieces);
}

function parse(text: string, method?: string): ResponseHeadOutcome {
  return parsePieces([Buffer.from(text, "latin1")], method);
}

function complete(text: string, method?: string): ResponseHeadOutcome & { kind: "complete" } {
  const outcome = parse(text, method);
  if (outcome.kind !== "complete") throw new Error(`not complete: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** A head whose one header fills it up to `size` bytes. */
function headOfSize(size: number): string {
  const head = (value: string) => `HTTP/1.1 200 OK\r\nA: ${value}\r\n\r\n`;
  return head("x".repeat(size - head("").length));
}

const ok = (headers: string) => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`;
const countedHead = (count: number) => ok(Array(count).fill("A: 1").join("\r\n"));

describe("a complete head", () => {
  test("keeps spelling, order and raw bytes", () => {
    const text = "HTTP/1.0 404 Nicht  da \xe4\r\nsERVER: a\r\nX:\t b\xa0 \r\nx :c\nEmpty:\n\r\n";
    expect(complete(`${text}BODY`)).toEqual({
      kind: "complete",
      consumed: text.length,
      framing: { kind: "until-close" },
      head: {
        statusLine: "HTTP/1.0 404 Nicht  da \xe4",
        status: 404,
        headers: [
          ["sERVER", "a"],
          ["X", "b\xa0"],
          ["x", "c"],
          ["Empty", ""],
        ],
      },
    });
  });

  test.each<[line: string, statusLine: string]>([
    ["ICY 200 OK", "HTTP/1.1 200 OK"],
    ["icy 200", "HTTP/1.1 200 "],
    ["HTTP/2 200", "HTTP/1.1 200 "],
    ["HTTP/2.0 200 OK", "HTTP/1.1 200 OK"],
    ["HTTP/0.9 404 Not Found", "HTTP/1.1 404 Not Found"],
    ["HTTP 200 OK", "HTTP/1.1 200 OK"],
    ["http/1.1 200 OK", "HTTP/1.1 200 OK"],
    ["HTTP/1.1  200  OK", "HTTP/1.1 200 OK"],
    ["HTTP/1.1\t200\tOK", "HTTP/1.1 200 OK"],
    ["HTTP/1.1 200OK", "HTTP/1.1 200 OK"],
    ["HTTP/1.1 200 O\0K", "HTTP/1.1 200 O\0K"],
    ["HTTP/1.1 200 OK\rA: 1", "HTTP/1.1 200 OK\rA: 1"],
  ])("may begin with %j as players read it", (line, statusLine) => {
    for (const before of ["", "\r\n", "\n\r\n"]) {
      const { head } = complete(`${before}${line}\r\nA: 1\r\n\r\n`);
      expect(head).toEqual({ statusLine, status: Number(statusLine.slice(9, 12)), headers: [["A", "1"]] });
    }
  });

  test.each([
    "A",
    ": 1",
    "A b: 1",
    "HTTP/1.1 500 Internal Server Error",
    "Content-Typ\xe9: x",
    "@X(1): y",
    "A: 1\rB: 2",
    "A: 1\0",
    "A: \x1b[1m",
    " fold of nothing",
    "X Iinfo: bad\r\n\tfolded: 1",
  ])("goes on behind %j, which is no header", (line) => {
    expect(complete(ok(`${line}\r\nB: 2`)).head.headers).toEqual([["B", "2"]]);
    expect(complete(ok(`B: 2\r\nA \r\n${line}`)).head.headers).toEqual([["B", "2"]]);
  });

  test.each(["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.9 999 \t"])("may begin with %j and have no header", (line) => {
    expect(complete(`${line}\r\n\r\n`).head).toMatchObject({ statusLine: line, headers: [] });
  });

  test("may have more line ends than lines", () => {
    const text = "HTTP/1.1 200 OK\r\r\nA: 1\r\r\r\nB: 2\n\r\r\n";
    const { head, consumed } = complete(`${text}\r\n`);
    expect(head).toEqual({
      statusLine: "HTTP/1.1 200 OK",
      status: 200,
      headers: [
        ["A", "1"],
        ["B", "2"],
      ],
    });
    expect(consumed).toBe(text.length);
  });

  test("has its folded lines joined", () => {
    expect(complete(ok("A: 1\r\n  2,\r\n\t3 \r\nB:\r\n 4\r\n \r\nC: 5")).head.headers).toEqual([
      ["A", "1 2, 3"],
      ["B", "4"],
      ["C", "5"],
    ]);
  });

  test("says how the body ends", () => {
    expect(complete(ok("Content-Length: 5")).framing).toEqual({ kind: "length", length: 5 });
    expect(complete(ok("Content-Length: 5"), "HEAD").framing).toEqual({ kind: "none" });
    expect(complete(ok("Content-Length: 5\r\nTransfer-Encoding: chunked")).framing).toEqual({ kind: "chunked" });
  });

  test("may be as large as the limits", () => {
    expect(complete(headOfSize(MAX_RESPONSE_HEAD_BYTES)).consumed).toBe(MAX_RESPONSE_HEAD_BYTES);
    expect(complete(countedHead(MAX_RESPONSE_HEADER_COUNT)).head.headers).toHaveLength(MAX_RESPONSE_HEADER_COUNT);
  });
});

describe("interim responses", () => {
  test("are skipped", () => {
    const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    const outcome = complete(interim + ok("A: 1"));
    expect(outcome.head).toEqual({ statusLine: "HTTP/1.1 200 OK", status: 200, headers: [["A", "1"]] });
    expect(outcome.consumed).toBe(interim.length + ok("A: 1").length);
  });

  test("do not go on for ever", () => {
    const interim = "HTTP/1.1 100 Continue\r\n\r\n";
    expect(parse(interim)).toEqual({ kind: "more" });
    expect(parse(interim.repeat(MAX_RESPONSE_HEAD_BYTES / interim.length + 1))).toMatchObject({
      reason: "head too large",
    });
  });
});

test.each<[what: string, text: string]>([
  ["another protocol", "RTSP/1.0 200 OK\r\n\r\n"],
  ["media without a head", "G@\0\x10\n"],
  ["no status", "HTTP/1.1\r\n\r\n"],
  ["a short status", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a long status", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
  ["a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n"],
  ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
])("%s is malformed", (_, text) => {
  expect(parse(text)).toEqual({ kind: "error", reason: "malformed head" });
});

test("limits and lengths have errors of their own", () => {
  expect(parse(headOfSize(MAX_RESPONSE_HEAD_BYTES + 1))).toEqual({ kind: "error", reason: "head too large" });
  expect(parse(countedHead(MAX_RESPONSE_HEADER_COUNT + 1))).toEqual({ kind: "error", reason: "head too large" });
  const reason = "contradictory body length";
  expect(parse(ok("Content-Length: 5\r\nContent-Length: 6"))).toEqual({ kind: "error", reason });
});

test("an unfinished head needs more", () => {
  expect(parse(headOfSize(MAX_RESPONSE_HEAD_BYTES).slice(0, -1))).toEqual({ kind: "more" });
  expect(parse("")).toEqual({ kind: "more" });
});

describe("for all bytes", () => {
  const name = token.filter((text) => !/^content-length$/i.test(text));
  const head = fc.record({
    minor: fc.nat(9),
    status: fc.integer({ min: 200, max: 999 }),
    reason: fc.option(fc.stringMatching(/^ [\t -~\x80-\xff]{0,20}$/), { nil: "" }),
    headers: fc.array(fc.tuple(name, headerValue), { maxLength: 10 }),
  });
  const fragment = fc.constantFrom(
    "HTTP/1.1 ",
    "200",
    " ",
    "OK",
    "\r",
    "\n",
    "\r\n",
    "A",
    ":",
    "\t",
    "\xe4",
    "\0",
    "1",
  );
  const special = fc.constantFrom(
    "HTTP/1.1 100 Continue\r\n\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\n",
    "A: 1\r\n 2\r\n",
  );
  const bytes = nearlyRight(fc.oneof(fragment, fragment, special), 30, (text) => `HTTP/1.1 200 OK\r\n${text}\r\n\r\n`);

  test("an emitted head parses to itself", () => {
    fc.assert(
      fc.property(head, ({ minor, status, reason, headers }) => {
        const statusLine = `HTTP/1.${minor} ${status}${reason}`;
        const emitted = emitMessageHead(statusLine, headers);
        const outcome = complete(`${emitted.toString("latin1")}\r\n\r\n`);
        expect(outcome.head).toEqual({ statusLine, status, headers });
        expect(outcome.consumed).toBe(emitted.length);
      }),
    );
  });

  testWithHostile(bytes, parsePieces);

  test("so do the limits", () => {
    const count = MAX_RESPONSE_HEADER_COUNT;
    for (const text of [headOfSize(MAX_RESPONSE_HEAD_BYTES + 1), countedHead(count), countedHead(count + 1)]) {
      const all = Buffer.from(text);
      expect(parsePieces(eachByte(all))).toEqual(parse(text));
    }
  });
});
