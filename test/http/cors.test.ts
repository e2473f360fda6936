import { expect, test } from "bun:test";
import { corsHeaders, preflightResponse } from "../../src/http/cors.ts";
import type { HttpRequest } from "../../src/http/request.ts";
import { headerValue } from "../../src/wire/http/header-fields.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

function preflight(headers: Record<string, string>): string[] {
  const fields = Object.entries(headers);
  const request: HttpRequest = {
    method: "OPTIONS",
    target: asByteString("/x"),
    minorVersion: 1,
    headers: fields,
    body: new Uint8Array(0),
    header: (name) => headerValue(fields, name),
  };
  const { status, headers: answer, body } = preflightResponse(request);
  expect([status, body]).toEqual([204, undefined]);
  return answer.map(([name, value]) => `${name}: ${value}`);
}

test("an origin is a header, none is none", () => {
  expect(corsHeaders("https://a.example")).toEqual([["Access-Control-Allow-Origin", "https://a.example"]]);
  expect(corsHeaders(undefined)).toEqual([]);
  expect(corsHeaders("")).toEqual([]);
});

test("a preflight is allowed what it asks for", () => {
  const asked = { "Access-Control-Request-Method": "PUT", "access-control-request-headers": "x-a, x-b" };
  expect(preflight(asked)).toEqual([
    "Access-Control-Allow-Methods: PUT",
    "Access-Control-Allow-Headers: x-a, x-b",
    "Access-Control-Max-Age: 86400",
    "Content-Length: 0",
  ]);
});

test("a preflight that asks for nothing is told what is usual", () => {
  const usual = [
    "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
    "Access-Control-Max-Age: 86400",
    "Content-Length: 0",
  ];
  expect(preflight({})).toEqual(usual);
  expect(preflight({ "Access-Control-Request-Method": "", "Access-Control-Request-Headers": "" })).toEqual(usual);
});
