import { expect, test } from "bun:test";
import fc from "fast-check";
import { type GuideDocument, mergeGuides } from "../../src/playlist/guide-merge.ts";
import { collect } from "../../src/playlist/streams.ts";

function document(name: string, bytes: string | Uint8Array, size = 7): GuideDocument {
  const all = Buffer.from(bytes as string);
  return {
    name,
    async *plain() {
      for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
    },
  };
}

async function merge(...documents: GuideDocument[]): Promise<{ text: string; troubles: string[] }> {
  const troubles: string[] = [];
  const all = await collect(mergeGuides(documents, (name, reason) => troubles.push(`${name}: ${reason}`)));
  return { text: all.toString(), troubles };
}

const whole = (body: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${body}\n</tv>\n`;

test("the elements of all documents stand in one", async () => {
  const a = document(
    "a",
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tv SYSTEM "x">\n<tv a="b"><channel>一</channel></tv>',
  );
  const b = document("b", "<tv><programme>2</programme></tv>\n");
  expect(await merge(a, b)).toEqual({ text: whole("<channel>一</channel><programme>2</programme>"), troubles: [] });
});

test("one that is broken takes nothing from the others, and what it has is used", async () => {
  const failing: GuideDocument = {
    name: "f",
    async *plain() {
      yield Buffer.from(`<tv><!-- ${"x".repeat(1000)} --><channel>3</channel><channel>4`);
      throw new Error("unexpected end");
    },
  };
  const { text, troubles } = await merge(
    document("cut", "<tv><channel>1</channel><chan"),
    document("page", "<html><body>No</body></html>"),
    document("empty", ""),
    failing,
    document("good", "<tv><channel>5</channel></tv>"),
  );
  expect(text.replace(/<!--.*-->/, "")).toBe(whole("<channel>1</channel><channel>3</channel><channel>5</channel>"));
  expect(troubles).toEqual([
    "cut: it breaks off",
    "page: no XMLTV in it",
    "empty: no XMLTV in it",
    "f: unexpected end",
  ]);
});

test("other encodings become UTF-8, unknown ones are left out", async () => {
  const head = Buffer.from('<?xml version="1.0" encoding="GBK"?><tv><channel>');
  const gbk = document(
    "gbk",
    Buffer.concat([head, Buffer.from([0xb9, 0xe3, 0xb6, 0xab]), Buffer.from("</channel></tv>")]),
    1,
  );
  const strange = document("strange", '<?xml version="1.0" encoding="klingon"?><tv><channel>1</channel></tv>');
  const { text, troubles } = await merge(gbk, strange);
  expect(text).toBe(whole("<channel>广东</channel>"));
  expect(troubles).toHaveLength(1);
});

test("how documents come in pieces changes nothing", async () => {
  const element = fc.constantFrom(
    "<channel id='1'>x</channel>",
    "<programme><title>&lt;</title></programme>",
    "<!-- </tv> -->",
    " ",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(element)), fc.integer({ min: 1, max: 20 }), async (bodies, size) => {
      const documents = bodies.map((body, i) => document(`${i}`, `<tv>${body.join("")}</tv>`, size));
      expect(await merge(...documents)).toEqual({ text: whole(bodies.flat().join("")), troubles: [] });
    }),
  );
});
