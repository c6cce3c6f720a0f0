import { InputError } from "../lib/support/errors.ts";

/** Above this share of its cores in use, a machine is not idle. */
export const IDLE_LOAD = 0.3;

/**
 * Whether a machine is too busy to measure on.
 *
 * @param load The average number of processes that ran or waited in the last minute.
 * @returns A warning where it is and `force` was given; else null.
 * @throws {InputError} Where it is and `force` was not given.
 */
export function checkIdle(load: number, cores: number, force: boolean): string | null {
  if (load <= IDLE_LOAD * cores) return null;
  const found = `the load average of the last minute is ${load.toFixed(2)} on ${cores} cores, and up to ` +
    `${(IDLE_LOAD * cores).toFixed(1)} it counts as idle`;
  if (!force) {
    throw new InputError(
      `Cannot measure on a machine that is busy: ${found}. Wait until it is, or measure all the same with --force.`,
    );
  }
  return `THE MACHINE IS BUSY: ${found}. The times below say little.`;
}
