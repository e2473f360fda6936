/** What the just-in-time compiler spends its time on: measured, and kept from costing more than it gains. */
import { noFTL } from "bun:jsc";
import { Connection } from "../http/connection.ts";
import { Cursor } from "../relay/cursor.ts";
import { FanOut } from "../relay/fan-out.ts";
import { consumerLimit, SlowClientDetector } from "../relay/limit.ts";
import { Ring } from "../relay/ring.ts";
import { Stream } from "../relay/stream.ts";
import { UnitIndex } from "../relay/unit-index.ts";
import { isWriteDue } from "../relay/write-policy.ts";
import { MediaClient } from "../routes/media-client.ts";
import { Depacketizer } from "../upstream/rtp/depacketizer.ts";
import { RandomAccessWatch } from "../upstream/rtp/random-access.ts";
import { ReorderBuffer } from "../upstream/rtp/reorder.ts";
import { isTransportStream, isUnitStart } from "../wire/mpegts/packet.ts";

/**
 * Keeps functions out of the compiler's last tier, where each would be compiled on its own, with all that it calls, and then
 * again within its caller: some 120 ms of CPU in the first minute.
 *
 * - A write runs a few thousand times a second at the most and is nearly all kernel time.
 * - Of the way of a packet, the outermost function (`Depacketizer.datagram`) is left out: once a stream is fast enough to be worth
 *   it, that one is compiled, with the others inside.
 */
export function keepCompilerCalm(): void {
  for (const { write } of [Cursor.prototype, MediaClient.prototype, Connection.prototype]) noFTL(write);
  for (const step of [FanOut.prototype.flush, FanOut.prototype.write]) noFTL(step);
  for (const { append } of [Stream.prototype, Ring.prototype]) noFTL(append);
  noFTL(Depacketizer.prototype.payload);
  noFTL(ReorderBuffer.prototype.push);
  noFTL(RandomAccessWatch.prototype.look);
  noFTL(UnitIndex.prototype.add);
  // A byte stream is read and written a few hundred times a second.
  noFTL(SlowClientDetector.prototype.sample);
  noFTL(consumerLimit);
  noFTL(isWriteDue);
  noFTL(isTransportStream);
  noFTL(isUnitStart);
}
