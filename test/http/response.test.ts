import { describe, expect, test } from "bun:test";
import { emitHead, emitResponse, errorResponse, type HttpResponse } from "../../src/http/response.ts";
import type { HeaderField } from "../../src/wire/http/header-fields.ts";

function emit(response: HttpResponse, withBody = true): string {
  return Buffer.concat(emitResponse(response, withBody)).toString("latin1");
}

describe("an error page", () => {
  test.each([
    [400, "Bad Request"],
    [401, "Unauthorized"],
    [404, "Not Found"],
    [413, "Content Too Large"],
    [414, "URI Too Long"],
    [431, "Request Header Fields Too Large"],
    [500, "Internal Server Error"],
    [501, "Not Implemented"],
    [503, "Service Unavailable"],
    [508, "Loop Detected"],
  ])("%d is one line about %s", (status, reason) => {
    expect(emit(errorResponse(status))).toBe(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n` +
        `<!doctype html><title>${status}</title>${reason}`,
    );
  });

  test("has its extra headers last", () => {
    expect(emit(errorResponse(401, [["WWW-Authenticate", "Bearer"]]), false)).toEndWith(
      "Connection: close\r\nWWW-Authenticate: Bearer\r\n\r\n",
    );
  });
});

describe("a response", () => {
  test("has its headers in the given order, with Connection behind Content-Type", () => {
    const headers = [
      ["Content-Type", "text/plain"],
      ["ETag", '"1"'],
    ] as const;
    expect(emit({ status: 200, headers, body: "é" })).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nETag: "1"\r\n\r\n\xc3\xa9',
    );
  });

  test("without Content-Type begins with Connection", () => {
    expect(emit({ status: 204, headers: [["Content-Length", "0"]] })).toBe(
      "HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
  });

  test("keeps a given Connection", () => {
    expect(emit({ status: 200, headers: [["connection", "keep-alive"]] })).toBe(
      "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\n",
    );
  });

  test("does not copy a large body", () => {
    const body = new Uint8Array(1_000_000);
    expect(emitResponse({ status: 200, headers: [], body }, true)[1]).toBe(body);
  });
});

describe("standing headers", () => {
  const cookie: HeaderField = ["Set-Cookie", "a=1"];
  const cors: HeaderField = ["Access-Control-Allow-Origin", "*"];
  const complete = (headers: HeaderField[]) =>
    emitHead({ status: 200, headers }, [cookie, cors]).toString().trimEnd().split("\r\n").slice(1);

  test("stand behind Connection", () => {
    expect(
      complete([
        ["Content-Type", "a"],
        ["ETag", "b"],
      ]),
    ).toEqual(["Content-Type: a", "Connection: close", "Set-Cookie: a=1", "Access-Control-Allow-Origin: *", "ETag: b"]);
    expect(
      complete([
        ["Cache-Control", "no-cache"],
        ["connection", "keep-alive"],
        ["ETag", "b"],
      ]),
    ).toEqual([
      "Cache-Control: no-cache",
      "connection: keep-alive",
      "Set-Cookie: a=1",
      "Access-Control-Allow-Origin: *",
      "ETag: b",
    ]);
  });

  test("give way to those that are there, but for cookies", () => {
    const own: HeaderField[] = [
      ["access-control-allow-origin", "b"],
      ["set-cookie", "b=2"],
      ["Connection", "close"],
    ];
    expect(complete(own)).toEqual([
      "access-control-allow-origin: b",
      "set-cookie: b=2",
      "Connection: close",
      "Set-Cookie: a=1",
    ]);
  });

  test("go out with a response", () => {
    const pieces = emitResponse({ status: 304, headers: [["ETag", "b"]] }, true, [cors]);
    expect(Buffer.concat(pieces).toString()).toBe(
      "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\nETag: b\r\n\r\n",
    );
  });
});

test("a header value cannot begin another line", () => {
  const value = "a\r\nSet-Cookie: x\0\u010a\x7f\t\xe9";
  expect(emitHead({ status: 200, headers: [["A", value]] }, []).toString("latin1")).toBe(
    "HTTP/1.1 200 OK\r\nConnection: close\r\nA: a  Set-Cookie: x   \t\xe9\r\n\r\n",
  );
});

test("somebody else's status line is passed on, as one line", () => {
  const head = { status: 200, statusLine: "HTTP/1.0 200 Fine\r\nA: b", headers: [] };
  expect(emitHead(head, []).toString()).toBe("HTTP/1.0 200 Fine  A: b\r\nConnection: close\r\n\r\n");
});

test("an unknown status has an empty reason", () => {
  expect(emitHead({ status: 299, headers: [] }, []).toString()).toBe("HTTP/1.1 299 \r\nConnection: close\r\n\r\n");
});
