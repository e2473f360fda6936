/** What the just-in-time compiler spends its time on: measured, and kept from costing more than it gains. */
import { noFTL } from "bun:jsc";
import { Connection } from "../http/connection.ts";
import { SendQueue } from "../http/send-queue.ts";
import { Cursor } from "../relay/cursor.ts";
import { FanOut } from "../relay/fan-out.ts";
import { consumerLimit, SlowClientDetector } from "../relay/limit.ts";
import { Ring } from "../relay/ring.ts";
import { RingMemory } from "../relay/ring-memory.ts";
import { Stream } from "../relay/stream.ts";
import { UnitIndex } from "../relay/unit-index.ts";
import { isWriteDue, writeAgeMs } from "../relay/write-policy.ts";
import { MediaClient } from "../routes/media-client.ts";
import { GroupReceiver } from "../upstream/multicast/group-receiver.ts";
import { MulticastSession } from "../upstream/multicast/session.ts";
import { Delivery } from "../upstream/rtp/delivery.ts";
import { PollInterval } from "../upstream/rtp/poll-interval.ts";
import { RandomAccessWatch } from "../upstream/rtp/random-access.ts";
import { ReorderBuffer } from "../upstream/rtp/reorder.ts";
import { isTransportStream, isUnitStart, payloadOffset, startsDecodablePicture } from "../wire/mpegts/packet.ts";
import { parsePat, parsePmt, SectionReader } from "../wire/mpegts/sections.ts";
import { isRtp, parseRtp } from "../wire/rtp/packet.ts";

/** Their methods run for each write, tick or picture: a few thousand times a second at the most. */
const CALM_CLASSES = [
  Connection,
  Cursor,
  Delivery,
  FanOut,
  GroupReceiver,
  MediaClient,
  MulticastSession,
  PollInterval,
  RandomAccessWatch,
  ReorderBuffer,
  Ring,
  RingMemory,
  SectionReader,
  SendQueue,
  SlowClientDetector,
  Stream,
  UnitIndex,
];
const CALM_FUNCTIONS = [
  consumerLimit,
  isRtp,
  isTransportStream,
  isUnitStart,
  isWriteDue,
  parsePat,
  parsePmt,
  parseRtp,
  payloadOffset,
  startsDecodablePicture,
  writeAgeMs,
];

/**
 * Keeps functions out of the compiler's last tier, where each would be compiled on its own, with all that it calls, and then
 * again within its caller. Of the way of a packet, the outermost ones (`Depacketizer.datagram` and who calls it) are left out:
 * once a stream is fast enough to be worth it, those are compiled, with the others inside.
 */
export function keepCompilerCalm(): void {
  for (const { prototype } of CALM_CLASSES) {
    for (const { value, get } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
      const method: unknown = get ?? value;
      if (typeof method === "function" && method !== prototype.constructor) noFTL(method as () => void);
    }
  }
  for (const calm of CALM_FUNCTIONS) noFTL(calm);
}
