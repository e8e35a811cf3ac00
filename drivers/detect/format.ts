// The report of `gpio-irqd detect` for people.
import type { DetectedChip, DetectedHeader, Detection } from '../detect.js';

/** The report as text. Ends with a line feed. */
export function formatDetection({ model, chips, header, drivers }: Detection): string {
  const out = [`machine: ${model ?? 'not a device-tree machine'}`, chips.length === 0 ? 'chips: none' : 'chips:'];
  for (const chip of chips) out.push(...chipText(chip));
  if (header !== undefined) out.push(...headerText(header));
  out.push('drivers:');
  for (const { name, refused } of drivers) {
    out.push(refused === undefined ? `  ${name}: can be used` : `  ${name}: cannot be used: ${refused.message}`);
    if (refused?.hint !== undefined) out.push(`    ${refused.hint}`);
  }
  return `${out.join('\n')}\n`;
}

function chipText({ name, label, lines, header, aliases, access, refused }: DetectedChip): string[] {
  const links = aliases.length === 0 ? '' : `, also ${aliases.join(', ')}`;
  const out: string[] = [];
  if (refused === undefined) {
    out.push(`  ${name} [${label}] ${lines} lines${header ? ', the header' : ''}${links}`);
    if (label === 'pinctrl-rp1') {
      out.push('    on a Pi 5 the header is gpiochip0 or gpiochip4, by kernel: choose it with chip: auto, or by label');
    }
  } else {
    out.push(`  ${name}${links}: cannot be opened: ${refused.message}`);
    const hint = access?.hint ?? refused.hint;
    if (hint !== undefined) out.push(`    ${hint}`);
  }
  if (access !== undefined) out.push(`    ${access.owner}:${access.group} ${access.mode}`);
  return out;
}

/** Only lines that somebody has: the others are as free as a reader would expect. */
function headerText({ chip, lines, conflicts }: DetectedHeader): string[] {
  const free = lines.filter(({ held, device }) => !held && device === undefined).length;
  const out = [`header on ${chip}: ${free} of ${lines.length} lines are free`];
  for (const { gpio, pin, held, consumer, device } of lines) {
    if (!held && device === undefined) continue;
    const where = pin === undefined ? '' : ` (pin ${pin})`;
    const holder = held ? `held by ${consumer === '' ? 'the kernel' : `'${consumer}'`}` : 'not held';
    out.push(`  GPIO${gpio}${where}: ${holder}${device === undefined ? '' : `, its pin belongs to ${device}`}`);
  }
  for (const { name, gpios, state, hint } of conflicts) {
    const which = gpios.map((gpio) => `GPIO${gpio}`).join(', ');
    const why = state === 'held' ? `which ${name} holds` : `whose pins belong to ${name}`;
    out.push(`  to use ${which}, ${why}: ${hint}`);
  }
  return out;
}
