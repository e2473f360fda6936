import { expect, test } from "bun:test";
import { type Diagnostic, logDiagnostics } from "../../src/config/diagnostic.ts";
import { createLog, LOG_DEBUG, LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN, type LogLevel } from "../../src/system/log.ts";

const LEVELS = [LOG_FATAL, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG] as const;

function logged(level: LogLevel, diagnostics: readonly Diagnostic[]): string {
  let text = "";
  const write = (line: string) => {
    text += line;
  };
  logDiagnostics(createLog({ level, prefix: "x", write, terminal: false }), diagnostics);
  return text;
}

test.each(LEVELS)("a diagnostic of level %d is written from there on, an error always", (level) => {
  const diagnostic = { level, message: "a" };
  for (const logLevel of LEVELS) {
    const isWritten = logLevel >= level || level === LOG_ERROR;
    expect(logged(logLevel, [diagnostic])).toBe(isWritten ? "[x] a\n" : "");
  }
});

test("the place stands behind the message", () => {
  expect(
    logged(LOG_ERROR, [
      { level: LOG_ERROR, message: "a", file: "f", line: 7 },
      { level: LOG_ERROR, message: "b", file: "f" },
    ]),
  ).toBe("[x] a (f line 7)\n[x] b\n");
});
