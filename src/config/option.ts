/** One row of the table of options: what it is called, what it says and what it does. */

import type { SettingName, SettingsDraft, SettingValues } from "./settings.ts";
import type { ParseError, ValueType } from "./values.ts";

interface Names {
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  /** Name of the argument in help texts; an option without one is a flag. */
  readonly argument?: string;
  /** One line, without a full stop. */
  readonly help: string;
  /** An option that rtp2httpd does not have: it must not make an abbreviation ambiguous that works there. */
  readonly own?: true;
}

interface FileNames {
  /** Keys of the config file that set the same, in lower case; the first is the documented one. */
  readonly keys: readonly string[];
  /** The section of the config file that sets the same, where it is not a key of `[global]`. */
  readonly section?: string;
  /** Access is wider without it: a reload takes it back only when the file says so (config.md section 8). */
  readonly guards?: true;
  /** A value of the file that the command line overrides is passed over without a warning. */
  readonly yieldsSilently?: true;
}

export interface Option extends Names, FileNames {
  /** The default as help texts show it. */
  readonly fallback?: string;
  readonly effect: Effect;
}

/** Where a text was found. What stands in a file replaces, what stands on the command line may add up. */
type Source = "flag" | "file";

type Effect = { readonly kind: "help" | "version" | "config" | "noconfig" } | SetEffect;

interface SetEffect {
  readonly kind: "set";
  readonly setting: SettingName;
  /** Sets the default. */
  reset(draft: SettingsDraft): void;
  /** Applies the argument, the value of the file key, or for a flag `undefined`. A refusal changes nothing. */
  apply(draft: SettingsDraft, text: string | undefined, source: Source): ParseError | undefined;
  /** The value the way the file key would read it back; `undefined` for a value that only absence can give. */
  show(values: Readonly<SettingValues>): string | undefined;
}

interface SettingRow<Value> extends Names, Partial<FileNames> {
  readonly type: ValueType<Value>;
  /** Absent where another row has the default of the same setting. */
  readonly initial?: Value;
  /** The default in words, where its value does not explain itself. */
  readonly initialText?: string;
  /** The text that a flag stands for, read like the value of the file key. */
  readonly means?: string;
  /** What refusals call the option when its value was in a file. Default: its key. */
  readonly nameInFile?: string;
}

/** A row that sets the setting `name`; its key in the config file is `long`, unless there are `keys`. */
export function setting<Name extends SettingName>(name: Name, row: SettingRow<SettingValues[Name]>): Option {
  const { type, initial, initialText, means = "", nameInFile = row.keys?.[0] ?? row.long, ...rest } = row;
  const hasInitial = "initial" in row;
  const show = (value: SettingValues[Name] | undefined) =>
    value === undefined ? undefined : type.show(value as NonNullable<SettingValues[Name]>);
  return {
    keys: [row.long],
    ...rest,
    ...(hasInitial && { fallback: initialText ?? (show(initial) || "none") }),
    effect: {
      kind: "set",
      setting: name,
      reset({ values }) {
        if (hasInitial) values[name] = initial as SettingValues[Name];
      },
      apply({ values, given }, text, source) {
        const earlier = source === "flag" && given.has(name) ? values[name] : undefined;
        const reading = type.read(text ?? means, source === "flag" ? row.long : nameInFile, earlier);
        if (!("value" in reading)) return reading;
        values[name] = reading.value;
        given.add(name);
        return reading.refused === undefined ? undefined : { refused: reading.refused, fatal: false };
      },
      show: (values) => show(values[name]),
    },
  };
}

/** A row that sets nothing. */
export function action(kind: Exclude<Effect["kind"], "set">, names: Names & { readonly fallback?: string }): Option {
  return { ...names, keys: [], effect: { kind } };
}
