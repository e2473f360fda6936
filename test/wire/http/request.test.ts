import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type HeadOutcome, MAX_TARGET_BYTES, RequestHeadParser } from "../../../src/wire/http/request.ts";
import { eachByte, headerValue, nearlyRight, pushPieces, testWithHostile, token } from "../pieces.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_COUNT = 128;
const MAX_HEAD_BYTES = 8192;

function parsePieces(pieces: readonly Uint8Array[]): HeadOutcome {
  return pushPieces(new RequestHeadParser(), pieces);
}

function parse(text: string): HeadOutcome {
  return parsePieces([Buffer.from(text, "latin1")]);
}

function complete(text: string): HeadOutcome & { kind: "complete" } {
  const outcome = parse(text);
  if (outcome.kind !== "complete") throw new Error(`not complete: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** A head whose one header fills it up to `size` bytes. */
function headOfSize(size: number): string {
  const head = (value: string) => `GET / HTTP/1.1\r\nA: ${value}\r\n\r\n`;
  return head("x".repeat(size - head("").length));
}

const get = (headers: string) => `GET / HTTP/1.1\r\n${headers}\r\n\r\n`;
const post = (...lengths: string[]) => get(lengths.map((length) => `Content-Length: ${length}`).join("\r\n"));

describe("a complete head", () => {
  test("keeps spelling, order and raw bytes", () => {
    const text = '\r\nPOST  /a/../b//{x}|%zz\xe4?q="1"  HTTP/1.0\r\nhOST: a\r\nX:\t b\xa0 \r\nx:c\nEmpty:\n\r\n';
    const outcome = complete(`${text}BODY`);
    expect(outcome.consumed).toBe(text.length);
    expect(outcome.bodyLength).toBe(0);
    expect(outcome.head).toEqual<unknown>({
      method: "POST",
      target: '/a/../b//{x}|%zz\xe4?q="1"',
      minorVersion: 0,
      headers: [
        ["hOST", "a"],
        ["X", "b\xa0"],
        ["x", "c"],
        ["Empty", ""],
      ],
    });
  });

  test("may hold folded lines, whose content is ignored", () => {
    expect(complete(get("A: 1\r\n Content-Length: 5\r\n\t\r\nB: 2")).head.headers).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
  });

  test("needs no header", () => {
    expect(complete("GET * HTTP/1.9\n\n").head).toEqual<unknown>({
      method: "GET",
      target: "*",
      minorVersion: 9,
      headers: [],
    });
  });

  test("may be as large as the limits", () => {
    const target = `/${"a".repeat(MAX_TARGET_BYTES - 1)}`;
    expect(complete(`GET ${target} HTTP/1.1\r\n\r\n`).head.target).toBe<unknown>(target);
    expect(complete(get(Array(MAX_HEADER_COUNT).fill("A: 1").join("\n"))).head.headers).toHaveLength(MAX_HEADER_COUNT);
    expect(complete(headOfSize(MAX_HEAD_BYTES)).consumed).toBe(MAX_HEAD_BYTES);
    expect(complete(post(String(MAX_BODY_BYTES))).bodyLength).toBe(MAX_BODY_BYTES);
  });
});

test.each<[lengths: string[], bodyLength: number]>([
  [["5"], 5],
  [["005"], 5],
  [["5", "5"], 5],
  [["5 , 5"], 5],
  [["-1"], 0],
  [["+5"], 0],
  [["0x5"], 0],
  [["5 5"], 0],
  [["5.0"], 0],
  [["five"], 0],
  [[""], 0],
])("Content-Length %j means %d bytes", (lengths, bodyLength) => {
  expect(complete(post(...lengths)).bodyLength).toBe(bodyLength);
});

test.each<[status: number, method: string, what: string, text: string]>([
  [400, "", "an empty request line", "\r\n\r\n"],
  [400, "", "junk", "\x16\x03\x01\x02\n"],
  [400, "", "a leading blank", " GET / HTTP/1.1\n\n"],
  [400, "", "a method that is no token", "G(T / HTTP/1.1\n\n"],
  [400, "GET", "no target", "GET  HTTP/1.1\n\n"],
  [400, "GET", "no version", "GET /\n\n"],
  [400, "GET", "a blank in the target", "GET /a b HTTP/1.1\n\n"],
  [400, "GET", "a tab in the target", "GET /a\tb HTTP/1.1\n\n"],
  [400, "GET", "a zero byte in the target", "GET /a\0b HTTP/1.1\n\n"],
  [400, "GET", "HTTP/2", "GET / HTTP/2.0\n\n"],
  [400, "GET", "a lower-case version", "GET / http/1.1\n\n"],
  [400, "GET", "a long minor version", "GET / HTTP/1.10\n\n"],
  [400, "GET", "a blank behind the version", "GET / HTTP/1.1 \n\n"],
  [400, "GET", "a second CR", "GET / HTTP/1.1\r\r\n\n"],
  [400, "GET", "a header without colon", get("A")],
  [400, "GET", "a header without name", get(": 1")],
  [400, "GET", "a blank before the colon", get("A : 1")],
  [400, "GET", "a name that is no token", get("A\xe4: 1")],
  [400, "GET", "a bare CR in a value", get("A: 1\rB: 2")],
  [400, "GET", "a control character in a value", get("A: 1\x07")],
  [400, "GET", "a control character in a folded line", get("A: 1\n \x7f")],
  [400, "GET", "a folded line without header", get(" A: 1")],
  [400, "GET", "contradictory Content-Lengths", post("5", "6")],
  [400, "GET", "a contradictory list of lengths", post("5, 6")],
  [400, "GET", "a length beside an unparsable one", post("x", "5")],
  [413, "GET", "a body too large", post(String(MAX_BODY_BYTES + 1))],
  [413, "GET", "an enormous body", post("9".repeat(400))],
  [414, "GET", "a target too long", `GET /${"a".repeat(MAX_TARGET_BYTES)} HTTP/1.1\n\n`],
  [414, "HEAD", "an endless target", `HEAD /${"a".repeat(MAX_HEAD_BYTES)}`],
  [431, "", "an endless method", "A".repeat(MAX_HEAD_BYTES)],
  [431, "GET", "a head too large by one byte", headOfSize(MAX_HEAD_BYTES + 1)],
  [
    431,
    "GET",
    "too many headers",
    get(
      Array(MAX_HEADER_COUNT + 1)
        .fill("A: 1")
        .join("\n"),
    ),
  ],
  [501, "GET", "a chunked body", get("Transfer-Encoding: chunked")],
  [501, "GET", "a chunked body with a length", get("Content-Length: 5\ntransfer-encoding: identity")],
])("%d, method %j: %s", (status, method, _, text) => {
  expect(parse(text)).toEqual({ kind: "error", status: status as 400, method });
});

test("an unfinished head needs more", () => {
  const text = headOfSize(MAX_HEAD_BYTES);
  expect(parse(text.slice(0, -1))).toEqual({ kind: "more" });
  expect(parse("")).toEqual({ kind: "more" });
});

describe("for all bytes", () => {
  const name = token.filter((text) => !/^(content-length|transfer-encoding)$/i.test(text));
  const head = fc.record({
    method: token,
    target: fc.stringMatching(/^[!-~\x80-\xff]{1,40}$/),
    minorVersion: fc.nat(9),
    headers: fc.array(fc.tuple(name, headerValue), { maxLength: 10 }),
  });
  const lineEnd = fc.constantFrom("\n", "\r\n");
  /** Near-valid heads: fragments of heads, some of them wrong. */
  const fragment = fc.constantFrom("GET", " ", "/", " HTTP/1.1", "\r", "\n", "\r\n", "A", ":", "\t", "é", "\0");
  const special = fc.constantFrom(
    "Content-Length: 5",
    "Content-Length: 6",
    "Transfer-Encoding: chunked",
    "/".repeat(999),
  );
  const bytes = nearlyRight(fc.oneof(fragment, fragment, special), 40, (text) => `GET / HTTP/1.1\r\n${text}\r\n\r\n`);

  test("an emitted head parses to itself", () => {
    fc.assert(
      fc.property(head, lineEnd, (wanted, eol) => {
        const lines = wanted.headers.map(([name, value]) => `${name}: ${value}${eol}`);
        const emitted = `${wanted.method} ${wanted.target} HTTP/1.${wanted.minorVersion}${eol}${lines.join("")}${eol}`;
        const outcome = complete(`${emitted}\n\n`);
        expect(outcome.head).toEqual<unknown>(wanted);
        expect(outcome.consumed).toBe(emitted.length);
      }),
    );
  });

  testWithHostile(bytes, parsePieces);

  test("so do the limits", () => {
    for (const text of [headOfSize(MAX_HEAD_BYTES), headOfSize(MAX_HEAD_BYTES + 1), `GET /${"a".repeat(9000)}`]) {
      const all = Buffer.from(text);
      expect(parsePieces(eachByte(all))).toEqual(parse(text));
    }
  });
});
