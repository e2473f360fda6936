import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ChunkedDecoder } from "../../../src/wire/http/chunked.ts";
import { eachByte } from "../pieces.ts";

const MAX_TRAILER_BYTES = 8192;
const MAX_SIZE_LINE_BYTES = 4096;

interface Result {
  status: ChunkedDecoder["status"];
  consumed: number;
  data: string;
}

function decodePieces(pieces: readonly Uint8Array[]): Result {
  const decoder = new ChunkedDecoder();
  let consumed = 0;
  let data = "";
  const sink = {
    chunkData(piece: Uint8Array, start: number, length: number) {
      expect(length).toBeGreaterThan(0);
      data += Buffer.from(piece.subarray(start, start + length)).toString("latin1");
    },
  };
  for (const piece of pieces) consumed += decoder.push(piece, sink);
  return { status: decoder.status, consumed, data };
}

const decode = (text: string) => decodePieces([Buffer.from(text, "latin1")]);

describe("a complete body", () => {
  test.each<[text: string, data: string]>([
    ["0\r\n\r\n", ""],
    ["000\r\n\r\n", ""],
    ["5\r\nhello\r\n0\r\n\r\n", "hello"],
    ['a\r\n0123456789\r\nA;x="y";\xe4\t\r\n9876543210\r\n0;z\r\n\r\n', "01234567899876543210"],
    [`${"0".repeat(100)}1\r\n\r\r\n0\r\n\r\n`, "\r"],
    ["2\r\n\r\n\r\n0\r\nA: 1\r\nB\r\n\r\n", "\r\n"],
    ["5     \r\nhello\r\n0     \r\n\r\n", "hello"],
    [" \t5\t\r\nhello\r\n 0\r\n\r\n", "hello"],
    ['5 ; a="b c"\r\nhello\r\n0 ;\r\n\r\n', "hello"],
    ["5 five\r\nhello\r\n0\r\n\r\n", "hello"],
    ["5, five\r\nhello\r\n0x0\r\n\r\n", "hello"],
    ["0X0005g\r\nhello\r\n0\r\n\r\n", "hello"],
    ["5\nhello\n0\n\n", "hello"],
    ["5;a\nhello\r\n0\r\n\n", "hello"],
    ["5\r\nhello\n0\nA: 1\n\r\n", "hello"],
  ])("%j", (text, data) => {
    expect(decode(`${text}next`)).toEqual({ status: "complete", consumed: text.length, data });
  });

  test("may have lines as long as the limits", () => {
    const line = `1;${"x".repeat(MAX_SIZE_LINE_BYTES - 4)}\r\n`;
    const trailer = `${"x".repeat(MAX_TRAILER_BYTES - 4)}\r\n\r\n`;
    expect(decode(`${line}a\r\n${line}b\r\n0\r\n${trailer}`)).toMatchObject({ status: "complete", data: "ab" });
  });

  test("takes no bytes after its end", () => {
    const decoder = new ChunkedDecoder();
    expect(decoder.push(Buffer.from("0\r\n\r\n"))).toBe(5);
    expect(decoder.push(Buffer.from("0\r\n\r\n"))).toBe(0);
    expect(decoder.status).toBe("complete");
  });
});

/** The last byte of each text is the wrong one. */
test.each<[what: string, text: string]>([
  ["no size", "\r"],
  ["an extension without size", ";"],
  ["a size that is no number", "g"],
  ["a sign", "+"],
  ["a prefix alone", "0x\r"],
  ["two prefixes", "0xx"],
  ["a sign behind blanks", " +"],
  ["a control character behind the size", "5 \x7f"],
  ["a size of 2^53", "20000000000000"],
  ["an enormous size", "f".repeat(14)],
  ["no size before a bare LF", "\n"],
  ["a bare CR behind the size", "5\rh"],
  ["a control character in an extension", "5;\x7f"],
  ["a size line too long by one byte", `1;${"x".repeat(MAX_SIZE_LINE_BYTES - 3)}\r\n`],
  ["an endless size", "0".repeat(MAX_SIZE_LINE_BYTES + 1)],
  ["a long line behind a chunk", `1\r\na\r\n1;${"x".repeat(MAX_SIZE_LINE_BYTES - 3)}\r\n`],
  ["data that goes on", "1\r\nab"],
  ["data that ends in a bare CR", "1\r\na\r0"],
  ["a bare CR for the last line", "0\r\n\r\r"],
  ["a bare CR in the trailer", "0\r\nA\r\r"],
  ["a control character in the trailer", "0\r\nA: \0"],
  ["a trailer too long by one byte", `0\r\n${"x".repeat(MAX_TRAILER_BYTES - 3)}\r\n\r\n`],
])("%s fails", (_, text) => {
  expect(decode(text.slice(0, -1)).status).toBe("open");
  const { status, consumed } = decode(`${text}0\r\n\r\n`);
  expect({ status, consumed }).toEqual({ status: "failed", consumed: text.length });
});

test.each<[text: string, isBetween: boolean]>([
  ["", true],
  ["1\r\na", true],
  ["1\r\na\r", true],
  ["1\r\na\r\n", true],
  ["1\r\na\r\n0", true],
  ["1\r\na\r\n0\r\n", true],
  ["1\r\na\r\n0\r\nA: 1", true],
  ["1\r\na\r\n0\r\n\r\n", true],
  ["1", false],
  ["1\r\n", false],
  ["2\r\na", false],
  ["1\r\na\r\n2;x", false],
  ["x", false],
])("whether all that was announced has come of %j: %p", (text, isBetween) => {
  const decoder = new ChunkedDecoder();
  decoder.push(Buffer.from(text));
  expect(decoder.isBetweenChunks).toBe(isBetween);
});

describe("for all bytes", () => {
  const extension = fc.constantFrom("", ";", ";a", ";a=b", ';a="b\t"');
  const size = (length: number, pad: string, upper: boolean) =>
    pad + (upper ? length.toString(16).toUpperCase() : length.toString(16));
  const chunk = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((data) => Buffer.from(data).toString("latin1")),
    extension,
    fc.constantFrom("", "0", "000"),
    fc.boolean(),
  );
  const trailer = fc.array(fc.constantFrom("A: 1\r\n", "B:\r\n"), { maxLength: 3 }).map((lines) => lines.join(""));
  const body = fc.tuple(fc.array(chunk, { maxLength: 6 }), extension, trailer).map(([chunks, ext, tail]) => ({
    data: chunks.map(([data]) => data).join(""),
    text: `${chunks.map(([data, e, pad, upper]) => `${size(data.length, pad, upper)}${e}\r\n${data}\r\n`).join("")}0${ext}\r\n${tail}\r\n`,
  }));
  const fragment = fc.constantFrom("0", "1", "2", "\r\n", "\r\n", "\r", "\n", ";", "A", "x\r\n", "0\r\n\r\n");
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(fragment, { maxLength: 20 }).map((parts) => Uint8Array.from(Buffer.from(parts.join("")))),
    fc.tuple(body, fc.nat(), fc.nat(255)).map(([{ text }, place, byte]) => {
      const all = Uint8Array.from(Buffer.from(text, "latin1"));
      all[place % all.length] = byte;
      return all;
    }),
  );

  test("an emitted body decodes to its data", () => {
    fc.assert(
      fc.property(body, ({ data, text }) => {
        expect(decode(`${text}0`)).toEqual({ status: "complete", consumed: text.length, data });
        expect(decode(text.slice(0, -1)).status).toBe("open");
      }),
    );
  });

  test("random and truncated bytes never throw", () => {
    fc.assert(
      fc.property(bytes, fc.nat(60), (all, length) => {
        decodePieces([all]);
        decodePieces([all.subarray(0, length)]);
      }),
    );
  });

  test("split at every byte and at any place gives the same result", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          body.map(({ text }) => Buffer.from(text, "latin1")),
        ),
        fc.nat(),
        (all, cut) => {
          const whole = decodePieces([all]);
          expect(decodePieces(eachByte(all))).toEqual(whole);
          const at = cut % (all.length + 1);
          expect(decodePieces([all.subarray(0, at), all.subarray(at)])).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a decoder without a sink finds the same end", () => {
    fc.assert(
      fc.property(bytes, (all) => {
        const decoder = new ChunkedDecoder();
        const consumed = decoder.push(all);
        const { data: _, ...wanted } = decodePieces([all]);
        expect({ status: decoder.status, consumed }).toEqual(wanted);
      }),
    );
  });
});
