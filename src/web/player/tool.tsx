/** A button of the control bar: an icon with a label. */
import { Icon, type IconName } from "./icons.tsx";

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly isPressed?: boolean;
  readonly name?: string;
}

export function Tool({ icon, label, onClick, isPressed, name = "" }: ToolProps) {
  return (
    <button
      type="button"
      class={`tool ${name}`}
      title={label}
      aria-label={label}
      aria-pressed={isPressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
