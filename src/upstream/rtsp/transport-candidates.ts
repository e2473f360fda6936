/** What SETUP offers, and what it offers a server that cannot read that (rtsp.md section 5.4). */
import { emitTransportOffers, type UdpOffer } from "../../wire/rtsp/transport.ts";

const STANDARD = /^RTP\/AVP[/;]/;

/**
 * Values of `Transport`, in the order in which to try them: all at once, as the servers of providers want it; then the standard
 * ones alone, because GStreamer and VLC look at the first of a list only and refuse it with 461.
 */
export function transportCandidates(udp: UdpOffer | undefined): string[] {
  const plain = emitTransportOffers(udp && { ...udp, clientAddress: undefined });
  return [emitTransportOffers(udp), ...plain.split(",").filter((offer) => STANDARD.test(offer))];
}
