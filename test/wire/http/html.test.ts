import { expect, test } from "bun:test";
import fc from "fast-check";
import { escapeHtml } from "../../../src/wire/http/html.ts";

test("escapes what means something in elements and quoted attributes", () => {
  expect(escapeHtml(`<a href="x" id='y'>&amp;</a>`)).toBe(
    "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;",
  );
});

test("leaves nothing dangerous, and can be undone", () => {
  const text = fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "a", "é", "amp;", "#39;") });
  fc.assert(
    fc.property(text, (raw) => {
      const escaped = escapeHtml(raw);
      expect(escaped).not.toMatch(/[<>"']/);
      const undone = escaped.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => {
        return { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" }[name]!;
      });
      expect(undone).toBe(raw);
    }),
  );
});
