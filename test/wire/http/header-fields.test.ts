import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  emitMessageHead,
  endToEndHeaders,
  headerValue,
  isNamed,
  listElements,
} from "../../../src/wire/http/header-fields.ts";

const field = (name: string, value = "1") => [name, value] as const;

test("a list spans all lines of its header", () => {
  const headers = [field("A", " x ,, y"), field("B", "no"), field("a", "\tz,")];
  expect(listElements(headers, "A")).toEqual(["x", "y", "z"]);
  expect(listElements(headers, "C")).toEqual([]);
});

test("names are compared without regard to case", () => {
  expect(isNamed(field("eTAG"), "ETag")).toBe(true);
  expect(isNamed(field("ETags"), "ETag")).toBe(false);
});

test("the last header of a name is the effective one", () => {
  const headers = [field("Cookie", "1"), field("cookie", "2")];
  expect(headerValue(headers, "COOKIE")).toBe("2");
  expect(headerValue(headers, "cooki")).toBeUndefined();
});

test("the headers of one connection go", () => {
  const hop = ["Connection", "Keep-Alive", "TE", "trailer", "UPGRADE", "Proxy-Connection", "Proxy-Authorization"];
  expect(endToEndHeaders(hop.map((name) => field(name)))).toEqual([]);
  const kept = ["Proxy", "Tee", "Date", "date", "Transfer-Encoding"].map((name) => field(name));
  expect(endToEndHeaders(kept)).toEqual(kept);
});

test("so do those that Connection names, except what frames the body", () => {
  const headers = [
    field("x-one"),
    field("Connection", "close, X-One"),
    field("X-Two"),
    field("Transfer-Encoding"),
    field("X-Three"),
    field("Content-Length"),
    field("connection", "x-two,,transfer-encoding, Content-Length"),
  ];
  const names = endToEndHeaders(headers).map(([name]) => name);
  expect(names).toEqual(["Transfer-Encoding", "X-Three", "Content-Length"]);
});

test("no text can add a line to a head", () => {
  const headers = [field("A", "1\r\nB: 2"), field("C\n", "\0\x7f\u010a\t\xe4")];
  const head = emitMessageHead("GET /\r\n HTTP/1.1", headers).toString("latin1");
  expect(head).toBe("GET /   HTTP/1.1\r\nA: 1  B: 2\r\nC : \x20\x20\x20\t\xe4\r\n\r\n");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(fc.tuple(fc.string(), fc.string())), (l, h) => {
      const text = emitMessageHead(l, h).toString("latin1");
      expect(text.split(/\r\n|\r|\n/)).toHaveLength(h.length + 3);
      expect(text).toEndWith("\r\n\r\n");
    }),
  );
});
