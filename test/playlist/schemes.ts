/** The schemes that playlists may hold, for tests of channels. */
import { type EntrySchemes, entrySchemes, type UpstreamSettings } from "../../src/upstream/plans.ts";

export const SCHEMES: EntrySchemes = entrySchemes({ proxyHttps: false } as UpstreamSettings);
export const SCHEMES_WITH_HTTPS: EntrySchemes = entrySchemes({ proxyHttps: true } as UpstreamSettings);
