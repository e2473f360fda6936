/** What the program says about itself, and to those whom it does not understand. */

import type { Option } from "../config/option.ts";
import { OPTIONS } from "../config/options.ts";
import { PROGRAM_NAME, PROGRAM_VERSION } from "../config/program.ts";

/** `sluice 1.2.3`, with a newline. */
export function versionText(): string {
  return `${PROGRAM_NAME} ${PROGRAM_VERSION}\n`;
}

/** For standard error. The usage text itself would push what is wrong off the screen. */
export function refusalText(...lines: readonly string[]): string {
  const said = lines.map((line, index) => (index === 0 ? `${PROGRAM_NAME}: ${line}` : line));
  return `${[...said, `Try '${PROGRAM_NAME} --help' for all commands and options.`].join("\n")}\n`;
}

/** The usage text: name, version, commands, and one line an option with its default. */
export function usageText(): string {
  const left = OPTIONS.map(({ short, long, argument }) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return `  ${letter}--${long}${argument === undefined ? "" : ` ${argument}`}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  const lines = OPTIONS.map((option, index) => `${left[index]?.padEnd(width)}  ${option.help}${defaultNote(option)}`);
  return `${versionText()}IPTV relay: multicast RTP/UDP, RTSP and HTTP in, plain HTTP out.

Usage: ${PROGRAM_NAME} [serve] [OPTION]...    relay channels
       ${PROGRAM_NAME} demo [OPTION]...       relay built-in demonstration channels
       ${PROGRAM_NAME} probe URL|CHANNEL [--seconds N] [--json] [OPTION]...
                                     tell what comes from there, and what is wrong with it
       ${PROGRAM_NAME} config check [FILE]    show what a config file says and what is wrong with it
       ${PROGRAM_NAME} help | version         the same as --help and --version

Options:
${lines.join("\n")}
`;
}

/** A flag whose file key has another name says the default of that, as in `(default: fast-start on)`. */
function defaultNote({ fallback, long, argument, keys }: Option): string {
  if (fallback === undefined) return "";
  return ` (default: ${argument === undefined && keys[0] !== long ? `${keys[0]} ` : ""}${fallback})`;
}
