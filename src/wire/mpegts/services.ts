/** Names of services: the service description table (ETSI EN 300 468 sections 5.2.3 and 6.2.33). */
import { dvbText } from "./dvb-text.ts";

export const SDT_PID = 0x11;
/** service_description_section of this transport stream; 0x46 is of others. */
const TABLE_SDT = 0x42;
const FIRST_SERVICE = 11;
const SERVICE_HEADER_BYTES = 5;
const CRC_BYTES = 4;
const SERVICE_DESCRIPTOR = 0x48;

export interface Service {
  /** service_id, which is the program_number. */
  readonly number: number;
  readonly name: string;
  readonly provider: string;
}

/** Of one section of an SDT that applies now; undefined for anything else. */
export function parseSdt(section: Uint8Array): Service[] | undefined {
  if (section[0] !== TABLE_SDT || (section[5]! & 0x01) === 0) return undefined;
  const end = section.length - CRC_BYTES;
  const services: Service[] = [];
  for (let at = FIRST_SERVICE; at + SERVICE_HEADER_BYTES <= end; ) {
    const number = (section[at]! << 8) | section[at + 1]!;
    const start = at + SERVICE_HEADER_BYTES;
    at = start + (((section[at + 3]! & 0x0f) << 8) | section[at + 4]!);
    services.push({ number, ...namesIn(section.subarray(start, Math.min(at, end))) });
  }
  return services;
}

function namesIn(descriptors: Uint8Array): Pick<Service, "name" | "provider"> {
  for (const [tag, body] of descriptorsIn(descriptors)) {
    if (tag !== SERVICE_DESCRIPTOR) continue;
    const providerEnd = 2 + (body[1] ?? 0);
    const nameEnd = providerEnd + 1 + (body[providerEnd] ?? 0);
    return {
      provider: dvbText(body.subarray(2, providerEnd)),
      name: dvbText(body.subarray(providerEnd + 1, nameEnd)),
    };
  }
  return { name: "", provider: "" };
}

/** descriptor_tag and what the descriptor holds, one after the other; one that is cut short ends where the bytes do. */
export function* descriptorsIn(bytes: Uint8Array): Generator<readonly [tag: number, body: Uint8Array]> {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const next = at + 2 + bytes[at + 1]!;
    yield [bytes[at]!, bytes.subarray(at + 2, Math.min(next, bytes.length))];
    at = next;
  }
}
