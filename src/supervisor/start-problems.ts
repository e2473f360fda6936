/** What the settings name and this machine does not have: told at the start, not when the first client suffers from it. */

import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import type { SettingName, Settings } from "../config/settings.ts";
import { errorCode, errorReason } from "../system/errno.ts";
import { existingInterfaces, hasInterface, isInterfaceDown } from "../system/interfaces.ts";

interface StartProblem {
  /** The one that it is about. */
  readonly setting: SettingName;
  /** A sentence for the log. */
  readonly message: string;
}

/** All of them, in the order in which they are to be told. Nothing is changed, opened or made. */
export function startProblems(settings: Settings): StartProblem[] {
  return [...interfaceProblems(settings), ...accessLogProblems(settings), ...ffmpegProblems(settings)];
}

const INTERFACE_OPTIONS = [
  ["upstreamInterface", "upstream-interface"],
  ["upstreamInterfaceMulticast", "upstream-interface-multicast"],
  ["upstreamInterfaceFcc", "upstream-interface-fcc"],
  ["upstreamInterfaceRtsp", "upstream-interface-rtsp"],
  ["upstreamInterfaceHttp", "upstream-interface-http"],
] as const;

function interfaceProblems(settings: Settings): StartProblem[] {
  return INTERFACE_OPTIONS.flatMap(([setting, option]) => {
    const name = settings[setting];
    if (name === undefined) return [];
    if (!hasInterface(name))
      return [{ setting, message: `${option}: interface ${name} does not exist (now); ${existingInterfaces()}` }];
    if (!isInterfaceDown(name)) return [];
    return [{ setting, message: `${option}: interface ${name} is down; bring it up with "ip link set ${name} up"` }];
  });
}

/** Other words than when a line cannot be written, which is reported once (config.md section 14). */
function accessLogProblems({ accessLog }: Settings): StartProblem[] {
  if (accessLog === undefined) return [];
  try {
    checkWritable(accessLog);
    return [];
  } catch (error) {
    return [{ setting: "accessLog", message: `access-log: ${accessLog} cannot be written: ${errorReason(error)}` }];
  }
}

/** The file need not be there; then its directory must let it be made. */
function checkWritable(path: string): void {
  try {
    if (statSync(path).isDirectory()) throw new Error("it is a directory");
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  }
}

function ffmpegProblems({ videoSnapshot, ffmpegPath }: Settings): StartProblem[] {
  if (!videoSnapshot || Bun.which(ffmpegPath) !== null) return [];
  const message = `video-snapshot: there is no program ${ffmpegPath}, so there are no pictures; install FFmpeg, or name it with ffmpeg-path`;
  return [{ setting: "ffmpegPath", message }];
}
