import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ConfigLine, configLines } from "../../../src/wire/text/config-file.ts";

/** Each line as `number kind text`, or `number key=value`. */
function linesOf(text: string): string[] {
  return [...configLines(text)].map((line) =>
    line.kind === "parameter" ? `${line.line} ${line.key}=${line.value}` : `${line.line} ${line.kind} ${line.text}`,
  );
}

describe("parameters", () => {
  test.each([
    ["key = value", "2 key=value"],
    ["key=value", "2 key=value"],
    ["  Key\t=\t some value \t", "2 Key=some value"],
    ["key =", "2 key="],
    ["key = a=b", "2 key=a=b"],
    ["key = value # no comment ; none", "2 key=value # no comment ; none"],
    ['key = "quoted" \\n', '2 key="quoted" \\n'],
    ["key\u00a0= \u3000x", "2 key\u00a0=\u3000x"],
    ["key", "2 unrecognised key"],
    ["= value", "2 unrecognised = value"],
  ])("%p", (text, line) => {
    expect(linesOf(`[global]\n${text}`)).toEqual([line]);
  });

  test.each(["", "   ", "\t", "# key = value", "  ; key = value", "\v\f\r"])("%p is nothing", (text) => {
    expect(linesOf(`[global]\n${text}\n`)).toEqual([]);
  });

  test("a long line stays one line", () => {
    const value = "x".repeat(100_000);
    expect(linesOf(`[global]\nkey = ${value}${" ".repeat(100_000)}\nnext = 1`)).toEqual([`2 key=${value}`, "3 next=1"]);
  });
});

describe("sections", () => {
  test("have names in any case, may repeat, and text after the bracket is ignored", () => {
    const text = "[GLOBAL] x\na=1\n [ Bind ]\n* 80\n[services]#\n#EXTM3U\n[global]\nb=2";
    expect(linesOf(text)).toEqual(["2 a=1", "4 listener * 80", "6 service #EXTM3U", "8 b=2"]);
  });

  test("# is content in [services] only, and ; is too", () => {
    expect(linesOf("[services]\n#EXTINF\n;x\n[bind]\n#x\n;x\n* 80")).toEqual([
      "2 service #EXTINF",
      "3 service ;x",
      "7 listener * 80",
    ]);
  });

  test("of an unknown name hide their lines up to the next known one", () => {
    expect(linesOf("[global]\n[other]\na = 1\n[more]\nb = 2\n# c\n[global]\nd = 4")).toEqual([
      "2 unknown-section other",
      "4 unknown-section more",
      "8 d=4",
    ]);
  });

  test("without end are skipped", () => {
    expect(linesOf("[global]\n[bind\na = 1\n[")).toEqual([
      "2 unterminated-section [bind",
      "3 a=1",
      "4 unterminated-section [",
    ]);
  });

  test("are needed", () => {
    expect(linesOf("# comment\na = 1\n[]\nb = 2")).toEqual(["2 unrecognised a = 1", "3 unknown-section "]);
  });

  test("[bind] may hold addresses in brackets", () => {
    expect(linesOf("[bind]\n[::1] 80\n[global]\n[::1] 80\n")).toEqual(["2 listener [::1] 80", "4 unknown-section ::1"]);
    expect(linesOf("[bind]\n[::1 80\n")).toEqual(["2 unterminated-section [::1 80"]);
  });
});

const piece = fc.oneof(
  fc.constantFrom("[global]", "[bind]", "[services]", "[", "]", "=", "#", ";", " ", "\n", "\n", "#EXTM3U", "key", "::"),
  fc.string({ maxLength: 4, unit: "binary" }),
);
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

test("any text is split into lines of trimmed content, in order", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const source = text.split("\n");
      let last = 0;
      for (const line of configLines(text)) {
        expect(line.line).toBeGreaterThan(last);
        last = line.line;
        for (const part of partsOf(line)) {
          expect(part).not.toMatch(/^[ \t\v\f\r]|[ \t\v\f\r]$/);
          expect(source[last - 1]).toContain(part);
        }
      }
    }),
  );
});

test("random bytes never throw", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void [...configLines(new TextDecoder().decode(bytes))]));
});

test("line ends are LF or CRLF, and the last one may be missing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const lines = linesOf(text);
      expect(linesOf(text.replaceAll("\n", "\r\n"))).toEqual(lines);
      expect(linesOf(`${text}\n`)).toEqual(lines);
    }),
  );
});

function partsOf(line: ConfigLine): string[] {
  return line.kind === "parameter" ? [line.key, line.value] : [line.text];
}
