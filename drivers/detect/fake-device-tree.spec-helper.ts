// A device tree in a temporary directory, as /proc/device-tree shows one.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Texts end with a NUL each, numbers are 32-bit words. */
export type Properties = Readonly<Record<string, string | readonly string[] | readonly number[]>>;

/** Writes nodes by their path, `/` for the root. */
export function writeDeviceTree(folder: string, nodes: Readonly<Record<string, Properties>>): void {
  for (const [path, properties] of Object.entries(nodes)) {
    const node = join(folder, path);
    mkdirSync(node, { recursive: true });
    for (const [name, value] of Object.entries(properties)) writeFileSync(join(node, name), bytesOf(value));
  }
}

function bytesOf(value: Properties[string]): Buffer {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  return Buffer.concat(
    value.map((item) => {
      if (typeof item === 'string') return Buffer.from(`${item}\0`);
      const word = Buffer.alloc(4);
      word.writeUInt32BE(item);
      return word;
    }),
  );
}

/** A Pi 4 with I2C, SPI and a 1-wire overlay switched on, and its serial port off. */
export const PI4 = {
  '/': {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'],
  },
  '/aliases': {
    i2c1: '/soc/i2c@7e804000',
    spi0: '/soc/spi@7e204000',
    serial0: '/soc/serial@7e215040',
    ethernet0: '/scb/ethernet@7d580000',
  },
  '/soc/gpio@7e200000': { compatible: 'brcm,bcm2711-gpio', 'pinctrl-0': [9] },
  '/soc/gpio@7e200000/i2c1': { phandle: [1], 'brcm,pins': [2, 3], 'brcm,function': [4] },
  '/soc/gpio@7e200000/spi0_pins': { phandle: [2], 'brcm,pins': [9, 10, 11] },
  '/soc/gpio@7e200000/spi0_cs_pins': { phandle: [3], 'brcm,pins': [8, 7] },
  '/soc/gpio@7e200000/uart1_pins': { phandle: [4], 'brcm,pins': [14, 15] },
  '/soc/gpio@7e200000/w1_pins@0': { phandle: [5], 'brcm,pins': [4] },
  '/soc/i2c@7e804000': { compatible: 'brcm,bcm2711-i2c', status: 'okay', 'pinctrl-0': [1] },
  '/soc/spi@7e204000': { compatible: 'brcm,bcm2835-spi', status: 'okay', 'pinctrl-0': [2, 3] },
  '/soc/serial@7e215040': { compatible: 'brcm,bcm2835-aux-uart', status: 'disabled', 'pinctrl-0': [4] },
  '/onewire@4': { compatible: 'w1-gpio', 'pinctrl-0': [5] },
} as const;

/** A Pi 5, whose groups have their pins by name, in nodes of their own. */
export const PI5 = {
  '/': { model: 'Raspberry Pi 5 Model B Rev 1.0', compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'] },
  '/aliases': { serial0: '/axi/pcie@120000/rp1/serial@30000' },
  '/axi/pcie@120000/rp1/gpio@d0000': { compatible: 'raspberrypi,rp1-gpio' },
  '/axi/pcie@120000/rp1/gpio@d0000/rp1_uart0_14_15': { phandle: [0x21] },
  '/axi/pcie@120000/rp1/gpio@d0000/rp1_uart0_14_15/pin_txd': { function: 'uart0', pins: 'gpio14' },
  '/axi/pcie@120000/rp1/gpio@d0000/rp1_uart0_14_15/pin_rxd': { function: 'uart0', pins: ['gpio15'] },
  '/axi/pcie@120000/rp1/serial@30000': { compatible: 'arm,pl011-axi', status: 'okay', 'pinctrl-0': [0x21] },
  // Not of the header: another pin controller has its pins.
  '/soc/gpio@7d504100': { compatible: 'brcm,brcmstb-gpio' },
  '/soc/gpio@7d504100/leds': { phandle: [0x30], pins: 'gpio2' },
  '/soc/leds': { compatible: 'gpio-leds', 'pinctrl-0': [0x30] },
} as const;
