import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { XmltvBody } from "../../../src/wire/xmltv/body.ts";

const MAX_HELD_BYTES = 1024 * 1024;

/** Pushes `text` cut at the given places. */
function run(text: string, ...cuts: number[]): [state: string, body: string] {
  const body = new XmltvBody();
  let out = "";
  const places = [0, ...cuts, text.length];
  for (let i = 1; i < places.length; i++) {
    out += Buffer.from(body.push(Buffer.from(text.slice(places[i - 1], places[i]), "latin1"))).toString("latin1");
  }
  return [body.state, out];
}

const TRICKY =
  '\xef\xbb\xbf<?xml version="1.0"?><?x <tv> ?><!DOCTYPE tv [<!ELEMENT tv (a)>]><!-- <tv> --><tv a="x>y" b=\'"\'>' +
  '<channel id="a"/><channel id="b"><n><![CDATA[</tv></channel>]]></n></channel><!-- </tv> --><programme>1</programme>\n</tv> <x>';

describe("a document", () => {
  test.each<[text: string, state: string, body: string]>([
    ["<tv></tv>", "complete", ""],
    ["<tv/>", "complete", ""],
    ['<tv a="1"/>', "complete", ""],
    ["<tv>\n<channel>a</channel>\n</tv >\n", "complete", "\n<channel>a</channel>\n"],
    ["<tv><channel>a</channel><programme>b", "body", "<channel>a</channel>"],
    ["<tv><channel/>", "body", ""],
    ["<html><tv></tv>", "failed", ""],
    ["<tvx>", "failed", ""],
    ["{}", "prolog", ""],
    ["", "prolog", ""],
    [
      TRICKY,
      "complete",
      '<channel id="a"/><channel id="b"><n><![CDATA[</tv></channel>]]></n></channel><!-- </tv> --><programme>1</programme>\n',
    ],
  ])("%j", (text, state, body) => {
    expect(run(text)).toEqual([state, body]);
  });

  test("is the same however it is cut", () => {
    const whole = run(TRICKY);
    for (let a = 0; a <= TRICKY.length; a++) expect(run(TRICKY, a)).toEqual(whole);
    expect(run(TRICKY, ...TRICKY.split("").keys())).toEqual(whole);
  });

  test("that holds no elements for long is none", () => {
    expect(run(`<tv>${"x".repeat(MAX_HELD_BYTES + 1)}`)[0]).toBe("failed");
    expect(run(`<tv ${"x".repeat(MAX_HELD_BYTES + 1)}`)[0]).toBe("failed");
    expect(run(" ".repeat(MAX_HELD_BYTES))[0]).toBe("prolog");
    expect(run(" ".repeat(MAX_HELD_BYTES + 1))[0]).toBe("failed");
  });

  test("may have a root of many attributes, in pieces of any size", () => {
    const root = `<tv ${'a="/>" b=\'"\' '.repeat(50_000)}`;
    for (const pieceBytes of [1000, 65_536]) {
      const body = new XmltvBody();
      const text = Buffer.from(`${root}><channel/></channel></tv>`);
      let out = "";
      for (let at = 0; at < text.length; at += pieceBytes) {
        out += Buffer.from(body.push(text.subarray(at, at + pieceBytes))).toString();
      }
      expect([body.state, out]).toEqual(["complete", "<channel/></channel>"]);
    }
    expect(run(`${root}/>`)[0]).toBe("complete");
  });
});

test("no bytes throw, cut or not, and what comes out is a part of what went in", () => {
  const fragment = fc.constantFrom(
    "<tv>",
    "<",
    "</tv>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "</channel>",
    "</programme>",
    "<a>",
    ">",
    '"',
    "x",
  );
  const near = fc.array(fragment, { maxLength: 30 }).map((parts) => parts.join(""));
  const bytes = fc.uint8Array({ maxLength: 100 }).map((all) => Buffer.from(all).toString("latin1"));
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        near.map((text) => `<tv>${text}`),
        bytes,
      ),
      (text) => {
        const whole = run(text);
        expect(text).toContain(whole[1]);
        for (let at = 0; at <= text.length; at++) expect(run(text, at)).toEqual(whole);
      },
    ),
    { numRuns: 300 },
  );
});
