import { expect, test } from "bun:test";
import { configText } from "../../src/config/config-text.ts";
import { loadText } from "./files.ts";
import { SAMPLES } from "./samples.ts";

test.each(Object.entries(SAMPLES))("the %s settings are read back", (_name, sample) => {
  const { settings } = loadText(sample);
  const text = configText(settings);
  const again = loadText(text);
  // A host that cannot be read is kept, and told again: it admits nobody.
  expect(again.diagnostics.filter(({ message }) => !message.startsWith("Invalid hostname!"))).toEqual([]);
  expect({ ...again.settings, given: settings.given }).toEqual(settings);
  expect(configText(again.settings)).toBe(text);
});

test("a key without a value is a comment", () => {
  expect(configText(loadText("#").settings)).toContain("\n# udp-rcvbuf-size =\n");
  expect(configText(loadText("[global]\nffmpeg-args =").settings)).toContain("\nffmpeg-args =\n");
});

test("the playlist is there when there is one", () => {
  expect(configText(loadText("#").settings)).not.toContain("[services]");
  expect(configText(loadText("[services]\n#EXTM3U").settings)).toEndWith("\n\n[services]\n#EXTM3U\n");
});
