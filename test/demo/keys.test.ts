import { expect, test } from "bun:test";
import { join } from "node:path";
import { offerKeys, openInBrowser } from "../../src/demo/keys.ts";
import { until } from "../fakes/until.ts";

function terminal(changes: { stdin?: boolean; stdout?: boolean; isForeground?: boolean } = {}) {
  const { stdin = true, stdout = true, isForeground = true } = changes;
  const written: string[] = [];
  const modes: boolean[] = [];
  const done: string[] = [];
  let listener: (keys: Uint8Array) => void = () => {};
  const giveBack = offerKeys(
    {
      stdin: {
        isTTY: stdin,
        setRawMode: (isRaw) => modes.push(isRaw),
        on: (_event, given) => {
          listener = given;
        },
        resume: () => {},
      },
      stdout: { isTTY: stdout, write: (text) => written.push(text) },
      isForeground,
    },
    { open: () => done.push("open"), quit: () => done.push("quit") },
  );
  return { written, modes, done, giveBack, press: (keys: string) => listener(Buffer.from(keys)) };
}

test("on a terminal, keys open and quit, and the terminal is given back", () => {
  const { written, modes, done, giveBack, press } = terminal();
  expect(written).toEqual(["Press o to open the player in a browser, q to quit\n\n"]);
  expect(modes).toEqual([true]);
  press("o");
  press("xoO\x1b[A");
  press("q");
  press("\x03");
  expect(done).toEqual(["open", "open", "quit", "quit"]);
  giveBack();
  expect(modes).toEqual([true, false]);
});

test.each([{ stdin: false }, { stdout: false }, { isForeground: false }])(
  "elsewhere nothing is touched: %j",
  (changes) => {
    const { written, modes, done, giveBack, press } = terminal(changes);
    press("oq");
    giveBack();
    expect([written, modes, done]).toEqual([[], [], []]);
  },
);

test("without a program for it nothing is opened", () => {
  const asked: string[] = [];
  const which = (program: string) => {
    asked.push(program);
    return null;
  };
  expect(openInBrowser("http://localhost/", which)).toBe(false);
  expect(asked).toEqual(["xdg-open", "open"]);
});

test("the first program that is there gets the URL", async () => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { promise, resolve } = Promise.withResolvers<string>();
  server.reload({
    fetch: ({ url }) => {
      resolve(url);
      return new Response();
    },
  });
  const url = `http://127.0.0.1:${server.port}/player?a=b&c=$HOME`;
  expect(openInBrowser(url, (program) => (program === "open" ? Bun.which("curl") : null))).toBe(true);
  expect(await promise).toBe(url);
  await server.stop(true);
});

/** What a child process says of itself. */
const SAY = [
  process.execPath,
  "-e",
  `const { isForegroundProcess } = await import(${JSON.stringify(join(import.meta.dir, "../../src/demo/keys.ts"))});
  process.stdout.write(String(isForegroundProcess()));`,
];

test("a process that a terminal was given is in its foreground", async () => {
  const said: Buffer[] = [];
  const child = Bun.spawn(SAY, { terminal: { data: (_terminal, bytes) => void said.push(Buffer.from(bytes)) } });
  await child.exited;
  await until(() => said.length > 0, 1000, "its words");
  expect(Buffer.concat(said).toString()).toBe("true");
});

test("a process of a session without a terminal is not", async () => {
  const child = Bun.spawn(SAY, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  expect(await child.stdout.text()).toBe("false");
});
