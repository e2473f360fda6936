import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CopyFile } from "../../src/playlist/copy-file.ts";

const SOURCE = join(import.meta.dir, "../../src/playlist/copy-file.ts");
const NOWHERE = "/nonexistent/folder";
const PIECE = randomBytes(1024 * 1024);
const MEMORY_PIECES = 32;

async function inMemory(): Promise<{ file: CopyFile; moves: string[] }> {
  const moves: string[] = [];
  return { file: await CopyFile.create(NOWHERE, (place) => moves.push(place), []), moves };
}

test("without any folder a copy is in memory", async () => {
  const { file, moves } = await inMemory();
  await file.write(PIECE.subarray(0, 1000));
  await file.write(PIECE.subarray(1000));
  expect(file.bytes).toBe(PIECE.length);
  expect(await file.handle.readFile()).toEqual(PIECE);
  expect(moves).toEqual([`kept in memory (${NOWHERE}: no such file or directory)`]);
  await file.close();
});

test("memory is limited for all copies together, and free again when they are closed", async () => {
  const [{ file: one }, { file: two }] = [await inMemory(), await inMemory()];
  for (let i = 0; i < MEMORY_PIECES / 2; i++) for (const file of [one, two]) await file.write(PIECE);
  const refusal = one.write(PIECE.subarray(0, 1));
  expect(refusal).rejects.toMatchObject({ code: "no-room" });
  expect(refusal).rejects.toThrow(
    `No room for it: ${NOWHERE}: no such file or directory; memory for such copies is 33554432`,
  );
  await two.close();
  await one.write(PIECE.subarray(0, 1));
  await one.close();
});

/** Writes 1 MiB where less fits, and prints where it is then. */
const FILL = `
  const { CopyFile } = await import("${SOURCE}");
  const { randomBytes } = await import("node:crypto");
  const bytes = randomBytes(1024 * 1024);
  const [first, second] = process.argv.slice(-2);
  const moves = [];
  const file = await CopyFile.create(first, (place) => moves.push(place), [second]);
  for (let at = 0; at < bytes.length; at += 50_000) await file.write(bytes.subarray(at, at + 50_000));
  console.log(JSON.stringify({ moves, isWhole: bytes.equals(await file.handle.readFile()) }));
`;

/** Mounts a small file system at each folder, for the child alone. */
function fill(first: string, second: string, sizes: readonly [first: string, second: string]) {
  const unshare = process.getuid?.() === 0 ? ["unshare", "-m"] : ["unshare", "-Urm"];
  const mounts = [first, second].map((folder, i) => `mount -t tmpfs -o size=${sizes[i]} none ${folder}`);
  const script = `${mounts.join(" && ")} || exit 99; exec "$@"`;
  const command = [...unshare, "sh", "-c", script, "sh", process.execPath, "-e", FILL, first, second];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  return { exitCode, output: stdout.toString(), errors: stderr.toString() };
}

const [first, second] = ["a", "b"].map((name) => mkdtempSync(join(tmpdir(), `sluice-copy-${name}-`))) as [
  string,
  string,
];
process.on("exit", () => [first, second].map((folder) => rmdirSync(folder)));
const canMount = process.env["CI"] === "true" || fill(first, second, ["2m", "2m"]).exitCode !== 99;

test.skipIf(!canMount)("what does not fit moves on, with what is written", () => {
  const full = (folder: string) => `${folder}: no space left on device`;
  expect(fill(first, second, ["256k", "4m"])).toMatchObject({
    errors: "",
    output: `${JSON.stringify({ moves: [`kept in ${second} (${full(first)})`], isWhole: true })}\n`,
  });
  const { output, errors } = fill(first, second, ["256k", "128k"]);
  expect(errors).toBe("");
  expect(JSON.parse(output)).toEqual({ moves: [`kept in memory (${full(first)}; ${full(second)})`], isWhole: true });
  expect(JSON.parse(fill(first, second, ["256k", "512k"]).output)).toEqual({
    moves: [`kept in ${second} (${full(first)})`, `kept in memory (${full(first)}; ${full(second)})`],
    isWhole: true,
  });
});
