import { describe, expect, test } from "bun:test";
import { checkConfig } from "../../src/cli/config-check.ts";
import { type Files, readerOf } from "../config/files.ts";

function check(path: string | undefined, files: Files) {
  const outcome = { status: 0, stdout: "", stderr: "" };
  outcome.status = checkConfig(path, {
    stdout: (text) => {
      outcome.stdout += text;
    },
    stderr: (text) => {
      outcome.stderr += text;
    },
    readFile: readerOf(files),
  });
  return outcome;
}

test("a good file is shown with everything it does not say", () => {
  const { status, stdout, stderr } = check("a.conf", { "a.conf": "[global]\nxff = 1\n[bind]\n* 80\n" });
  expect(status).toBe(0);
  expect(stderr).toBe("");
  expect(stdout).toStartWith("[global]\nworkers = 1\n");
  expect(stdout).toContain("\nxff = on\n");
  expect(stdout).toEndWith("\n\n[bind]\n* 80\n");
});

test("what is shown is a good file", () => {
  const { stdout } = check("a", { a: "[bind]\n/run/x\n[services]\n#EXTM3U\nrtp://239.0.0.1:1\n[global]\nxff=1" });
  expect(check("b", { b: stdout })).toEqual({ status: 0, stdout, stderr: "" });
});

test("every diagnostic has file and line", () => {
  const text = "[global]\nmaxclients = 0\nxff = on\n[bind]\nhost\n* 5140\n[services]\nname = x\n";
  const { status, stdout, stderr } = check("a.conf", { "a.conf": text });
  expect(status).toBe(1);
  expect(stderr).toBe(`a.conf:2: error: Invalid maxclients! Must be between 1 and 65535. Ignoring.
a.conf:5: error: Invalid TCP bind address line: missing port for host
a.conf:8: note: Ignoring unparsable line in [services]: 'name = x'
`);
  expect(stdout).toContain("\nxff = on\n");
});

test("a level that is none hides nothing", () => {
  expect(check("a", { a: "[global]\nverbosity = loud\nport = 80\n" })).toMatchObject({
    status: 1,
    stderr: `a:2: error: Invalid verbosity value: loud! Must be 0 to 4, or fatal, error, warn, info, debug. Ignoring.
a:3: error: Unknown config parameter: port; addresses to listen on are lines of [bind], such as "* 5140"
`,
  });
});

test("what this machine does not have is noted, and no fault of the file", () => {
  const { status, stderr } = check("a", { a: "[global]\nupstream-interface = nosuch0\n" });
  expect(status).toBe(0);
  expect(stderr).toStartWith("a: note: upstream-interface: interface nosuch0 does not exist (now); there ");
});

describe("what is wrong with a file as a whole", () => {
  test("is told with its name", () => {
    const text = "[global]\nzerocopy-on-send = 1\n[bind]\n/run/x\n/run/x\n";
    expect(check("a.conf", { "a.conf": text })).toMatchObject({
      status: 1,
      stderr: `a.conf: warning: Zero-copy send disabled because Unix socket listener is configured
a.conf: error: Duplicate Unix socket listener path: /run/x
`,
    });
  });

  test("is enough to fail", () => {
    expect(check("a.conf", { "a.conf": "[bind]\n/run/x\n/run/x\n" })).toMatchObject({
      status: 1,
      stderr: "a.conf: error: Duplicate Unix socket listener path: /run/x\n",
    });
  });

  test("may be that it is not there", () => {
    expect(check("a.conf", { "/etc/sluice.conf": "" })).toEqual({
      status: 1,
      stdout: "",
      stderr: "a.conf: error: Cannot open config file a.conf: no such file or directory\n",
    });
    expect(check(undefined, {})).toEqual({ status: 1, stdout: "", stderr: "warning: No config file found\n" });
  });
});
