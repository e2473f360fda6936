/** Search, links and typed numbers: the ways to a channel. */
import { describe, expect, test } from "bun:test";
import { findLinked, linkToken } from "../../src/web/player/deep-link.ts";
import { addDigit, enteredNumber } from "../../src/web/player/number-entry.ts";
import { readPlaylist } from "../../src/web/player/playlist.ts";
import { searchChannels } from "../../src/web/player/search.ts";
import { channels } from "./channels.ts";

describe("searchChannels", () => {
  const all = channels(
    ...Array.from({ length: 32 }, (_, i) => (i === 4 ? "Channel 2" : `Sender ${String.fromCharCode(65 + i)}`)),
  );
  const numbers = (text: string) => searchChannels(all, text, undefined).map(({ number }) => number);

  test("exact number, then prefix, then substring, then names", () => {
    // The last one is named "Channel 2".
    expect(numbers("2")).toEqual([2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 12, 32, 5]);
  });

  test("names without regard to case; blanks around do not count", () => {
    expect(numbers("  cHANnel ")).toEqual([5]);
    expect(numbers("nothing")).toEqual([]);
    expect(numbers(" ")).toHaveLength(32);
  });

  test("combines with the group", () => {
    const grouped = readPlaylist('#EXTINF:-1 group-title="A",x1\n/1\n#EXTINF:-1 group-title="B",x2\n/2').channels;
    expect(searchChannels(grouped, "x", "B").map(({ number }) => number)).toEqual([2]);
  });
});

describe("deep links", () => {
  const all = channels("News", "3", "Films", "news ", "Ünï & c#");

  test("a number wins over a name, a name has no case", () => {
    expect(findLinked(all, "#3")?.name).toBe("Films");
    expect(findLinked(all, "#%20fILMS%20")?.number).toBe(3);
    expect(findLinked(all, "#News")?.number).toBe(1);
    expect(findLinked(all, "#%E0%A4%A")).toBeUndefined();
    expect(findLinked(all, "")).toBeUndefined();
  });

  test("shows the name where it leads back, else the number", () => {
    expect(all.map((channel) => linkToken(all, channel))).toEqual([
      "1",
      "2",
      "Films",
      "4",
      "%C3%9Cn%C3%AF%20%26%20c%23",
    ]);
    for (const channel of all) expect(findLinked(all, linkToken(all, channel))).toBe(channel);
  });
});

test("typed numbers: leading zeros count for nothing, what is too long starts anew", () => {
  expect([..."007"].reduce(addDigit, "")).toBe("007");
  expect(enteredNumber("007")).toBe(7);
  expect(enteredNumber("0")).toBeUndefined();
  expect(enteredNumber("")).toBeUndefined();
  expect([..."1234567"].reduce(addDigit, "")).toBe("7");
});
