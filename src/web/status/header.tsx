/** The top of the page: whether the figures are fresh, which server they are of, and how to show them. */

import { useId } from "preact/hooks";
import { LOCALE_NAMES, LOCALES, type Locale } from "../shared/locale.ts";
import { THEMES, type Theme } from "../shared/theme.ts";
import { usePage } from "./context.ts";
import { BANDWIDTH_UNITS, type BandwidthUnit, formatDuration, formatTime, UNKNOWN } from "./format.ts";
import { Mark } from "./icons.tsx";
import { Pair } from "./section.tsx";
import type { StatusModel } from "./status-model.ts";
import type { ConnectionState } from "./status-stream.ts";

const UNIT_NAMES: Readonly<Record<BandwidthUnit, string>> = { bits: "bit/s", bytes: "byte/s" };

interface Choosers {
  locale(chosen: Locale): void;
  theme(chosen: Theme): void;
  unit(chosen: BandwidthUnit): void;
}

interface HeaderProps {
  readonly model: StatusModel;
  readonly connection: ConnectionState;
  readonly choose: Choosers;
}

export function Header({ model, connection, choose }: HeaderProps) {
  const { text } = usePage();
  const { event, updatedMs } = model;
  return (
    <header class="header">
      <div class="header-inner">
        <h1 class="brand">
          <Mark />
          sluice <span class="visually-hidden">{text("status")}</span>
        </h1>
        <p class={`connection connection-${connection}`} role="status">
          <span class="dot" aria-hidden="true" />
          {text(`connection.${connection}`)}
        </p>
        <dl class="details num">
          <Pair name={text("version")} value={event?.version ?? UNKNOWN} />
          <Pair name={text("uptime")} value={formatDuration(event?.uptimeMs)} />
          <Pair name={text("lastUpdate")} value={formatTime(updatedMs)} />
        </dl>
        <Choices choose={choose} />
      </div>
    </header>
  );
}

function Choices({ choose }: { choose: Choosers }) {
  const { locale, theme, unit, text } = usePage();
  return (
    <fieldset class="choices">
      <legend class="visually-hidden">{text("settings")}</legend>
      <Choice
        label={text("language")}
        values={LOCALES}
        chosen={locale}
        nameOf={(value) => LOCALE_NAMES[value]}
        choose={choose.locale}
      />
      <Choice
        label={text("theme")}
        values={THEMES}
        chosen={theme}
        nameOf={(value) => text(`theme.${value}`)}
        choose={choose.theme}
      />
      <Choice
        label={text("unit")}
        values={BANDWIDTH_UNITS}
        chosen={unit}
        nameOf={(value) => UNIT_NAMES[value]}
        choose={choose.unit}
      />
    </fieldset>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly values: readonly T[];
  readonly chosen: T;
  nameOf(value: T): string;
  choose(value: T): void;
}

function Choice<T extends string>({ label, values, chosen, nameOf, choose }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="choice">
      <label class="visually-hidden" for={id}>
        {label}
      </label>
      <select
        id={id}
        title={label}
        value={chosen}
        onChange={({ currentTarget }) => choose(values[currentTarget.selectedIndex] ?? chosen)}
      >
        {values.map((value) => (
          <option key={value} value={value}>
            {nameOf(value)}
          </option>
        ))}
      </select>
    </div>
  );
}
