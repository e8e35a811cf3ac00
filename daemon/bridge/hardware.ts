// How the service comes to its chips on hardware, also to those that are not there yet.
import { absentChip, type HardwareDriver, openDriver, reopenDriver } from '../../drivers/index.js';
import { EVENT_BUFFER_MAX } from '../../kernel/gpio/line-config.js';
import type { GpioChip } from '../../kernel/index.js';
import type { ChipChoice, Config } from '../config/config.js';
import type { OpenedChip } from './backend.js';
import type { RequestOptions } from './line-requests.js';

/** A driver of hardware, by whatever name. */
type Driver = Exclude<HardwareDriver, 'auto'>;

/** The driver of a configuration that does not simulate. */
export function hardwareDriver({ driver }: Config): Driver {
  return driver === 'auto' || driver === 'sim' ? 'hardware' : driver;
}

/**
 * What requests have besides their lines. The stamps of the model are of the clock that never goes back, whatever clock events
 * are told in. The largest FIFO is every driver's own default, also of one that cannot choose.
 */
export function eventsOf({ eventBuffer }: Config): Pick<RequestOptions, 'eventBufferSize'> {
  return eventBuffer === undefined || eventBuffer === EVENT_BUFFER_MAX ? {} : { eventBufferSize: eventBuffer };
}

/** The file's own chip; undefined when it is to be simulated. Errors as the driver's. */
export function openFirst(config: Config): OpenedChip | undefined {
  const { driver, chip: choice } = config;
  if (driver === 'sim') return undefined;
  if (driver !== 'auto') return openOrAwait(driver, choice);
  const chip = openDriver({ driver, chip: choice });
  return chip === undefined ? undefined : { chip, comeback: { reopen: reopening('hardware', choice, chip) } };
}

/** Opens a chip. One that is named, and not there, is waited for as one that was there and is gone. */
export function openOrAwait(driver: Driver, choice: ChipChoice): OpenedChip {
  try {
    const chip = openDriver({ driver, chip: choice });
    return { chip, comeback: { reopen: reopening(driver, choice, chip) } };
  } catch (error) {
    const absence = absentChip(driver, choice, error);
    if (absence === undefined) throw error;
    return { chip: absence.chip, absent: absence.error, comeback: { reopen: reopening(driver, choice) } };
  }
}

/** Opens a chip again under whatever name it has then: once it was there, it is known by its label. */
function reopening(driver: Driver, choice: ChipChoice, chip?: GpioChip): () => GpioChip {
  let info = chip?.info;
  return () => {
    const found = info === undefined ? openDriver({ driver, chip: choice }) : reopenDriver(driver, info);
    info = found.info;
    return found;
  };
}
