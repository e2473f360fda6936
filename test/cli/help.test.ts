import { expect, test } from "bun:test";
import manifest from "../../package.json";
import { usageText, versionText } from "../../src/cli/help.ts";
import { OPTIONS } from "../../src/config/options.ts";

test("the version is that of the package", () => {
  expect(versionText()).toBe(`sluice ${manifest.version}\n`);
});

test("the usage text has one line an option, with its default", () => {
  const lines = usageText().split("\n");
  expect(lines[0]).toBe(`sluice ${manifest.version}`);
  for (const { long, help } of OPTIONS) {
    expect(lines.filter((line) => line.includes(`--${long} `) && line.includes(help))).toHaveLength(1);
  }
  const optionLines = lines.slice(lines.indexOf("Options:") + 1, -1);
  expect(optionLines).toHaveLength(OPTIONS.length);
  const columns = optionLines.map((line, index) => line.indexOf(OPTIONS[index]?.help ?? "missing"));
  expect(new Set(columns).size).toBe(1);
  expect(usageText()).toMatch(/^ {2}-l, --listen \[ADDR:\]PORT +\S.* \(default: \*:5140\)$/m);
  expect(usageText()).toMatch(/^ {2}-B, .* \(default: 4 MiB, or what the system allows\)$/m);
  expect(usageText()).toMatch(/^ {6}--no-fast-start .* \(default: fast-start on\)$/m);
  expect(usageText()).toMatch(/^ {2}-X, --xff .* \(default: off\)$/m);
  expect(usageText()).toMatch(/^ {2}-c, --config FILE .* \(default: the first of \/etc\/sluice\.conf, /m);
  expect(usageText()).toMatch(/^ {2}-q, --quiet +[^(]*$/m);
});
