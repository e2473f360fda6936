/** The settings (status.md section 16); what cannot work on the device is not offered. */
import { useEffect, useRef, useState } from "preact/hooks";
import { LOCALE_NAMES, LOCALES } from "../shared/locale.ts";
import { THEMES } from "../shared/theme.ts";
import { usePlayer, useTexts } from "./context.ts";
import { Icon } from "./icons.tsx";
import { canPictureInPicture } from "./picture-in-picture.ts";
import { isWebOs } from "./platform.ts";
import { APPEARANCES, PIP_MODES } from "./settings.ts";
import { useStore } from "./store.ts";
import { Tool } from "./tool.tsx";

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly name: string;
  readonly choices: readonly T[];
  readonly value: T;
  readonly nameOf: (choice: T) => string;
  readonly choose: (choice: T) => void;
}

function Choice<T extends string>({ label, name, choices, value, nameOf, choose }: ChoiceProps<T>) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select name={name} value={value} onChange={(event) => choose(event.currentTarget.value as T)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {nameOf(choice)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function SettingsMenu() {
  const t = useTexts();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const page = root.current?.ownerDocument ?? document;
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    // Before the page's own keys, for which Escape means something else.
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setOpen(false);
    };
    page.addEventListener("pointerdown", closeOutside, true);
    page.addEventListener("keydown", closeByKey, true);
    return () => {
      page.removeEventListener("pointerdown", closeOutside, true);
      page.removeEventListener("keydown", closeByKey, true);
    };
  }, [isOpen]);
  return (
    <div class="settings" ref={root}>
      <Tool icon="settings" label={t("settings")} isPressed={isOpen} onClick={() => setOpen(!isOpen)} />
      {isOpen && <Menu close={() => setOpen(false)} />}
    </div>
  );
}

function Menu({ close }: { readonly close: () => void }) {
  const player = usePlayer();
  const t = useTexts();
  const { locale, theme, appearance, pipMode, isSeamless } = useStore(player.view);
  const reload = () => {
    void player.load();
    close();
  };
  return (
    <div class="menu">
      <Choice
        label={t("language")}
        name="locale"
        choices={LOCALES}
        value={locale}
        nameOf={(choice) => LOCALE_NAMES[choice]}
        choose={(choice) => player.chooseLocale(choice)}
      />
      <Choice
        label={t("theme")}
        name="theme"
        choices={THEMES}
        value={theme}
        nameOf={t}
        choose={(choice) => player.chooseTheme(choice)}
      />
      <Choice
        label={t("appearance")}
        name="appearance"
        choices={APPEARANCES}
        value={appearance}
        nameOf={t}
        choose={(choice) => player.chooseAppearance(choice)}
      />
      {canPictureInPicture() && (
        <Choice
          label={t("pipMode")}
          name="pip"
          choices={PIP_MODES}
          value={pipMode}
          nameOf={t}
          choose={(choice) => player.choosePipMode(choice)}
        />
      )}
      {!isWebOs() && (
        <label class="choice">
          <span>{t("seamless")}</span>
          <input
            type="checkbox"
            name="seamless"
            checked={isSeamless}
            onChange={(event) => player.chooseSeamless(event.currentTarget.checked)}
          />
        </label>
      )}
      <button type="button" class="button" onClick={reload}>
        <Icon name="reload" />
        {t("reload")}
      </button>
    </div>
  );
}
