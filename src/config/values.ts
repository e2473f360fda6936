/** How the text of an option becomes a value: one `ValueType` for each kind of option. */

import { cutUtf8, LOG_DEBUG, LOG_FATAL, type LogLevel } from "../system/log.ts";
import { readListenAddress, showListenAddress } from "./listen.ts";
import type { ListenAddress } from "./settings.ts";

/** Why a text is no value. The program goes on with the value in force, unless the refusal is fatal. */
export interface Refusal {
  /** The whole line for the log. */
  readonly refused: string;
  readonly fatal: boolean;
}

export type Reading<Value> = { readonly value: Value } | Refusal;

export interface ValueType<Value> {
  /** Reads the text of option `name`. `given` is the value that an earlier use of the option gave. Never throws. */
  read(text: string, name: string, given: Value | undefined): Reading<Value>;
  /** The value as help texts show it. */
  show(value: Value): string;
}

const INT_MAX = 2 ** 31 - 1;
/** IFNAMSIZ without its terminator. */
const INTERFACE_NAME_MAX_BYTES = 15;

/** C's atoi: leading blanks, a sign, digits, anything after them; no digits are 0. Stays within 32 bits. */
export function atoi(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  // Adding 0 turns the -0 of "-0" into 0.
  return Math.min(Math.max(Number(digits), -INT_MAX), INT_MAX) + 0;
}

/** A whole number from `min` to `max`; `minText` is how messages write the minimum. */
export function integer(min: number, max?: number, minText = String(min)): ValueType<number> {
  const range = max === undefined ? `>= ${minText}` : `between ${min} and ${max}`;
  return {
    read(text, name) {
      const value = atoi(text);
      if (value >= min && value <= (max ?? INT_MAX)) return { value };
      return { refused: `Invalid ${name}! Must be ${range}. Ignoring.`, fatal: false };
    },
    show: String,
  };
}

/** True for 1, on, true and yes; everything else is false (config.md section 5.1). */
export const boolean: ValueType<boolean> = {
  read: (text) => ({ value: /^(1|on|true|yes)$/i.test(text) }),
  show: (value) => (value ? "on" : "off"),
};

/** A level of the log by its number; numbers outside the levels mean the nearest one. */
export const logLevel: ValueType<LogLevel> = {
  read: (text) => ({ value: Math.min(Math.max(atoi(text), LOG_FATAL), LOG_DEBUG) as LogLevel }),
  show: String,
};

/** The name of a network interface, not checked to exist as interfaces come and go; empty means none. */
export const interfaceName: ValueType<string | undefined> = {
  read: (text) => ({ value: cutUtf8(text, INTERFACE_NAME_MAX_BYTES) || undefined }),
  show: (value) => value ?? "none",
};

/** Any text; empty means none. */
export const optionalText: ValueType<string | undefined> = {
  read: (text) => ({ value: text || undefined }),
  show: (value) => value ?? "none",
};

/** Addresses to listen on; each use of the option adds one. */
export const listenAddresses: ValueType<readonly ListenAddress[]> = {
  read(text, _name, given = []) {
    const reading = readListenAddress(text);
    return "value" in reading ? { value: [...given, reading.value] } : reading;
  },
  show: (value) => value.map(showListenAddress).join(", "),
};
