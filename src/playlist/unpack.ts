/** Guides that come packed in another way than as gzip: how it is told, and what unpacks them (m3u.md section 9). */
import type { FileHandle } from "node:fs/promises";
import { filtered, installed } from "../system/filter-program.ts";
import type { OnHelperProcess } from "../system/helper-process.ts";
import {
  ZIP_DEFLATED,
  ZIP_END_MAX_BYTES,
  ZIP_LOCAL_HEADER_BYTES,
  ZIP_STORED,
  type ZipEntry,
  zipDataOffset,
  zipDirectory,
  zipEntries,
} from "../wire/zip/directory.ts";
import { type CopyFile, readPieces } from "./copy-file.ts";
import { PlaylistError } from "./errors.ts";
import { type Chunks, inflateRaw, limited, unpackStream } from "./streams.ts";

/** Of the directory of a ZIP file. */
const MAX_DIRECTORY_BYTES = 1024 * 1024;
const PROGRAM_MS = 120_000;
/** Its highest level wants 65 MiB. */
const XZ_MEMORY = "--memlimit-decompress=128MiB";

/** So many first bytes tell how something is packed. */
export const PACKING_HEAD_BYTES = 262;

interface Program {
  readonly commands: readonly (readonly string[])[];
  /** The packages that have it. */
  readonly packages: string;
}

const XZ: Program = { commands: [["xz", "-dc"], ["xzcat"]], packages: "xz-utils or xz" };
const BZIP2: Program = { commands: [["bzip2", "-dc"], ["bzcat"]], packages: "bzip2" };

export interface Packing {
  readonly name: string;
  readonly magic: readonly number[];
  readonly at?: number;
  readonly by?: Program | "zip" | "zstd" | "zlib";
}

/** Where nothing unpacks it, it is refused by its name. */
const PACKINGS: readonly Packing[] = [
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], by: XZ },
  { name: "lzma", magic: [0x5d, 0x00, 0x00], by: XZ },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], by: BZIP2 },
  { name: "zip", magic: [0x50, 0x4b, 0x03, 0x04], by: "zip" },
  { name: "zip", magic: [0x50, 0x4b, 0x05, 0x06], by: "zip" },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], by: "zstd" },
  { name: "deflate", magic: [0x78, 0x01], by: "zlib" },
  { name: "deflate", magic: [0x78, 0x5e], by: "zlib" },
  { name: "deflate", magic: [0x78, 0x9c], by: "zlib" },
  { name: "deflate", magic: [0x78, 0xda], by: "zlib" },
  { name: "7z", magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { name: "rar", magic: [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07] },
  { name: "lz4", magic: [0x04, 0x22, 0x4d, 0x18] },
  { name: "lzip", magic: [0x4c, 0x5a, 0x49, 0x50] },
  { name: "compress (.Z)", magic: [0x1f, 0x9d] },
  { name: "tar", magic: [0x75, 0x73, 0x74, 0x61, 0x72], at: 257 },
];

/** Undefined when it is not packed, or as gzip. */
export function packingOf(head: Uint8Array): Packing | undefined {
  return PACKINGS.find(({ magic, at = 0 }) => magic.every((byte, i) => head[at + i] === byte));
}

interface UnpackParts {
  readonly onProcess: OnHelperProcess;
  readonly signal: AbortSignal;
}

/** Reads what is in `file`. Throws PlaylistError `bad-content`, sometimes only when it is read. */
export function unpack(packing: Packing, file: CopyFile, parts: UnpackParts): Chunks {
  const { name, by } = packing;
  if (by === undefined) throw new PlaylistError("bad-content", `A ${name} file, which cannot be unpacked`);
  if (by === "zip") return unzip(file);
  if (by === "zstd" || by === "zlib") return unpackStream(readPieces(file.handle, 0, file.bytes), by);
  const command = installed(by.commands);
  if (!command) {
    const what = `A ${name} file, and no program ${by.commands[0]![0]} to unpack it`;
    throw new PlaylistError("bad-content", `${what}: install the package ${by.packages}, or name a gzip file`);
  }
  return withProgram(name, command, file, parts);
}

async function* withProgram(name: string, command: readonly string[], file: CopyFile, parts: UnpackParts): Chunks {
  try {
    yield* filtered(file.handle.fd, command, { timeoutMs: PROGRAM_MS, env: { XZ_DEFAULTS: XZ_MEMORY }, ...parts });
  } catch (error) {
    parts.signal.throwIfAborted();
    throw new PlaylistError("bad-content", `Broken ${name} data: ${error instanceof Error ? error.message : error}`);
  }
}

/** The guide in it: a file whose name says so, else the largest. */
async function* unzip({ handle, bytes }: CopyFile): Chunks {
  const tailAt = Math.max(0, bytes - ZIP_END_MAX_BYTES);
  const directory = zipDirectory(await readAt(handle, tailAt, bytes - tailAt));
  if (!directory || directory.at + directory.bytes > bytes) throw brokenZip("it breaks off");
  if (directory.bytes > MAX_DIRECTORY_BYTES) throw brokenZip("too many files in it");
  const entry = guideEntry(zipEntries(await readAt(handle, directory.at, directory.bytes)));
  if (!entry) throw brokenZip("no file in it");
  if (entry.isEncrypted) throw new PlaylistError("bad-content", "A zip file with a password");
  const { method, packedBytes, at, crc32 } = entry;
  if (method !== ZIP_STORED && method !== ZIP_DEFLATED) throw brokenZip(`its method ${method} is not known`);
  const offset = zipDataOffset(await readAt(handle, at, ZIP_LOCAL_HEADER_BYTES));
  if (offset === undefined || at + offset + packedBytes > bytes) throw brokenZip("it breaks off");
  const packed = readPieces(handle, at + offset, at + offset + packedBytes);
  const zlib = process.getBuiltinModule("node:zlib");
  let sum = 0;
  for await (const chunk of limited(method === ZIP_STORED ? packed : inflateRaw(packed), entry.bytes)) {
    sum = zlib.crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== crc32) throw brokenZip("its check sum is wrong");
}

function guideEntry(entries: readonly ZipEntry[]): ZipEntry | undefined {
  const files = entries.filter(({ name, bytes }) => bytes > 0 && !name.startsWith("__MACOSX/"));
  const named = files.filter(({ name }) => /\.(?:xml|xmltv)(?:\.gz)?$/i.test(name));
  return (named.length > 0 ? named : files).toSorted((a, b) => b.bytes - a.bytes)[0];
}

function brokenZip(reason: string): PlaylistError {
  return new PlaylistError("bad-content", `Broken zip data: ${reason}`);
}

async function readAt(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const area = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(area, 0, bytes, at);
  return area.subarray(0, bytesRead);
}
