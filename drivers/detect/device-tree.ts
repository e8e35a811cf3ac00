// What the device tree says: the machine's model, and which pins of the header belong to a bus or another device.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A device that the device tree gives pins of the header to, and that is not disabled there. */
export interface PinUser {
  /** Its alias, e.g. `i2c1`, or the name of its node, e.g. `onewire@0`. */
  readonly name: string;
  /** The first of its `compatible` strings, e.g. `w1-gpio`; empty when it has none. */
  readonly compatible: string;
  /** GPIO numbers, ascending. */
  readonly gpios: readonly number[];
}

/** Pin controllers of the header: Pi 0 to 3, Pi 4, Pi 5. */
const PIN_CONTROLLER = /^(brcm,bcm2835-gpio|brcm,bcm2711-gpio|brcm,bcm7211-gpio|raspberrypi,rp1-gpio)$/;
/** Aliases that tell more than a node's name does, and those that do so best. */
const ALIAS = /^(i2c|spi|serial|uart)\d+$/;
const DEPTH_MAX = 16;

/** The model, e.g. `Raspberry Pi 4 Model B Rev 1.4`; undefined where there is no device tree. */
export function readModel(folder: string): string | undefined {
  return strings(folder, 'model')[0];
}

/** `compatible` of the machine, the most special first; empty where there is no device tree. */
export function readCompatible(folder: string): readonly string[] {
  return strings(folder, 'compatible');
}

/** Who has pins of the header, in the order of the first pin. Empty where there is no device tree. */
export function readPinUsers(folder: string): PinUser[] {
  const nodes = walk(folder);
  const controllers = nodes.filter((node) => strings(node, 'compatible').some((text) => PIN_CONTROLLER.test(text)));
  const within = (node: string): boolean => controllers.some((controller) => node.startsWith(`${controller}/`));
  const groups = new Map<number, number[]>();
  for (const node of nodes.filter(within)) {
    const [phandle] = words(node, 'phandle');
    if (phandle !== undefined)
      groups.set(
        phandle,
        nodes.flatMap((inner) => (isIn(inner, node) ? pinsOf(inner) : [])),
      );
  }
  const aliases = readAliases(folder);
  const users: PinUser[] = [];
  for (const node of nodes) {
    if (within(node) || controllers.includes(node) || !isEnabled(node, folder)) continue;
    const gpios = new Set(words(node, 'pinctrl-0').flatMap((phandle) => groups.get(phandle) ?? []));
    if (gpios.size === 0) continue;
    const name = aliases.get(node) ?? basename(node);
    const [compatible = ''] = strings(node, 'compatible');
    users.push({ name, compatible, gpios: [...gpios].sort((a, b) => a - b) });
  }
  return users.sort((a, b) => (a.gpios[0] ?? 0) - (b.gpios[0] ?? 0));
}

function isIn(inner: string, node: string): boolean {
  return inner === node || inner.startsWith(`${node}/`);
}

/** All nodes, parents first. */
function walk(folder: string, depth = 0): string[] {
  if (depth > DEPTH_MAX) return [];
  let entries: readonly string[];
  try {
    entries = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
  return [...(depth === 0 ? [] : [folder]), ...entries.flatMap((entry) => walk(entry, depth + 1))];
}

/** `brcm,pins` on a Pi 0 to 4, `pins` with names such as `gpio2` on a Pi 5. */
function pinsOf(node: string): number[] {
  const named = strings(node, 'pins').flatMap((name) => /^gpio(\d+)$/.exec(name)?.[1] ?? []);
  return [...words(node, 'brcm,pins'), ...named.map(Number)];
}

/** A node counts as enabled when neither it nor one above it says otherwise. */
function isEnabled(node: string, folder: string): boolean {
  for (let at = node; at.length > folder.length; at = join(at, '..')) {
    const [status = 'okay'] = strings(at, 'status');
    if (status !== 'okay' && status !== 'ok') return false;
  }
  return true;
}

/** Nodes by path, with their best alias. */
function readAliases(folder: string): Map<string, string> {
  const aliases = new Map<string, string>();
  const from = join(folder, 'aliases');
  if (!statSync(from, { throwIfNoEntry: false })?.isDirectory()) return aliases;
  for (const alias of readdirSync(from).sort()) {
    const [target] = strings(from, alias);
    if (target?.startsWith('/') === true && ALIAS.test(alias)) aliases.set(join(folder, target), alias);
  }
  return aliases;
}

/** A property of texts, each of which ends with a NUL; empty when there is none. */
function strings(node: string, property: string): string[] {
  const bytes = read(node, property);
  return bytes === undefined
    ? []
    : bytes
        .toString('utf8')
        .split('\0')
        .filter((text) => text !== '');
}

/** A property of 32-bit words; empty when there is none. */
function words(node: string, property: string): number[] {
  const bytes = read(node, property);
  return bytes === undefined
    ? []
    : Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readUInt32BE(4 * i));
}

function read(node: string, property: string): Buffer | undefined {
  try {
    return readFileSync(join(node, property));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** A container may show the tree and keep some of it closed. */
function isAbsent(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(String(error.code))
  );
}
