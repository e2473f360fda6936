/** What one process has loaded for all of them: each copy is in a file without a name, which the others open too. */
import { type FileReference, openReference, referenceTo } from "../system/unnamed-file.ts";
import { CopyFile, type OnMoved } from "./copy-file.ts";

export interface LoadedList {
  readonly kind: "list";
  /** Where the list came from. */
  readonly url: string;
  /** What its relative URLs are relative to. */
  readonly base: string;
  readonly file: FileReference;
}

/** What a guide is besides its bytes. */
export interface GuideFacts {
  /** Whether it came as gzip, and is published as such. */
  readonly isGzip: boolean;
  /** As it came. */
  readonly bytes: number;
  /** MD5 of it, in hex. */
  readonly md5: string;
  /** Of the file, which is gzip in any case. */
  readonly fileBytes: number;
}

export interface LoadedGuide {
  readonly kind: "guide";
  /** Where its parts came from; empty when no guide is named any more. */
  readonly urls: readonly string[];
  /** Undefined when there is none. */
  readonly guide: (GuideFacts & { readonly file: FileReference }) | undefined;
}

export type Loaded = LoadedList | LoadedGuide;

/** A list that others may read while `file` is open. */
export interface ListCopy {
  readonly file: CopyFile;
  readonly loaded: LoadedList;
}

/** @throws PlaylistError `no-room` */
export async function writeListCopy(
  { url, base }: Pick<LoadedList, "url" | "base">,
  bytes: Uint8Array,
  directory: string,
  onMoved: OnMoved,
): Promise<ListCopy> {
  const file = await CopyFile.create(directory, onMoved);
  try {
    await file.write(bytes);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, loaded: { kind: "list", url, base, file: referenceTo(file.handle) } };
}

/**
 * @returns undefined when the list has been replaced by a newer one
 * @throws when the file of another process cannot be opened
 */
export async function readListCopy({ file }: LoadedList): Promise<Buffer | undefined> {
  const handle = await openReference(file);
  if (!handle) return undefined;
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
