import { expect, test } from "bun:test";
import { optionReference } from "../../src/cli/help.ts";

test("README.md holds the reference of all options between its markers", async () => {
  const readme = await Bun.file(new URL("../../README.md", import.meta.url)).text();
  const table = /<!-- options -->\n([\s\S]*?)<!-- \/options -->/.exec(readme)?.[1];
  expect(table?.trim()).toBe(optionReference().trim());
});
