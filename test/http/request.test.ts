import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type HttpRequest, type ReaderOutcome, RequestReader } from "../../src/http/request.ts";

function last(pieces: readonly Uint8Array[]): ReaderOutcome | undefined {
  const reader = new RequestReader();
  let outcome: ReaderOutcome | undefined;
  for (const piece of pieces) {
    outcome = reader.push(piece);
    if (outcome.kind === "request" || outcome.kind === "error") break;
  }
  return outcome;
}

function requestOf(outcome: ReaderOutcome | undefined): HttpRequest {
  if (outcome?.kind !== "request") throw new Error(`no request: ${JSON.stringify(outcome)}`);
  return outcome.request;
}

const push = (...texts: string[]) => last(texts.map((text) => Buffer.from(text, "latin1")));
const post = (length: number, headers = "") => `POST /x HTTP/1.1\r\n${headers}Content-Length: ${length}\r\n\r\n`;

test("a request without body is complete with its head", () => {
  const request = requestOf(push("GET /x HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\nGET /second HTTP/1.1\r\n\r\n"));
  expect(request).toMatchObject({ method: "GET", target: "/x", minorVersion: 1 });
  expect(request.header("A")).toBe("2");
  expect(request.header("b")).toBeUndefined();
  expect(request.headers).toHaveLength(2);
  expect(request.body).toHaveLength(0);
});

test("a body ends where its length says", () => {
  expect(Buffer.from(requestOf(push(`${post(5)}helloGET`)).body).toString()).toBe("hello");
});

test("any body arrives whole, however it is cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (body, size) => {
      const all = Buffer.concat([Buffer.from(post(body.length)), body, Buffer.from("more")]);
      const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
        all.subarray(i * size, (i + 1) * size),
      );
      expect(Uint8Array.from(requestOf(last(pieces)).body)).toEqual(body);
    }),
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (pieces) => {
      last(pieces);
    }),
  );
});

describe("an awaited body", () => {
  test("is told once", () => {
    expect(push(post(5))).toEqual({ kind: "body", length: 5, expectsContinue: false, method: "POST" });
    expect(push(post(5), "hel")).toEqual({ kind: "more" });
  });

  test.each([
    [true, post(5, "Expect: 100-Continue\r\n")],
    [false, `${post(5, "Expect: 100-continue\r\n")}h`],
    [false, post(5, "Expect: something\r\n")],
    [false, post(5, "Expect: 100-continue\r\n").replace("HTTP/1.1", "HTTP/1.0")],
  ])("expects 100 Continue: %p for %j", (expectsContinue, text) => {
    expect(push(text)).toMatchObject({ kind: "body", expectsContinue });
  });
});
