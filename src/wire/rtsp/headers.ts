/** Small headers of RTSP responses: `Session` and `Scale` (RFC 2326 section 12; rtsp.md sections 4, 5.5 and 10.3). */
import { trimBlanks } from "../text/blanks.ts";

interface SessionHeader {
  readonly id: string;
  /** Seconds without a request after which the server forgets the session; 1 or more. */
  readonly timeoutS: number | undefined;
}

const TIMEOUT = /; *timeout *= *"?([1-9]\d{0,8})(?!\d)/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/** Undefined for a session without a name. */
export function parseSession(value: string): SessionHeader | undefined {
  const id = trimBlanks(value.split(";", 1)[0]!);
  const timeout = TIMEOUT.exec(value)?.[1];
  return id === "" ? undefined : { id, timeoutS: timeout === undefined ? undefined : Number(timeout) };
}

/** `Scale`, the speed of playing: 1 is normal, negative is backwards. Undefined unless it is a plain decimal number. */
export function parseScale(value: string): number | undefined {
  const scale = DECIMAL.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(scale) ? scale : undefined;
}
