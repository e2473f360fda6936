import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type HeadOutcome, MAX_TARGET_BYTES, RequestHeadParser } from "../../../src/wire/http/request.ts";
import { methodOf } from "../../../src/wire/http/request-line.ts";
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
    const text = '\r\n\n\r\nPOST  /a/../b//{x}|%zz\xe4?q="1"  HTTP/1.0\r\nhOST: a\r\nX:\t b\xa0 \r\nx:c\nEmpty:\n\r\n';
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

  test("may hold lines that are no headers, which are left out", () => {
    const lines = ["X-Device", ": 1", "X Device: 1", "X(1): 1", "\xe4: 1", "<head>", "  of one line", "\t: of another"];
    expect(complete(get(`A: 1\r\n${lines.join("\r\n")}\r\nB: 2`)).head.headers).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
  });

  test("of a whole URL has its authority in the place of every Host", () => {
    expect(complete("GET http://a:1/x HTTP/1.1\r\nA: 1\r\nHost: b\r\nhost: c\r\n\r\n").head).toMatchObject({
      target: "/x",
      headers: [
        ["Host", "a:1"],
        ["A", "1"],
      ],
    });
    expect(complete("GET http://a HTTP/1.0\n\n").head).toMatchObject({
      target: "/",
      headers: [["Host", "a"]],
    });
  });

  test.each(["identity", "Identity", "identity , identity"])("may name the transfer coding %j", (coding) => {
    expect(complete(get(`Transfer-Encoding: ${coding}`)).bodyLength).toBe(0);
    expect(complete(get(`transfer-encoding: ${coding}\nContent-Length: 5`)).bodyLength).toBe(5);
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
  [400, "", "junk", "\x16\x03\x01\x02\n"],
  [400, "", "blanks alone", " \n\n"],
  [400, "GET", "no version behind a blank", " GET /a b\n\n"],
  [400, "", "a method that is no token", "G(T / HTTP/1.1\n\n"],
  [400, "GET", "no target", "GET  HTTP/1.1\n\n"],
  [400, "GET", "no version", "GET /\n\n"],
  [400, "GET", "a bare CR in the target", "GET /a\rb HTTP/1.1\n\n"],
  [400, "GET", "a zero byte in the target", "GET /a\0b HTTP/1.1\n\n"],
  [400, "GET", "HTTP/2", "GET / HTTP/2.0\n\n"],
  [400, "GET", "a long minor version", "GET / HTTP/1.10\n\n"],
  [400, "GET", "a blank before the colon", get("A : 1")],
  [400, "GET", "a control character in a line that is no header", get("A\0")],
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
  [414, "GET", "blanks that make a target too long", `GET /${" a".repeat(MAX_TARGET_BYTES / 2)} HTTP/1.1\n\n`],
  [431, "", "an endless method", "A".repeat(MAX_HEAD_BYTES)],
  [431, "", "empty lines without end", "\n".repeat(MAX_HEAD_BYTES)],
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
  [501, "GET", "a chunked body with a length", get("Content-Length: 5\ntransfer-encoding: chunked")],
  [501, "GET", "an empty coding", get("Transfer-Encoding: ")],
  [501, "GET", "a coding in a folded line", get("Transfer-Encoding: identity\n , chunked")],
  [501, "GET", "an empty coding besides identity", get("Transfer-Encoding: identity,")],
  [501, "GET", "a coding besides identity", get("Transfer-Encoding: identity\nTransfer-Encoding: gzip, chunked")],
])("%d, method %j: %s", (status, method, _, text) => {
  expect(parse(text)).toEqual({ kind: "error", status: status as 400, method });
});

test("an unfinished head needs more", () => {
  const text = headOfSize(MAX_HEAD_BYTES);
  expect(parse(text.slice(0, -1))).toEqual({ kind: "more" });
  expect(parse("")).toEqual({ kind: "more" });
  expect(parse("\r\n\r\n\n")).toEqual({ kind: "more" });
});

describe("for all bytes", () => {
  const name = token.filter((text) => !/^(content-length|transfer-encoding)$/i.test(text));
  const head = fc.record({
    // The usual ones in small letters and whole URLs are read as something else.
    method: token.filter((text) => text === methodOf(`${text} `)),
    target: fc.stringMatching(/^[!-~\x80-\xff]{1,40}$/).filter((text) => !/^https?:\/\//i.test(text)),
    minorVersion: fc.nat(9),
    headers: fc.array(fc.tuple(name, headerValue), { maxLength: 10 }),
  });
  const lineEnd = fc.constantFrom("\n", "\r\n");
  /** Near-valid heads: fragments of heads, some of them wrong. */
  const fragment = fc.constantFrom(
    "GET",
    " ",
    "/",
    "http://",
    "a:1",
    " HTTP/1.1",
    "\r",
    "\n",
    "\r\n",
    "A",
    ":",
    "\t",
    "é",
    "\0",
  );
  const special = fc.constantFrom(
    "Content-Length: 5",
    "Content-Length: 6",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Host: b",
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
