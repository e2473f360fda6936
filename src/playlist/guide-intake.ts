/** A guide from its first byte to a file that can be published: unpacked, as UTF-8, looked at (m3u.md section 9). */
import type { OnHelperProcess } from "../system/helper-process.ts";
import { CopyFile, type OnMoved } from "./copy-file.ts";
import { PlaylistError } from "./errors.ts";
import { checkGuide, type GuideCheck } from "./guide-check.ts";
import { GuideFile, MAX_FILE_BYTES } from "./guide-file.ts";
import { mergeGuides } from "./guide-merge.ts";
import { guideText } from "./guide-text.ts";
import { type Chunks, gzip, limited, peek } from "./streams.ts";
import { PACKING_HEAD_BYTES, type Packing, packingOf, unpack } from "./unpack.ts";

const HTML = /^(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)/i;

interface IntakeParts {
  readonly directory: string;
  readonly onMoved: OnMoved;
  readonly onProcess: OnHelperProcess;
  /** Of the document, unpacked. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

interface CheckedGuide {
  readonly file: GuideFile;
  readonly check: GuideCheck;
}

/** As it came. Its file is to be closed, if it is not given to `checkedGuide`. */
type StoredGuide =
  | { readonly file: GuideFile; readonly packing: undefined }
  /** In another way than as gzip. */
  | { readonly file: CopyFile; readonly packing: Packing };

/** While it comes. Throws PlaylistError. */
export async function storeGuide(body: Chunks, { directory, onMoved }: IntakeParts): Promise<StoredGuide> {
  const { head, chunks } = await peek(body, PACKING_HEAD_BYTES);
  if (head.length === 0) throw new PlaylistError("bad-content", "It is empty");
  if (HTML.test(head.toString("latin1"))) throw new PlaylistError("bad-content", "An HTML page, not a guide");
  const packing = packingOf(head);
  if (!packing) return { file: await GuideFile.write(chunks, directory, onMoved), packing };
  const file = await CopyFile.create(directory, onMoved);
  try {
    for await (const piece of limited(chunks, MAX_FILE_BYTES)) await file.write(piece);
    return { file, packing };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** When all of it is there. Throws PlaylistError, when it is no guide at all. */
export async function checkedGuide(stored: StoredGuide, parts: IntakeParts): Promise<CheckedGuide> {
  const { directory, onMoved, maxBytes, signal } = parts;
  let file = await unpacked(stored, parts);
  try {
    const check = await checkGuide(limited(file.plain(), maxBytes));
    signal.throwIfAborted();
    if (check.mend === "none") return { file, check };
    const document = check.mend === "text" ? (await guideText(file.plain())).chunks : whole(file);
    const mended = await GuideFile.write(file.isGzip ? gzip(document) : document, directory, onMoved);
    file.discard();
    file = mended;
    signal.throwIfAborted();
    return { file, check };
  } catch (error) {
    file.discard();
    throw error;
  }
}

async function unpacked({ file, packing }: StoredGuide, parts: IntakeParts): Promise<GuideFile> {
  if (!packing) return file;
  try {
    return await GuideFile.write(limited(unpack(packing, file, parts), parts.maxBytes), parts.directory, parts.onMoved);
  } finally {
    await file.close();
  }
}

/** What is whole of it, in a document that is. */
function whole(file: GuideFile): Chunks {
  return mergeGuides([{ name: "", plain: () => file.plain() }], () => {});
}
