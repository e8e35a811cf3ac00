// Metrics of the daemon as a whole: what runs, its chips, errors, reloads, the API, the watchdog.
import { type NumberFamily, ofStatus, seconds, single } from './families.js';

const MS_PER_S = 1_000;

/** Told by labels; the value is 1. */
const buildInfo: NumberFamily = {
  kind: 'gauge',
  name: 'gpio_irqd_build_info',
  help: 'Always 1. What runs: its version, that of Node, the driver, and whether the chip is simulated.',
  labels: ['version', 'node', 'driver', 'simulated'],
  collect: ({ target }, add) => {
    const { version, driver, simulated } = target.status();
    add({ version, node: process.version, driver, simulated: String(simulated) }, 1);
  },
};

const chips: NumberFamily = {
  kind: 'gauge',
  name: 'gpio_irqd_chip_healthy',
  help: '1 while the chip is there and all its lines are held, else 0.',
  labels: ['chip', 'driver', 'label'],
  collect: ({ target }, add) => {
    const { chip, chips, driver, problem } = target.status();
    const all = chips ?? [{ id: 'chip', driver, ...chip, ...(problem === undefined ? {} : { problem }) }];
    for (const one of all) {
      add({ chip: one.id, driver: one.driver, label: one.label }, one.problem === undefined ? 1 : 0);
    }
  },
};

const reloads: NumberFamily = {
  kind: 'counter',
  name: 'gpio_irqd_reloads_total',
  help: 'Reloads of the configuration; those that failed left the old one in effect.',
  labels: ['result'],
  collect: ({ target }, add) => {
    const { reloads } = target.status();
    if (reloads === undefined) return;
    add({ result: 'ok' }, reloads.ok);
    add({ result: 'failed' }, reloads.failed);
  },
};

export const daemonFamilies: readonly NumberFamily[] = [
  buildInfo,
  ofStatus('gauge', 'gpio_irqd_uptime_seconds', 'Time since the service was started.', ({ uptimeNs }) =>
    seconds(uptimeNs),
  ),
  chips,
  ofStatus(
    'counter',
    'gpio_irqd_handler_errors_total',
    'Handlers that threw or broke a rule of their context, and actions that failed.',
    ({ handlerErrors }) => handlerErrors,
  ),
  ofStatus(
    'counter',
    'gpio_irqd_actions_limited_total',
    'Actions that were left out because there were more than their limit allows.',
    ({ limited }) => limited,
  ),
  reloads,
  ofStatus(
    'gauge',
    'gpio_irqd_lines_parked',
    'Lines that a reload has removed, and that are held until the others of their request are let go.',
    ({ parked }) => parked?.length ?? 0,
  ),
  single(
    'gauge',
    'gpio_irqd_watchdog_timeout_seconds',
    'systemd ends the daemon after this time without a ping.',
    ({ watchdog }) => {
      const view = watchdog();
      return view === undefined ? undefined : view.timeoutMs / MS_PER_S;
    },
  ),
  single(
    'gauge',
    'gpio_irqd_watchdog_worst_interval_seconds',
    'Longest time between two pings of the watchdog since the start; what is left to the timeout is the margin.',
    ({ watchdog }) => {
      const view = watchdog();
      return view === undefined ? undefined : view.worstIntervalMs / MS_PER_S;
    },
  ),
  single('gauge', 'gpio_irqd_api_watchers', 'Clients that watch events now.', ({ control }) => control()?.watching),
  single(
    'counter',
    'gpio_irqd_api_watchers_cut_off_total',
    'Watchers that were cut off because they did not read.',
    ({ control }) => control()?.dropped,
  ),
  single(
    'counter',
    'gpio_irqd_api_requests_total',
    'Requests to the control API.',
    ({ control }) => control()?.requests,
  ),
  single(
    'counter',
    'gpio_irqd_api_connections_refused_total',
    'Connections to the control API that were closed because there were too many.',
    ({ control }) => control()?.refused,
  ),
];
