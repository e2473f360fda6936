/** One row of the table of options: what it is called, what it says and what it does. */

import type { SettingName, SettingsDraft, SettingValues } from "./settings.ts";
import type { Refusal, ValueType } from "./values.ts";

interface Names {
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  /** Keys of the config file that set the same, in lower case; the first is the documented one. */
  readonly keys?: readonly string[];
  /** One line, without a full stop. */
  readonly help: string;
  /** An option that rtp2httpd does not have: it must not make an abbreviation ambiguous that works there. */
  readonly own?: true;
}

export interface Option extends Names {
  /** What help texts call the argument; an option without one is a flag. */
  readonly argument?: string;
  /** The default as help texts show it. */
  readonly fallback?: string;
  readonly effect: Effect;
}

export type Effect =
  | { readonly kind: "help" | "version" | "none" }
  | {
      readonly kind: "set";
      readonly setting: SettingName;
      /** Sets the default. */
      reset(draft: SettingsDraft): void;
      /** Applies the argument, the value of the file key, or for a flag `undefined`. A refusal changes nothing. */
      apply(draft: SettingsDraft, text: string | undefined): Refusal | undefined;
    };

interface SettingRow<Value> extends Names {
  readonly type: ValueType<Value>;
  /** Absent where another row has the default of the same setting. */
  readonly initial?: Value;
  /** The default in words, where its value does not explain itself. */
  readonly initialText?: string;
  /** Name of the argument. A flag has `means` instead. */
  readonly argument?: string;
  /** The text that a flag stands for, read like the value of the file key. */
  readonly means?: string;
}

/** A row that sets the setting `name`. */
export function setting<Name extends SettingName>(name: Name, row: SettingRow<SettingValues[Name]>): Option {
  const { type, initial, initialText, means = "", ...rest } = row;
  const hasInitial = "initial" in row;
  return {
    ...rest,
    ...(hasInitial && { fallback: initialText ?? type.show(initial as SettingValues[Name]) }),
    effect: {
      kind: "set",
      setting: name,
      reset({ values }) {
        if (hasInitial) values[name] = initial as SettingValues[Name];
      },
      apply({ values, given }, text = means) {
        const reading = type.read(text, row.long, given.has(name) ? values[name] : undefined);
        if (!("value" in reading)) return reading;
        values[name] = reading.value;
        given.add(name);
        return undefined;
      },
    },
  };
}

/** A row that sets nothing. */
export function action(kind: "help" | "version" | "none", names: Names): Option {
  return { ...names, effect: { kind } };
}
