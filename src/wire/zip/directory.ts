/** The central directory of a ZIP file: what is in it, and where (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16). Without ZIP64. */

export const ZIP_STORED = 0;
export const ZIP_DEFLATED = 8;

/** Of the end record with the longest comment: it stands within so many last bytes of the file. */
export const ZIP_END_MAX_BYTES = 22 + 0xffff;
export const ZIP_LOCAL_HEADER_BYTES = 30;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const END_SIGN = 0x06054b50;
const ENTRY_SIGN = 0x02014b50;
const LOCAL_SIGN = 0x04034b50;
/** Stands for a number that only ZIP64 can hold. */
const ELSEWHERE = 0xffffffff;

interface ZipDirectory {
  readonly at: number;
  readonly bytes: number;
}

export interface ZipEntry {
  /** As a byte string: it may be in any encoding. */
  readonly name: string;
  readonly isEncrypted: boolean;
  /** `ZIP_STORED`, `ZIP_DEFLATED` or another one. */
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its local header begins. */
  readonly at: number;
}

/** Found in the last bytes of the file; undefined when it is no ZIP file, or has no end. */
export function zipDirectory(tail: Buffer): ZipDirectory | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGN || at + END_BYTES + tail.readUInt16LE(at + 20) > tail.length) continue;
    const directory = { bytes: tail.readUInt32LE(at + 12), at: tail.readUInt32LE(at + 16) };
    return directory.at === ELSEWHERE ? undefined : directory;
  }
  return undefined;
}

/** As many as are whole. */
export function zipEntries(directory: Buffer): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= directory.length && directory.readUInt32LE(at) === ENTRY_SIGN; ) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const name = directory.toString("latin1", at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    if (name.length < nameBytes) break;
    const entry = {
      name,
      isEncrypted: (directory.readUInt16LE(at + 8) & 1) !== 0,
      method: directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      at: directory.readUInt32LE(at + 42),
    };
    if (![entry.packedBytes, entry.bytes, entry.at].includes(ELSEWHERE)) entries.push(entry);
    at += ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** How far behind the beginning of an entry's local header its data begins; undefined when it is no such header. */
export function zipDataOffset(localHeader: Buffer): number | undefined {
  if (localHeader.length < ZIP_LOCAL_HEADER_BYTES || localHeader.readUInt32LE(0) !== LOCAL_SIGN) return undefined;
  return ZIP_LOCAL_HEADER_BYTES + localHeader.readUInt16LE(26) + localHeader.readUInt16LE(28);
}
