import { expect, test } from "bun:test";
import { OPTIONS } from "../../src/config/options.ts";

/** The Markdown table of all options, ending in a newline, as it stands in README.md between its `options` markers. */
function optionReference(): string {
  const rows = OPTIONS.map((option) => {
    const { short, long, argument, keys, section, fallback = "", help } = option;
    const value = argument === undefined ? "" : ` ${argument}`;
    const flags = [...(short === undefined ? [] : [`-${short}`]), `--${long}${value}`].map(code).join(", ");
    const places = section === undefined ? keys : [`[${section}]`];
    return [flags, places.map(code).join(", "), fallback, help];
  });
  const header = ["Option", "Key in the config file", "Default", "Meaning"];
  const table = [header, header.map(() => "---"), ...rows];
  return table.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}

function code(text: string): string {
  return `\`${text}\``;
}

test("README.md holds the reference of all options between its markers", async () => {
  const readme = await Bun.file(new URL("../../README.md", import.meta.url)).text();
  const table = /<!-- options -->\n([\s\S]*?)<!-- \/options -->/.exec(readme)?.[1];
  expect(table?.trim()).toBe(optionReference().trim());
});

test("the reference is a Markdown table with a row an option", () => {
  const rows = optionReference().trimEnd().split("\n");
  expect(rows).toHaveLength(OPTIONS.length + 2);
  for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  const key = "`mcast-gap-timeout`";
  expect(rows).toContainEqual(expect.stringContaining(`| \`--mcast-gap-timeout SECONDS\` | ${key} | 15 | `));
  expect(rows).toContainEqual(expect.stringContaining("| `-l`, `--listen [ADDR:]PORT` | `[bind]` | *:5140 | "));
  expect(rows).toContainEqual(expect.stringContaining("| `-U`, `--noudpxy` | `udpxy` | on | "));
});
